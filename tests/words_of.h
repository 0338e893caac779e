// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <regex>
#include <set>
#include <string>

namespace tcpdiag {

/// What the template `text` refers to as {name}, {name*}, {?name} or {name:one|many}; what a backslash makes
/// an ordinary brace is left out.
inline std::set<std::string> names_in(const std::string& text) {
  static const std::regex kName(R"re((\\.)|\{\??([^}:*]*)[^}]*\})re");
  std::set<std::string> names;
  for (std::sregex_iterator match(text.begin(), text.end(), kName), none; match != none; ++match)
    if (!(*match)[1].matched) names.insert((*match)[2].str());
  return names;
}

}  // namespace tcpdiag
