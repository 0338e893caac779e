// SPDX-License-Identifier: Apache-2.0
#include "collectors/inet_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <cstring>

namespace tcpdiag {
namespace {

tl::unexpected<Error> malformed(const char* what) {
  return unexpected(Errc::malformed, std::string("sock_diag message: ") + what);
}

IpAddress to_address(bool v6, const __be32 (&words)[4]) {
  IpAddress address{.v6 = v6};
  std::memcpy(address.bytes.data(), words, v6 ? 16 : 4);
  return address;
}

Result<void> parse_attributes(std::span<const std::byte> bytes, DiagSocket& socket) {
  while (bytes.size() >= sizeof(rtattr)) {
    rtattr attribute{};
    std::memcpy(&attribute, bytes.data(), sizeof attribute);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > bytes.size())
      return malformed("an attribute's length does not fit");
    const auto value = bytes.subspan(sizeof attribute, attribute.rta_len - sizeof attribute);
    if (attribute.rta_type == INET_DIAG_SKMEMINFO) {
      constexpr std::size_t kOffset = SK_MEMINFO_DROPS * sizeof(std::uint32_t);
      std::uint32_t drops = 0;
      if (value.size() >= kOffset + sizeof drops) {  // kernels before 4.7 do not tell
        std::memcpy(&drops, value.data() + kOffset, sizeof drops);
        socket.drops = drops;
      }
    } else if (attribute.rta_type == INET_DIAG_SKV6ONLY && !value.empty()) {
      socket.v6_only = value.front() != std::byte{0};
    }
    bytes = bytes.subspan(std::min<std::size_t>(RTA_ALIGN(attribute.rta_len), bytes.size()));
  }
  if (!bytes.empty()) return malformed("an attribute is cut off");
  return {};
}

}  // namespace

Result<DiagSocket> parse_inet_diag(std::span<const std::byte> payload) {
  inet_diag_msg message{};
  if (payload.size() < sizeof message) return malformed("cut off");
  std::memcpy(&message, payload.data(), sizeof message);
  if (message.idiag_family != AF_INET && message.idiag_family != AF_INET6) return malformed("unknown family");
  if (message.idiag_state == 0 || message.idiag_state >= kTcpStates) return malformed("unknown TCP state");

  const bool v6 = message.idiag_family == AF_INET6;
  DiagSocket socket{.state = static_cast<TcpState>(message.idiag_state),
                    .source = to_address(v6, message.id.idiag_src),
                    .destination = to_address(v6, message.id.idiag_dst),
                    .source_port = ntohs(message.id.idiag_sport),
                    .destination_port = ntohs(message.id.idiag_dport),
                    .interface = message.id.idiag_if,
                    .cookie = std::uint64_t{message.id.idiag_cookie[1]} << 32 | message.id.idiag_cookie[0],
                    .receive_queue = message.idiag_rqueue,
                    .send_queue = message.idiag_wqueue,
                    .uid = message.idiag_uid,
                    .inode = message.idiag_inode};
  if (socket.state == TcpState::listen) {  // elsewhere the attributes tell nothing that we use
    if (auto parsed = parse_attributes(payload.subspan(sizeof message), socket); !parsed)
      return tl::unexpected<Error>(parsed.error());
  }
  return socket;
}

}  // namespace tcpdiag
