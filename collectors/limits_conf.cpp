// SPDX-License-Identifier: Apache-2.0
#include "collectors/limits_conf.h"

#include <algorithm>
#include <optional>

#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kMaxText = 64;  // of a domain or a value

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (auto& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lowered;
}

struct Fields {
  std::string_view domain, type, value;
};

/// The fields of a line about open files; empty: it is about something else.
std::optional<Fields> parse_fields(std::string_view line) {
  line = line.substr(0, line.find('#'));
  Fields fields;
  fields.domain = next_word(line);
  fields.type = next_word(line);
  const auto item = next_word(line);
  fields.value = next_word(line);
  if (lower(item) != "nofile" || fields.value.empty()) return std::nullopt;
  return fields;
}

bool is_limit(std::string_view value) {
  return value == "unlimited" || value == "infinity" || value == "-1" || to_number<std::uint64_t>(value);
}

bool is_type(std::string_view type) { return type == "soft" || type == "hard" || type == "-"; }

}  // namespace

LoginLimits parse_login_limits(const std::string& file, std::string_view text) {
  LoginLimits parsed;
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const auto fields = parse_fields(next_line(text));
    if (!fields) continue;
    const auto type = lower(fields->type);
    const auto shown = [](std::string_view field) { return std::string(field.substr(0, kMaxText)); };
    const bool taken = is_type(type) && is_limit(fields->value);
    if (taken && parsed.limits.size() < HostConfig::kMaxLogins)
      parsed.limits.push_back({shown(fields->domain), type, file, number, shown(fields->value)});
    else if (!taken && parsed.ignored.size() < HostConfig::kMaxIgnored)
      parsed.ignored.push_back({file, number, shown(fields->value), {}, IgnoredBecause::no_limit});
    else
      ++parsed.cut;
  }
  return parsed;
}

std::string only_login_limits(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    const auto whole = text;
    const auto line = next_line(text);
    if (parse_fields(line)) kept.append(line);
    if (whole.size() - text.size() > line.size()) kept += '\n';
  }
  return kept;
}

}  // namespace tcpdiag
