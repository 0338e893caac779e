// SPDX-License-Identifier: Apache-2.0
#include "collectors/sysctl_files.h"

#include <algorithm>
#include <optional>

#include "core/sysctls.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kSpace = " \t\r\f\v";

struct Assignment {
  std::string_view name, value;
  bool excludes = false;
};

bool is_comment(std::string_view line) { return line.empty() || line.front() == '#' || line.front() == ';'; }

/// Empty: the line, which is trimmed and no comment, is no assignment.
std::optional<Assignment> parse_assignment(std::string_view line) {
  const auto equals = line.find('=');
  const bool excludes = equals == std::string_view::npos;
  if (excludes && !line.starts_with('-')) return std::nullopt;
  auto name = line.substr(0, equals);
  if (name.starts_with('-')) name.remove_prefix(1);
  name = trimmed(name, kSpace);
  if (name.find_first_not_of("./") == std::string_view::npos) return std::nullopt;
  return Assignment{name, excludes ? std::string_view() : trimmed(line.substr(equals + 1), kSpace), excludes};
}

std::string dotted(std::string_view name) {
  const auto first = name.find_first_of("./");
  if (first == std::string_view::npos || name[first] == '.') return std::string(name);
  name.remove_prefix(std::min(name.find_first_not_of('/'), name.size()));
  return sysctl_path(name);  // the way back is the same
}

constexpr std::string_view kSecrets[] = {"tcp_fastopen_key", "stable_secret"};

bool is_secret(std::string_view name) {
  return std::ranges::any_of(kSecrets, [&](std::string_view secret) { return name.ends_with(secret); });
}

bool names_secret(std::string_view line) {
  return std::ranges::any_of(
      kSecrets, [&](std::string_view secret) { return line.find(secret) != std::string_view::npos; });
}

IgnoredLine ignored_line(const std::string& file, std::uint32_t number, std::string_view line) {
  const auto shown = names_secret(line) ? kHiddenValue : line.substr(0, IgnoredLine::kMaxText);
  return {.file = file,
          .line = number,
          .text = std::string(shown),
          .unit = {},
          .because = IgnoredBecause::no_assignment};
}

void add_ignored(SysctlFile& parsed, IgnoredLine line) {
  if (parsed.ignored.size() < HostConfig::kMaxIgnored)
    parsed.ignored.push_back(std::move(line));
  else
    ++parsed.cut;
}

}  // namespace

SysctlFile parse_sysctl_file(const std::string& file, std::string_view text, std::size_t most) {
  SysctlFile parsed;
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const auto line = trimmed(next_line(text), kSpace);
    if (is_comment(line)) continue;
    const auto assignment = parse_assignment(line);
    if (!assignment) {
      add_ignored(parsed, ignored_line(file, number, line));
      continue;
    }
    const auto value = is_secret(assignment->name) ? kHiddenValue : assignment->value;
    if (parsed.lines.size() == most || std::max(assignment->name.size(), value.size()) > kMaxSysctlText) {
      ++parsed.cut;
      continue;
    }
    parsed.lines.push_back({.file = file,
                            .line = number,
                            .name = dotted(assignment->name),
                            .value = std::string(value),
                            .exists = std::nullopt,
                            .excludes = assignment->excludes});
  }
  return parsed;
}

std::string without_secrets(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const auto whole = text;
    const auto line = next_line(text);
    const auto begin = trimmed(line, kSpace);
    const auto assignment = is_comment(begin) ? std::nullopt : parse_assignment(begin);
    if (assignment && is_secret(assignment->name) && !assignment->excludes)
      shown.append(line.substr(0, line.find('=') + 1)).append(kHiddenValue);
    else if (!assignment && !is_comment(begin) && names_secret(begin))
      shown.append(kHiddenValue);
    else
      shown.append(line);
    if (whole.size() - text.size() > line.size()) shown += '\n';
  }
  return shown;
}

}  // namespace tcpdiag
