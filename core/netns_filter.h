// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tcpdiag {

/// Whether the pattern is the whole of `text`: `*` stands for any bytes, none and slashes included, `?` for
/// any one byte, all else for itself. Takes at most the product of both lengths.
bool matches(std::string_view pattern, std::string_view text);

/// Whether a namespace could be called so: 1 to kLongestNetnsPattern bytes on one line, not a path, without
/// the characters that no name has (quotes, backslashes).
bool is_netns_name(std::string_view text);

/// The same of a pattern in the configuration, which has no characters that mean something in the patterns of
/// a shell and nothing here (brackets, braces), and is not the name of the daemon's own namespace.
bool is_netns_pattern(std::string_view pattern);
inline constexpr std::size_t kLongestNetnsPattern = 128;

/// Which of the namespaces that are found are looked into, by the names that people see. The daemon's own is
/// in any case.
struct NetnsFilter {
  std::vector<std::string> include;  ///< patterns; empty: all
  std::vector<std::string> exclude;  ///< patterns; they prevail

  [[nodiscard]] bool wants(std::string_view name) const;
  bool operator==(const NetnsFilter&) const = default;
};

}  // namespace tcpdiag
