// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "core/utf8.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kMinColumns = 40;

/// ECMA-48, Select Graphic Rendition.
std::string_view code_of(Tone tone) {
  switch (tone) {
    case Tone::plain: return "";
    case Tone::heading: return "1";
    case Tone::good: return "32";
    case Tone::warning: return "33";
    case Tone::critical: return "1;31";
    case Tone::faint: return "2";
  }
  return "";
}

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

/// Bytes of the first so many characters.
std::size_t bytes_of(std::string_view text, std::size_t characters) {
  std::size_t end = 0;
  for (; characters != 0 && end < text.size(); --characters)
    end += std::max<std::size_t>(utf8_length(text.substr(end)), 1);
  return end;
}

}  // namespace

TextStyle style_for(const TextTarget& target) {
  if (!target.terminal) return {};
  const auto columns =
      target.columns == 0 ? kMaxColumns : std::clamp(target.columns, kMinColumns, kMaxColumns);
  return {.columns = columns, .colour = target.no_color.empty() && target.term != "dumb", .terminal = true};
}

TextStyle standard_output_style() {
  winsize size{};
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  if (terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) size.ws_col = 0;
  return style_for({.terminal = terminal,
                    .columns = size.ws_col,
                    .no_color = variable("NO_COLOR"),
                    .term = variable("TERM")});
}

std::string toned(std::string_view text, Tone tone, const TextStyle& style) {
  const auto code = code_of(tone);
  if (!style.colour || code.empty() || text.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string cut_to(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  return std::string(text.substr(0, bytes_of(text, columns - 1))) + "…";
}

std::string cut_middle_to(std::string_view text, std::size_t columns) {
  const auto whole = columns_of(text);
  if (whole <= columns) return std::string(text);
  if (columns == 0) return {};
  const auto tail = columns / 2;
  return std::string(text.substr(0, bytes_of(text, columns - 1 - tail))) + "…" +
         std::string(text.substr(bytes_of(text, whole - tail)));
}

}  // namespace tcpdiag
