// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/setting_facts.h"

#include <algorithm>

#include "core/sysctls.h"
#include "core/utf8.h"

namespace tcpdiag {
namespace {

void add_evidence(Facts& facts, const Sysctl& sysctl) {
  const auto* spec = find_sysctl(sysctl.name);
  if (spec == nullptr) return;
  for (std::size_t i = 0; i < std::min(sysctl.values.size(), spec->fields.size()); ++i) {
    const auto field = spec->fields[i];
    facts.evidence.push_back(
        {std::string(sysctl.name) + (field.empty() ? "" : " (" + std::string(field) + ")"),
         static_cast<double>(sysctl.values[i]),
         std::string(spec->unit),
         {}});
  }
}

bool is_vendors(const std::string& file) {
  return file.starts_with("/usr/lib/") || file.starts_with("/lib/");
}

// Files are applied to the host's own namespace only.
void add_place(Facts& facts, const Window& window, std::string_view name) {
  if (window.netns().name != kHostNetns) {
    facts.values["container"] = "docker run, podman run; securityContext.sysctls in Kubernetes";
    return;
  }
  const auto config = window.latest(&Snapshot::config);
  if (!config) return;
  const auto* line = line_that_sets(**config, name);
  if (line == nullptr) {
    facts.values["searched"] = "sysctl.d and /etc/sysctl.conf";
  } else if (single_blanks(line->value) != facts.values["value"]) {
    facts.values["other_place"] = place_of(*line);
    facts.values["asked"] = one_line(single_blanks(line->value));
  } else {
    facts.values["place"] = place_of(*line);
    if (is_vendors(line->file)) {
      facts.values["vendor_place"] = place_of(*line);
    } else {
      facts.values["file"] = one_line(line->file);
      facts.values["line"] = std::to_string(line->line);
    }
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
  add_place(facts, window, name);
  return facts;
}

const SysctlLine* line_that_sets(const HostConfig& config, std::string_view name) {
  const auto last = std::find_if(config.sysctls.rbegin(), config.sysctls.rend(),
                                 [&](const SysctlLine& line) { return line.name == name; });
  return last == config.sysctls.rend() ? nullptr : &*last;
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
