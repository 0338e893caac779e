// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace tcpdiag {

/// Where a value of a JSON document stands: keys from its top on, in arrays the place: {"names", "0"}.
using JsonPath = std::span<const std::string>;

/// Shows the strings and whole numbers of a document one after the other, so that no tree of it is in memory.
/// False: it is not valid JSON (RFC 8259), or is nested deeper than 64 levels; what was shown until then is
/// not to be relied upon.
bool for_each_json_value(std::string_view document,
                         const std::function<void(JsonPath path, std::string_view text)>& show);

}  // namespace tcpdiag
