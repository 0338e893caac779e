// SPDX-License-Identifier: Apache-2.0
#include "daemon/nearest_name.h"

#include "daemon/option_value.h"

namespace tcpdiag {

std::string did_you_mean(std::string_view name, std::span<const std::string> known) {
  const auto nearest = nearest_name(name, known);
  if (!nearest.empty()) return "; did you mean " + quote(nearest) + "?";
  std::string allowed;
  for (const auto& candidate : known) allowed += (allowed.empty() ? "; allowed: " : ", ") + candidate;
  return allowed;
}

}  // namespace tcpdiag
