// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "collectors/source.h"

namespace tcpdiag {

/// How far a netlink dump has come (man 7 netlink).
enum class DumpProgress { more, done };

/// Shows the payload of every message in one datagram of a dump. Messages of another sequence number belong
/// to an earlier, abandoned dump and are passed over. Errors: a datagram cut at any byte and lengths that lie
/// (malformed), NLMSG_ERROR and an error in NLMSG_DONE (as the errno says), NLMSG_OVERRUN (failed).
Result<DumpProgress> parse_dump(std::span<const std::byte> datagram, std::uint32_t sequence,
                                const Source::OnMessage& on_message);

}  // namespace tcpdiag
