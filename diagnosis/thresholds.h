// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tcpdiag {

/// Where the rules draw their lines. Increases are over the rule's lookback.
struct Thresholds {
  // SYN queue
  std::uint64_t cookies_min = 5;          ///< SYN cookies sent before the SYN queue is worth a word
  double cookies_valid_burst = 0.6;       ///< share of cookies that come back from which it is real clients
  double cookies_valid_flood = 0.1;       ///< share up to which it is a flood
  std::uint64_t flood_cookies_min = 100;  ///< cookies sent before a flood is suspected
  std::uint64_t syn_drop_min = 5;         ///< SYNs dropped with cookies off
};

}  // namespace tcpdiag
