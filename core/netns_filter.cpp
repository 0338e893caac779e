// SPDX-License-Identifier: Apache-2.0
#include "core/netns_filter.h"

#include <algorithm>

#include "core/snapshot.h"
#include "core/utf8.h"

namespace tcpdiag {

bool matches(std::string_view pattern, std::string_view text) {
  constexpr auto kNone = std::string_view::npos;
  std::size_t at = 0, in_text = 0, star = kNone, star_text = 0;
  while (in_text < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      star_text = in_text;
    } else if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == text[in_text])) {
      ++at;
      ++in_text;
    } else if (star != kNone) {  // the latest star takes one more; earlier ones need not be tried again
      at = star + 1;
      in_text = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == kNone;
}

bool is_netns_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestNetnsPattern && is_one_line(text) &&
         text.find_first_of("\"'`\\") == std::string_view::npos && !text.starts_with('/');
}

bool is_netns_pattern(std::string_view pattern) {
  return is_netns_name(pattern) && pattern.find_first_of("[]{}") == std::string_view::npos &&
         pattern != kHostNetns;
}

bool NetnsFilter::wants(std::string_view name) const {
  const auto is_meant = [&](const std::string& pattern) { return matches(pattern, name); };
  return (include.empty() || std::ranges::any_of(include, is_meant)) &&
         !std::ranges::any_of(exclude, is_meant);
}

}  // namespace tcpdiag
