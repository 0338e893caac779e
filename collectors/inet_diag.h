// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/address.h"
#include "core/facts/connections.h"
#include "core/result.h"

namespace tcpdiag {

/// What the kernel waits for at a socket (idiag_timer); other numbers are possible.
enum class DiagTimer : std::uint8_t { none, retransmit, keep_alive, time_wait, window_probe };

/// One TCP socket as sock_diag shows it (struct inet_diag_msg, include/uapi/linux/inet_diag.h).
struct DiagSocket {
  TcpState state = TcpState::close;
  IpAddress source, destination;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint32_t interface = 0;
  std::uint64_t cookie = 0;
  std::uint32_t receive_queue = 0;  ///< LISTEN: connections ready for accept(); otherwise unread bytes
  std::uint32_t send_queue = 0;     ///< LISTEN: the accept queue's limit; otherwise unacknowledged bytes
  std::uint32_t uid = 0;
  DiagTimer timer = DiagTimer::none;
  std::uint8_t retransmits = 0;  ///< how often that timer has fired since the last answer (idiag_retrans)
  std::uint32_t inode = 0;       ///< 0: no process holds it, or none has accepted it yet
  std::optional<std::uint32_t> drops;  ///< INET_DIAG_SKMEMINFO, if it was asked for
  std::optional<bool> v6_only;         ///< INET_DIAG_SKV6ONLY, which the kernel adds for IPv6 listeners
};

/// Reads one message of a dump. Errors: cut off, an unknown family or state, an attribute that does not fit
/// (malformed).
Result<DiagSocket> parse_inet_diag(std::span<const std::byte> payload);

/// How long ago the socket sent data last, or came into being if it never did (tcpi_last_data_sent of struct
/// tcp_info, include/uapi/linux/tcp.h), of one message of a dump that asked for it. Empty: it does not say.
std::optional<std::chrono::milliseconds> parse_last_data_sent(std::span<const std::byte> payload);
/// The same for data that it received (tcpi_last_data_recv).
std::optional<std::chrono::milliseconds> parse_last_data_received(std::span<const std::byte> payload);
/// The same for what it received at all (tcpi_last_ack_recv).
std::optional<std::chrono::milliseconds> parse_last_ack_received(std::span<const std::byte> payload);
/// How many bytes it has received in order (tcpi_bytes_received, Linux 4.1). Empty: it does not say.
std::optional<std::uint64_t> parse_bytes_received(std::span<const std::byte> payload);

}  // namespace tcpdiag
