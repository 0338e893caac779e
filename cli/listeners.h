// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"
#include "core/address.h"
#include "core/report.h"

namespace tcpdiag {

/// What `tcpdiag listeners` shall do.
struct ListenersOptions {
  std::vector<std::string> namespaces;  ///< as parse_namespaces(); none: everywhere
  bool json = false;
};

/// The listeners of every namespace whose listeners are known, the fullest queue first, as a table. Of
/// several sockets on one endpoint the fullest one's queue is shown, and how many are full.
std::string listeners_text(const Report& report, const TextStyle& style);

/// "0.0.0.0:80", "[::]:22", "[fe80::1%2]:53".
std::string address_and_port(const Endpoint& endpoint);
std::string address_and_port(const IpAddress& address, std::uint16_t port);

}  // namespace tcpdiag
