// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tcpdiag {

/// By which names this host is asked: `hostname` and its first part, the same with each domain that
/// /etc/resolv.conf searches and with "local" (mDNS), and what /etc/hosts has on the lines with one of them.
/// Without repetitions; nothing is asked over the network. An empty text: there is no such file.
std::vector<std::string> host_names(std::string_view hostname, std::string_view hosts,
                                    std::string_view resolv_conf);

/// The same of this host as it is now.
std::vector<std::string> read_host_names();

}  // namespace tcpdiag
