// SPDX-License-Identifier: Apache-2.0
// sock_diag messages as the kernel makes them, for tests.
#pragma once

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>

#include <array>
#include <cstring>
#include <span>
#include <string>

#include "collectors/inet_diag.h"

namespace tcpdiag {

/// The address that the text says; IPv6 when there is a colon in it.
inline IpAddress address(const std::string& text) {
  IpAddress address{.v6 = text.find(':') != std::string::npos};
  if (inet_pton(address.v6 ? AF_INET6 : AF_INET, text.c_str(), address.bytes.data()) != 1)
    throw std::invalid_argument(text);
  return address;
}

template <class T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

inline std::string padded(std::string bytes) {
  bytes.resize((bytes.size() + 3) / 4 * 4, '\0');
  return bytes;
}

inline std::string attribute(int type, const std::string& value) {
  const rtattr header{.rta_len = static_cast<unsigned short>(sizeof header + value.size()),
                      .rta_type = static_cast<unsigned short>(type)};
  return padded(bytes_of(header) + value);
}

/// INET_DIAG_SKMEMINFO with that many drops, as kernels since 4.7 make it.
inline std::string socket_memory(std::uint32_t drops) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> values{};
  values[SK_MEMINFO_DROPS] = drops;
  return attribute(INET_DIAG_SKMEMINFO, bytes_of(values));
}

/// INET_DIAG_INFO of a connection on which data went so many milliseconds ago and so many bytes came in all;
/// without them as a kernel before 4.1 makes it.
inline std::string activity(std::uint32_t since_sent, std::uint32_t since_received,
                            std::optional<std::uint64_t> bytes_received = std::nullopt) {
  constexpr std::size_t kBytesReceived = 128;  // behind what the C library knows of struct tcp_info
  tcp_info info{};
  info.tcpi_last_data_sent = since_sent;
  info.tcpi_last_data_recv = info.tcpi_last_ack_recv = since_received;
  auto value = std::string(bytes_of(info));
  if (bytes_received) {
    value.resize(kBytesReceived);
    value += bytes_of(*bytes_received);
  }
  return attribute(INET_DIAG_INFO, value);
}

/// struct inet_diag_msg and the attributes that belong to what is set in `socket`.
inline std::string to_message(const DiagSocket& socket) {
  inet_diag_msg message{};
  message.idiag_family = socket.source.v6 ? AF_INET6 : AF_INET;
  message.idiag_state = static_cast<std::uint8_t>(socket.state);
  message.id.idiag_sport = htons(socket.source_port);
  message.id.idiag_dport = htons(socket.destination_port);
  std::memcpy(message.id.idiag_src, socket.source.bytes.data(), 16);
  std::memcpy(message.id.idiag_dst, socket.destination.bytes.data(), 16);
  message.id.idiag_if = socket.interface;
  message.id.idiag_cookie[0] = static_cast<std::uint32_t>(socket.cookie);
  message.id.idiag_cookie[1] = static_cast<std::uint32_t>(socket.cookie >> 32);
  message.idiag_rqueue = socket.receive_queue;
  message.idiag_wqueue = socket.send_queue;
  message.idiag_uid = socket.uid;
  message.idiag_timer = static_cast<std::uint8_t>(socket.timer);
  message.idiag_retrans = socket.retransmits;
  message.idiag_inode = socket.inode;
  auto bytes = bytes_of(message);
  if (socket.v6_only) bytes += attribute(INET_DIAG_SKV6ONLY, std::string(1, *socket.v6_only ? '\1' : '\0'));
  if (socket.drops) bytes += socket_memory(*socket.drops);
  return bytes;
}

/// One netlink message around a payload.
inline std::string netlink_message(int type, std::uint32_t sequence, const std::string& payload) {
  const nlmsghdr header{.nlmsg_len = static_cast<std::uint32_t>(sizeof header + payload.size()),
                        .nlmsg_type = static_cast<std::uint16_t>(type),
                        .nlmsg_flags = NLM_F_MULTI,
                        .nlmsg_seq = sequence};
  return padded(bytes_of(header) + payload);
}

inline std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace tcpdiag
