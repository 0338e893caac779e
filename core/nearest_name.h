// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace tcpdiag {

/// The fewest edits (insert, delete, replace, swap neighbours) that make one of the other.
std::size_t edits(std::string_view from, std::string_view to);

/// The known name that takes the fewest edits to reach from
/// `name`, the first of equals; empty when that is more than a third of the longer one's letters. Of a very
/// long name only the beginning is looked at.
std::string_view nearest_name(std::string_view name, std::span<const std::string> known);

}  // namespace tcpdiag
