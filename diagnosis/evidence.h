// SPDX-License-Identifier: Apache-2.0
// How rules put the numbers they rest on into words.
#pragma once

#include <string_view>

#include "diagnosis/rule.h"

namespace tcpdiag {

/// Puts an increase over the window among the evidence and, as {value_name}, among the values.
void add_increase(Facts& facts, const Window& window, std::string_view name, std::string_view value_name,
                  double increase, std::string_view unit);

/// The same for a present reading.
void add_reading(Facts& facts, std::string_view name, std::string_view value_name, double reading,
                 std::string_view unit);

}  // namespace tcpdiag
