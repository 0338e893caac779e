// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tcpdiag {

/// Text for a cell of a table, which ends at a bar.
inline std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

inline std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

}  // namespace tcpdiag
