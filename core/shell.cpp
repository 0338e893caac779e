// SPDX-License-Identifier: Apache-2.0
#include "core/shell.h"

#include "core/utf8.h"

namespace tcpdiag {

bool is_plain_in_shell(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+=,-";
  return text.find_first_not_of(kPlain) == std::string_view::npos;
}

std::optional<std::string> shell_quoted(std::string_view text) {
  if (one_line(text) != text) return std::nullopt;
  if (!text.empty() && is_plain_in_shell(text)) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string(R"('\'')") : std::string(1, c);
  return quoted + "'";
}

}  // namespace tcpdiag
