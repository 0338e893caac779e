// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/nearest_name.h"

namespace tcpdiag {

/// The end of a line about a name that is not known: `; did you mean "cpu_budget"?`, or `; allowed: ` and
/// all known names when none is near.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);

}  // namespace tcpdiag
