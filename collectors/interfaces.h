// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/collector.h"
#include "collectors/source.h"
#include "core/facts/interfaces.h"

namespace tcpdiag {

/// The addresses that /proc/net/fib_trie has as "/32 host LOCAL": this namespace's own, in no order, some
/// more than once. The file is empty where no interface is up. Errors: it does not end as the file does
/// (malformed).
Result<std::vector<IpAddress>> parse_fib_trie(std::string_view text);

/// The addresses of /proc/net/if_inet6.
Result<std::vector<IpAddress>> parse_if_inet6(std::string_view text);

/// The names of the interfaces in /proc/net/dev, in its order. Names that cannot be those of a directory
/// below /proc/sys/net/ipv4/conf are left out.
Result<std::vector<std::string>> parse_interface_names(std::string_view text);

/// The addresses of the source's namespace, and with `filters` how its interfaces check where packets come
/// from. Without IPv6 there is no if_inet6, which is no error.
Result<Interfaces> read_interfaces(Source& source, bool filters);

/// Reads them; the filters where packets have been dropped by them.
struct InterfacesReader {
  Result<Interfaces> operator()(const Reading& reading) const;
};

}  // namespace tcpdiag
