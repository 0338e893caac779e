// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/describe.h"

namespace tcpdiag {

/// How packets are checked that come in through an interface: net.ipv4.conf.NAME.rp_filter.
struct ReversePathFilter {
  std::string interface;  ///< or "all", of which and the interface's own the kernel takes the larger
  std::int64_t mode = 0;  ///< 0 off, 1 strict, 2 loose

  bool operator==(const ReversePathFilter&) const = default;
};
constexpr auto members_of(Type<ReversePathFilter>, auto member) {
  return std::tuple(member("interface", &ReversePathFilter::interface),
                    member("mode", &ReversePathFilter::mode));
}

/// The addresses of a namespace, and how it checks where packets come from.
struct Interfaces {
  std::vector<IpAddress> addresses;  ///< loopback's included; ordered, at most kAddresses
  std::uint64_t addresses_cut = 0;   ///< at least so many more: beyond that, or in a table too long to read
  /// "all" first, then at most kFilters interfaces. Read only where TcpCounters::ip_reverse_path_filter is
  /// not 0: elsewhere none.
  std::vector<ReversePathFilter> filters;

  static constexpr std::size_t kAddresses = 1024;
  static constexpr std::size_t kFilters = 32;

  bool operator==(const Interfaces&) const = default;
};
constexpr std::string_view collector_of(Type<Interfaces>) { return "interfaces"; }
constexpr auto members_of(Type<Interfaces>, auto member) {
  return std::tuple(member("addresses", &Interfaces::addresses),
                    member("addresses_cut", &Interfaces::addresses_cut),
                    member("reverse_path_filters", &Interfaces::filters));
}

}  // namespace tcpdiag
