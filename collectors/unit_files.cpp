// SPDX-License-Identifier: Apache-2.0
#include "collectors/unit_files.h"

#include <algorithm>

#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kOfUnit = "LimitNOFILE";
constexpr std::string_view kDefault = "DefaultLimitNOFILE";
constexpr std::string_view kSpace = " \t\r";

bool is_comment(std::string_view line) {
  const auto begin = line.find_first_not_of(kSpace);
  return begin != std::string_view::npos && (line[begin] == '#' || line[begin] == ';');
}

/// Whether the line goes on in the next one: its last backslash is not itself escaped.
bool goes_on(std::string_view line) {
  const auto last = line.find_last_not_of('\\');
  const auto backslashes = line.size() - (last == std::string_view::npos ? 0 : last + 1);
  return backslashes % 2 == 1;
}

/// A line as systemd understands it: one or more of the file.
struct LogicalLine {
  std::uint32_t number = 0;    // of its first line
  std::uint32_t newlines = 0;  // that it holds
  std::string text;            // joined; empty for a comment
  std::string_view written;    // as in the file
};

/// Takes the first logical line off `text`; `number` is the number of its first line.
LogicalLine take_line(std::string_view& text, std::uint32_t number) {
  const auto begin = text;
  LogicalLine line{.number = number};
  for (bool more = true; more && !text.empty();) {
    const auto before = text.size();
    auto part = next_line(text);
    if (before - text.size() > part.size()) ++line.newlines;
    if (is_comment(part)) {
      more = !line.text.empty();  // a comment inside a line that goes on is passed over
      continue;
    }
    if (part.ends_with('\r')) part.remove_suffix(1);
    more = goes_on(part);
    if (more) part.remove_suffix(1);
    line.text.append(part);
    if (more) line.text += ' ';
  }
  line.written = begin.substr(0, begin.size() - text.size());
  return line;
}

/// Calls `visit` with every logical line.
template <class Visit>
void each_line(std::string_view text, Visit visit) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  for (std::uint32_t number = 1; !text.empty();) {
    const auto line = take_line(text, number);
    number += line.newlines;
    visit(line);
  }
}

bool is_section(std::string_view line) { return trimmed(line, kSpace).starts_with('['); }

std::optional<std::string_view> setting_value(std::string_view line, std::string_view setting) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos || trimmed(line.substr(0, equals), kSpace) != setting)
    return std::nullopt;
  return trimmed(line.substr(equals + 1), kSpace);
}

std::vector<FileLimitSetting> settings_in(std::string_view section, std::string_view setting,
                                          std::string_view text) {
  bool inside = false;
  std::vector<FileLimitSetting> settings;
  each_line(text, [&](const LogicalLine& line) {
    if (is_section(line.text)) inside = trimmed(line.text, kSpace) == section;
    if (const auto value = inside ? setting_value(line.text, setting) : std::nullopt)
      settings.push_back({.line = line.number, .value = std::string(*value)});
  });
  return settings;
}

/// "service" of "a@1.service".
std::string_view type_of(std::string_view unit) {
  const auto dot = unit.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : unit.substr(dot + 1);
}

/// "[Service]"
std::string own_section(std::string_view unit) {
  std::string type(type_of(unit));
  if (!type.empty() && type.front() >= 'a' && type.front() <= 'z')
    type.front() = static_cast<char>(type.front() - 'a' + 'A');
  return "[" + type + "]";
}

}  // namespace

std::vector<FileLimitSetting> parse_file_limits(std::string_view unit, std::string_view text) {
  return settings_in(own_section(unit), kOfUnit, text);
}

std::vector<FileLimitSetting> parse_default_file_limits(std::string_view text) {
  return settings_in("[Manager]", kDefault, text);
}

std::string only_file_limits(std::string_view text) {
  std::string kept;
  each_line(text, [&](const LogicalLine& line) {
    if (is_section(line.text) || setting_value(line.text, kOfUnit) || setting_value(line.text, kDefault))
      kept.append(line.written);
    else
      kept.append(line.newlines, '\n');
  });
  return kept;
}

std::vector<std::string> unit_file_names(std::string_view unit) {
  std::vector<std::string> names = {std::string(unit)};
  const auto at = unit.find('@');
  const auto dot = unit.rfind('.');
  if (at != std::string_view::npos && dot != std::string_view::npos && at + 1 < dot)
    names.push_back(std::string(unit.substr(0, at + 1)) + std::string(unit.substr(dot)));
  return names;
}

std::vector<std::string> drop_in_directory_names(std::string_view unit) {
  std::vector<std::string> names;
  const auto prefix_end = std::min(unit.find('@'), unit.rfind('.'));
  if (prefix_end == std::string_view::npos) return names;
  const auto rest = std::string(unit.substr(prefix_end));
  constexpr std::size_t kMaxPrefixes = 16;
  auto prefix = unit.substr(0, prefix_end);
  for (std::size_t count = 0; count < kMaxPrefixes; ++count) {
    for (const auto& name : unit_file_names(std::string(prefix) + rest)) names.push_back(name + ".d");
    const auto end = prefix.find_last_not_of('-');  // "a-b-" goes on with "a-"
    const auto dash = end == std::string_view::npos ? end : prefix.rfind('-', end);
    if (dash == std::string_view::npos) break;
    prefix = prefix.substr(0, dash + 1);
  }
  return names;
}

}  // namespace tcpdiag
