// SPDX-License-Identifier: Apache-2.0
#include "collectors/inet_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace tcpdiag {
namespace {

tl::unexpected<Error> malformed(const char* what) {
  return unexpected(Errc::malformed, std::string("sock_diag message: ") + what);
}

// Before Linux 4.1 the kernel leaves anything behind an IPv4 address.
void store_address(bool v6, const __be32 (&words)[4], IpAddress& address) {
  address.v6 = v6;
  std::memcpy(address.bytes.data(), words, v6 ? 16 : 4);
}

// Calls `see` with the type and the value of every attribute.
template <class See>
Result<void> for_each_attribute(std::span<const std::byte> bytes, See see) {
  while (bytes.size() >= sizeof(rtattr)) {
    rtattr attribute{};
    std::memcpy(&attribute, bytes.data(), sizeof attribute);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > bytes.size())
      return malformed("an attribute's length does not fit");
    see(attribute.rta_type, bytes.subspan(sizeof attribute, attribute.rta_len - sizeof attribute));
    bytes = bytes.subspan(std::min<std::size_t>(RTA_ALIGN(attribute.rta_len), bytes.size()));
  }
  if (!bytes.empty()) return malformed("an attribute is cut off");
  return {};
}

// The number at that place of an attribute; kernels differ in how much they tell.
template <class Number = std::uint32_t>
std::optional<Number> number_at(std::span<const std::byte> value, std::size_t offset) {
  Number number = 0;
  if (value.size() < offset + sizeof number) return std::nullopt;
  std::memcpy(&number, value.data() + offset, sizeof number);
  return number;
}

Result<void> parse_attributes(std::span<const std::byte> bytes, DiagSocket& socket) {
  return for_each_attribute(bytes, [&](std::uint16_t type, std::span<const std::byte> value) {
    constexpr std::size_t kDrops = SK_MEMINFO_DROPS * sizeof(std::uint32_t);
    if (type == INET_DIAG_SKMEMINFO) {
      if (const auto drops = number_at(value, kDrops)) socket.drops = drops;  // from 4.7 on
    } else if (type == INET_DIAG_SKV6ONLY && !value.empty())
      socket.v6_only = value.front() != std::byte{0};
  });
}

Result<void> parse_message(std::span<const std::byte> payload, DiagSocket& socket) {
  inet_diag_msg message{};
  if (payload.size() < sizeof message) return malformed("cut off");
  std::memcpy(&message, payload.data(), sizeof message);
  if (message.idiag_family != AF_INET && message.idiag_family != AF_INET6) return malformed("unknown family");
  if (message.idiag_state == 0 || message.idiag_state >= kTcpStates) return malformed("unknown TCP state");

  const bool v6 = message.idiag_family == AF_INET6;
  socket.state = static_cast<TcpState>(message.idiag_state);
  store_address(v6, message.id.idiag_src, socket.source);
  store_address(v6, message.id.idiag_dst, socket.destination);
  socket.source_port = ntohs(message.id.idiag_sport);
  socket.destination_port = ntohs(message.id.idiag_dport);
  socket.interface = message.id.idiag_if;
  socket.cookie = std::uint64_t{message.id.idiag_cookie[1]} << 32 | message.id.idiag_cookie[0];
  socket.receive_queue = message.idiag_rqueue;
  socket.send_queue = message.idiag_wqueue;
  socket.uid = message.idiag_uid;
  socket.timer = static_cast<DiagTimer>(message.idiag_timer);
  socket.retransmits = message.idiag_retrans;
  socket.inode = message.idiag_inode;
  // In other states the attributes tell nothing that we use.
  if (socket.state != TcpState::listen) return {};
  return parse_attributes(payload.subspan(sizeof message), socket);
}

// What is at that place of struct tcp_info.
template <class Number>
std::optional<Number> parse_tcp_info(std::span<const std::byte> payload, std::size_t offset) {
  if (payload.size() < sizeof(inet_diag_msg)) return std::nullopt;
  std::optional<Number> number;
  const auto parsed = for_each_attribute(payload.subspan(sizeof(inet_diag_msg)), [&](auto type, auto value) {
    if (type == INET_DIAG_INFO) number = number_at<Number>(value, offset);
  });
  return parsed ? number : std::nullopt;
}

std::optional<std::chrono::milliseconds> parse_milliseconds(std::span<const std::byte> payload,
                                                            std::size_t offset) {
  const auto ago = parse_tcp_info<std::uint32_t>(payload, offset);
  return ago ? std::optional(std::chrono::milliseconds(*ago)) : std::nullopt;
}

}  // namespace

Result<DiagSocket> parse_inet_diag(std::span<const std::byte> payload) {
  Result<DiagSocket> socket;  // filled where it is returned: a dump may show a million of them
  if (auto parsed = parse_message(payload, *socket); !parsed) socket = tl::unexpected<Error>(parsed.error());
  return socket;
}

std::optional<std::chrono::milliseconds> parse_last_data_sent(std::span<const std::byte> payload) {
  return parse_milliseconds(payload, offsetof(tcp_info, tcpi_last_data_sent));
}

std::optional<std::chrono::milliseconds> parse_last_data_received(std::span<const std::byte> payload) {
  return parse_milliseconds(payload, offsetof(tcp_info, tcpi_last_data_recv));
}

std::optional<std::chrono::milliseconds> parse_last_ack_received(std::span<const std::byte> payload) {
  return parse_milliseconds(payload, offsetof(tcp_info, tcpi_last_ack_recv));
}

std::optional<std::uint64_t> parse_bytes_received(std::span<const std::byte> payload) {
  return parse_tcp_info<std::uint64_t>(payload, offsetof(tcp_info, tcpi_bytes_received));
}

}  // namespace tcpdiag
