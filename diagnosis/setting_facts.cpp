// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/setting_facts.h"

#include <fnmatch.h>

#include <algorithm>

#include "core/ephemeral_ports.h"
#include "core/utf8.h"
#include "diagnosis/container_settings.h"
#include "diagnosis/entry.h"
#include "diagnosis/evidence.h"

namespace tcpdiag {
namespace {

void add_evidence(Facts& facts, const Sysctl& sysctl) {
  const auto* spec = find_sysctl(sysctl.name);
  if (spec == nullptr) return;
  for (std::size_t i = 0; i < std::min(sysctl.values.size(), spec->fields.size()); ++i) {
    const auto field = spec->fields[i];
    add_reading(facts, std::string(sysctl.name) + (field.empty() ? "" : " (" + std::string(field) + ")"),
                sysctl.values[i], std::string(spec->unit));
  }
}

bool is_vendors(const std::string& file) {
  return file.starts_with("/usr/lib/") || file.starts_with("/lib/");
}

bool is_pattern(std::string_view name) { return name.find_first_of("*?[") != std::string_view::npos; }

bool fits(const std::string& pattern, std::string_view name) {
  constexpr int kAsPaths = FNM_PATHNAME | FNM_PERIOD;
  return ::fnmatch(sysctl_path(pattern).c_str(), sysctl_path(name).c_str(), kAsPaths) == 0;
}

// Where nothing that is applied at boot sets it.
std::string searched_in_vain(const HostConfig& config, std::string_view name) {
  const bool not_applied = std::ranges::any_of(
      config.sysctls, [&](const SysctlLine& line) { return !line.at_boot && line.name == name; });
  return not_applied ? "the files that are applied at boot" : "sysctl.d and /etc/sysctl.conf";
}

// Files are applied to the host's own namespace only.
void add_place(Facts& facts, const Window& window, const Settings& settings, const Sysctl& now) {
  if (window.netns().name != kHostNetns) {
    const auto* found = found_as(window.newest(), window.netns());
    if (found == nullptr || !can_last(*found))
      facts.values["container"] = "docker run, podman run; securityContext.sysctls in Kubernetes";
    return;
  }
  const auto config = window.latest(&Snapshot::config);
  if (!config) return;
  const auto* line = line_that_sets(**config, now.name);
  const auto then = line == nullptr ? std::nullopt : after_line(settings, now, *line);
  if (!then) {
    facts.values["searched"] = searched_in_vain(**config, now.name);
    return;
  }
  if (!same_value(now, *then)) {
    facts.values["other_place"] = place_of(*line);
    facts.values["asked"] = one_line(single_blanks(then->text));
    return;
  }
  facts.values["place"] = place_of(*line);
  if (is_vendors(line->file)) {
    facts.values["vendor_place"] = place_of(*line);
  } else if (is_pattern(line->name)) {
    facts.values["pattern_place"] = place_of(*line);
  } else {
    facts.values["file"] = one_line(line->file);
    facts.values["line"] = std::to_string(line->line);
  }
}

}  // namespace

Result<std::optional<std::int64_t>> number_if_any(const Window& window, std::string_view name,
                                                  std::size_t field) {
  const auto settings = window.latest(&NetnsView::settings);
  if (!settings) return tl::unexpected<Error>(settings.error());
  const auto number = window.setting(name, field);
  if (number) return *number;
  if (number.error().code == Errc::missing && (*settings)->find(name) == nullptr &&
      std::ranges::find((*settings)->unread, name, &UnreadSysctl::name) == (*settings)->unread.end())
    return std::nullopt;
  return tl::unexpected<Error>(number.error());
}

Facts setting_facts(const Window& window, std::string_view name, const std::string& wanted) {
  Facts facts{.subject = {.kind = SubjectKind::setting, .name = std::string(name)}};
  facts.values["wanted"] = wanted;
  const auto settings = window.latest(&NetnsView::settings);
  const auto* sysctl = settings ? (*settings)->find(name) : nullptr;
  if (sysctl == nullptr) return facts;
  facts.values["value"] = single_blanks(sysctl->text);
  add_evidence(facts, *sysctl);
  add_place(facts, window, **settings, *sysctl);
  return facts;
}

const SysctlLine* line_that_sets(const HostConfig& config, std::string_view name) {
  const SysctlLine* by_pattern = nullptr;
  for (auto line = config.sysctls.rbegin(); line != config.sysctls.rend(); ++line) {
    if (!line->at_boot) continue;
    if (line->name == name) return line->excludes ? nullptr : &*line;
    if (by_pattern == nullptr && !line->excludes && is_pattern(line->name) && fits(line->name, name))
      by_pattern = &*line;
  }
  return by_pattern;
}

SysctlBounds bounds_of(const Settings& settings, const SysctlSpec& spec) {
  const bool since_5_14 = settings.find("net.ipv4.tcp_migrate_req") != nullptr;
  return spec.bounds.since_5_14 && !since_5_14 ? SysctlBounds{} : spec.bounds;
}

std::optional<Sysctl> after_line(const Settings& settings, const Sysctl& now, const SysctlLine& line) {
  const auto* spec = find_sysctl(now.name);
  auto taken = spec == nullptr ? std::nullopt : taken_value(*spec, line.value);
  if (!taken) return std::nullopt;
  if (spec->form != SysctlForm::numbers) return Sysctl{now.name, std::move(taken->numbers), taken->text};
  Sysctl then{.name = now.name, .values = now.values, .text = {}};
  then.values.resize(std::max(now.values.size(), taken->numbers.size()));
  std::ranges::copy(taken->numbers, then.values.begin());
  if (first_out_of_bounds(bounds_of(settings, *spec), then.values) < then.values.size()) return std::nullopt;
  for (const auto value : then.values) then.text += (then.text.empty() ? "" : "\t") + std::to_string(value);
  return then;
}

bool same_value(const Sysctl& one, const Sysctl& other) {
  const auto* spec = find_sysctl(one.name);
  if (spec == nullptr || spec->form == SysctlForm::word) return one.text == other.text;
  if (spec->form == SysctlForm::numbers) return one.values == other.values;
  return parse_port_list(one.text) == parse_port_list(other.text);
}

std::string single_blanks(std::string_view value) {
  std::string result;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank)
      result += c;
    else if (!result.empty() && result.back() != ' ')
      result += ' ';
  }
  if (result.ends_with(' ')) result.pop_back();
  return result;
}

std::string place_of(const SysctlLine& line) { return one_line(line.file) + ":" + std::to_string(line.line); }

}  // namespace tcpdiag
