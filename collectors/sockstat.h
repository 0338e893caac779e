// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/source.h"
#include "core/facts/socket_usage.h"

namespace tcpdiag {

/// Parses the line "TCP:" of /proc/net/sockstat and the line "TCP6:" of /proc/net/sockstat6, whose words are
/// pairs of a name and a number. Names that we do not know are passed over; `sockstat6` is empty where the
/// kernel has no IPv6. The kernel counts memory in pages of `page_size` bytes.
Result<SocketUsage> parse_socket_usage(std::string_view sockstat, std::string_view sockstat6,
                                       std::uint64_t page_size);

/// The use of sockets in the source's namespace. Without IPv6 there is no sockstat6, which is no error.
Result<SocketUsage> read_socket_usage(Source& source);

}  // namespace tcpdiag
