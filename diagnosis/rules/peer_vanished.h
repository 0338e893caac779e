// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "diagnosis/rule.h"

namespace tcpdiag {

/// How many segments were sent again within the window, at most, to peers of peer-vanished, some of which may
/// answer by now. 0 as well when the socket table is not known.
std::uint64_t sent_to_vanished(const Window& window, const Thresholds& t);

/// How long the kernel goes on to send again before it gives up, at least: net.ipv4.tcp_retries2 as
/// tcp_model_timeout() (net/ipv4/tcp_timer.c) counts it, from the shortest time to the longest between two.
std::chrono::seconds gives_up_after(std::int64_t retries);

/// The condition of peer-vanished.
Verdict peer_vanished(const Window& window, const Thresholds& t);

}  // namespace tcpdiag
