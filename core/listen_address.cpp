// SPDX-License-Identifier: Apache-2.0
#include "core/listen_address.h"

#include <arpa/inet.h>

#include <string>

#include "core/text.h"

namespace tcpdiag {
namespace {

std::optional<IpAddress> parse_ip(const std::string& text, bool v6) {
  IpAddress address{.v6 = v6};
  if (inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

}  // namespace

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  // inet_pton reads up to a NUL: what stands behind one must not slip through
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  return parse_ip(std::string(text), text.find(':') != std::string_view::npos);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto refused = [&](const char* why) {
    return unexpected(Errc::malformed, "listen address '" + std::string(text) + "': " + why);
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return refused("no ':' before the port");
  const auto port = to_number<std::uint16_t>(text.substr(colon + 1));
  if (!port) return refused("the port is not a number from 0 to 65535");
  // inet_pton reads up to a NUL: what stands behind one must not slip through
  if (text.find('\0') != std::string_view::npos) return refused("not an IP address");

  const std::string host(text.substr(0, colon));
  if (host.empty()) return ListenAddress{std::nullopt, *port};
  if (host == "localhost") return ListenAddress{parse_ip("127.0.0.1", false), *port};
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find(':') != std::string::npos) return refused("an IPv6 address needs brackets");
  const auto address = bracketed ? parse_ip(host.substr(1, host.size() - 2), true) : parse_ip(host, false);
  if (!address) return refused("not an IP address");
  return ListenAddress{address, *port};
}

}  // namespace tcpdiag
