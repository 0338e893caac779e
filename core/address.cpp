// SPDX-License-Identifier: Apache-2.0
#include "core/address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace tcpdiag {

IpAddress IpAddress::unmapped() const {
  static constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!v6 || !std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin())) return *this;
  IpAddress v4;
  std::copy(bytes.begin() + kMappedPrefix.size(), bytes.end(), v4.bytes.begin());
  return v4;
}

std::string to_string(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
  return text;
}

std::string address_label(const Endpoint& endpoint) {
  auto text = to_string(endpoint.address);
  if (endpoint.interface != 0) text += "%" + std::to_string(endpoint.interface);
  return text;
}

}  // namespace tcpdiag
