// SPDX-License-Identifier: Apache-2.0
#include "collectors/unit_files.h"

#include <algorithm>
#include <cctype>

#include "core/file_limit.h"
#include "core/nearest_name.h"
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

struct Assignment {
  std::string_view key, value;
};
std::optional<Assignment> assignment_in(std::string_view line) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos || is_section(line)) return std::nullopt;
  return Assignment{trimmed(line.substr(0, equals), kSpace), trimmed(line.substr(equals + 1), kSpace)};
}

// Whether the key is no setting of systemd's but nearly this one: the others that begin with "Limit" differ
// by more.
bool is_misspelt(std::string_view key, std::string_view setting) {
  constexpr std::size_t kTypos = 2;
  if (key == kOfUnit || key == kDefault || key.starts_with("X-")) return false;
  if (key.size() > setting.size() + kTypos || key.size() + kTypos < setting.size()) return false;
  const auto small = [](std::string_view text) {
    std::string letters(text);
    std::ranges::transform(letters, letters.begin(),
                           [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return letters;
  };
  return edits(small(key), small(setting)) <= kTypos;
}

std::vector<FileLimitSetting> settings_in(std::string_view section, std::string_view setting,
                                          std::string_view text) {
  bool inside = false, for_others = false;
  std::vector<FileLimitSetting> settings;
  each_line(text, [&](const LogicalLine& line) {
    if (is_section(line.text)) {
      inside = trimmed(line.text, kSpace) == section;
      for_others = trimmed(line.text, kSpace).starts_with("[X-");
    }
    const auto assignment = for_others ? std::nullopt : assignment_in(line.text);
    if (!assignment) return;
    FileLimitSetting found{.line = line.number, .value = std::string(assignment->value), .because = {}};
    if (inside && is_misspelt(assignment->key, setting)) {
      found.value = std::string(assignment->key) + "=" + found.value;
      found.because = IgnoredBecause::misspelt_limit;
    } else if (assignment->key != setting)
      return;
    else if (!inside)
      found.because = IgnoredBecause::wrong_section;
    settings.push_back(std::move(found));
  });
  return settings;
}

}  // namespace

std::vector<FileLimitSetting> parse_file_limits(std::string_view unit, std::string_view text) {
  return settings_in(unit_section(unit), kOfUnit, text);
}

std::vector<FileLimitSetting> parse_default_file_limits(std::string_view text) {
  return settings_in(unit_section({}), kDefault, text);
}

std::string only_file_limits(std::string_view text) {
  std::string kept;
  each_line(text, [&](const LogicalLine& line) {
    const auto assignment = assignment_in(line.text);
    const bool is_limit =
        assignment && (assignment->key == kOfUnit || assignment->key == kDefault ||
                       is_misspelt(assignment->key, kOfUnit) || is_misspelt(assignment->key, kDefault));
    if (is_section(line.text) || is_limit)
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
