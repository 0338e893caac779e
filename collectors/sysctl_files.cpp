// SPDX-License-Identifier: Apache-2.0
#include "collectors/sysctl_files.h"

#include <algorithm>
#include <optional>

#include "core/text.h"

namespace tcpdiag {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\f\v";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

struct Assignment {
  std::string_view name, value;
};

std::optional<Assignment> parse_assignment(std::string_view line) {
  line = trimmed(line);
  if (line.empty() || line.front() == '#' || line.front() == ';') return std::nullopt;
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;  // "-name": only keeps a glob from it
  auto name = line.substr(0, equals);
  if (name.starts_with('-')) name.remove_prefix(1);
  name = trimmed(name);
  if (name.find_first_not_of("./") == std::string_view::npos) return std::nullopt;
  return Assignment{name, trimmed(line.substr(equals + 1))};
}

std::string swapped(std::string_view name) {
  std::string swapped(name);
  for (auto& c : swapped) c = c == '.' ? '/' : c == '/' ? '.' : c;
  return swapped;
}

std::string dotted(std::string_view name) {
  const auto first = name.find_first_of("./");
  if (first == std::string_view::npos || name[first] == '.') return std::string(name);
  name.remove_prefix(std::min(name.find_first_not_of('/'), name.size()));
  return swapped(name);
}

bool is_secret(std::string_view name) {
  return name.ends_with("tcp_fastopen_key") || name.ends_with("stable_secret");
}

}  // namespace

SysctlFile parse_sysctl_file(const std::string& file, std::string_view text, std::size_t most) {
  SysctlFile parsed;
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const auto assignment = parse_assignment(next_line(text));
    if (!assignment) continue;
    const auto value = is_secret(assignment->name) ? kHiddenValue : assignment->value;
    const auto longest = std::max(assignment->name.size(), value.size());
    if (parsed.lines.size() == most || longest > kMaxSysctlText) {
      ++parsed.cut;
      continue;
    }
    parsed.lines.push_back({.file = file,
                            .line = number,
                            .name = dotted(assignment->name),
                            .value = std::string(value),
                            .exists = std::nullopt});
  }
  return parsed;
}

std::string sysctl_path(std::string_view name) { return swapped(name); }

std::string without_secrets(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const auto whole = text;
    const auto line = next_line(text);
    const auto assignment = parse_assignment(line);
    if (assignment && is_secret(assignment->name))
      shown.append(line.substr(0, line.find('=') + 1)).append(kHiddenValue);
    else
      shown.append(line);
    if (whole.size() - text.size() > line.size()) shown += '\n';
  }
  return shown;
}

}  // namespace tcpdiag
