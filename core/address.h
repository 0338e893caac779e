// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "core/describe.h"

namespace tcpdiag {

/// An IPv4 or IPv6 address in network byte order. IPv4 uses the first four bytes, the others are zero.
/// An IPv4-mapped IPv6 address (::ffff:a.b.c.d) stays IPv6, as the kernel's socket table has it.
struct IpAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const IpAddress&) const = default;

  /// The IPv4 address inside an IPv4-mapped one; any other address unchanged.
  [[nodiscard]] IpAddress unmapped() const;
};
constexpr auto members_of(Type<IpAddress>, auto member) {
  return std::tuple(member("v6", &IpAddress::v6), member("bytes", &IpAddress::bytes));
}

/// Where a socket listens. `interface` is the index of the device the socket is bound to
/// (SO_BINDTODEVICE), 0 when it is bound to none.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  std::uint32_t interface = 0;

  auto operator<=>(const Endpoint&) const = default;
};
constexpr auto members_of(Type<Endpoint>, auto member) {
  return std::tuple(member("address", &Endpoint::address), member("port", &Endpoint::port),
                    member("interface", &Endpoint::interface));
}

/// "127.0.0.1", "::1", "::ffff:10.0.0.1" (RFC 5952).
std::string to_string(const IpAddress& address);

/// The address an operator would write for the endpoint, without its port: "0.0.0.0", "::", and with the
/// interface's index as the zone when the socket is bound to a device: "0.0.0.0%2".
std::string address_label(const Endpoint& endpoint);

}  // namespace tcpdiag
