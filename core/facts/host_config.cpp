// SPDX-License-Identifier: Apache-2.0
#include "core/facts/host_config.h"

#include <array>

namespace tcpdiag {

std::string_view to_string(IgnoredBecause because) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "no_assignment", "no_limit", "soft_above_hard", "empty_limit", "wrong_section", "misspelt_limit"};
  return kNames.at(static_cast<std::size_t>(because));
}

}  // namespace tcpdiag
