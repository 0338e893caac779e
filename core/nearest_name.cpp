// SPDX-License-Identifier: Apache-2.0
#include "core/nearest_name.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace tcpdiag {

std::size_t edits(std::string_view from, std::string_view to) {
  // rows of the distance table: the one being filled and the two before it
  std::vector<std::size_t> two_before, before(to.size() + 1), row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) before[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replace = before[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        row[j] = std::min(row[j], two_before[j - 2] + 1);
    }
    two_before = before;
    before = row;
  }
  return before[to.size()];
}

std::string_view nearest_name(std::string_view name, std::span<const std::string> known) {
  constexpr std::size_t kLongestName = 64;
  name = name.substr(0, kLongestName);
  std::string_view nearest;
  auto fewest = std::numeric_limits<std::size_t>::max();
  for (const auto& candidate : known) {
    const auto distance = edits(name, candidate);
    if (distance * 3 <= std::max(name.size(), candidate.size()) && distance < fewest) {
      fewest = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace tcpdiag
