// SPDX-License-Identifier: Apache-2.0
#include "cli/sysctl.h"

#include <algorithm>

#include "cli/paragraph.h"
#include "cli/sample.h"
#include "cli/table.h"
#include "core/sysctls.h"
#include "daemon/incident_book.h"
#include "diagnosis/catalog.h"
#include "diagnosis/setting_facts.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kIndent = 4;  // of what stands below a setting

bool is_open_about(const Incident& incident, const SysctlSpec& spec, const NetnsView& netns) {
  const auto& finding = incident.finding;
  const bool here = finding.netns.empty() ? netns.name == kHostNetns : finding.netns == netns.name;
  return incident.is_open() && here && finding.subject.kind == SubjectKind::setting &&
         finding.subject.name == spec.name;
}

Tone tone_of(const Report& report, const SysctlSpec& spec, const NetnsView& netns) {
  for (const auto& incident : report.incidents)
    if (is_open_about(incident, spec, netns))
      return incident.finding.severity == Severity::info ? Tone::heading : Tone::warning;
  return Tone::plain;
}

/// "4096 131072 6291456", "none" for an empty list, "?" for one that could not be read.
std::string value_text(const Sysctl* sysctl) {
  if (sysctl == nullptr) return "?";
  auto text = sysctl->text;
  std::ranges::replace(text, '\t', ' ');
  return text.empty() ? "none" : text;
}

std::string error_of(const Settings& settings, std::string_view name) {
  const auto unread = std::ranges::find(settings.unread, name, &UnreadSysctl::name);
  return unread == settings.unread.end() ? "" : unread->error.detail;
}

/// "min, default, max. " for a sysctl of several numbers.
std::string fields_text(const SysctlSpec& spec) {
  if (spec.fields.size() < 2) return {};
  std::string text;
  for (const auto field : spec.fields) text += (text.empty() ? "" : ", ") + std::string(field);
  return text + ". ";
}

/// Which line sets it at boot; files are for the host's own namespace.
std::string place_text(const Snapshot& snapshot, const NetnsView& netns, const SysctlSpec& spec,
                       const Sysctl* sysctl) {
  const auto* config = snapshot.config.get();
  if (config == nullptr || sysctl == nullptr || netns.name != kHostNetns) return {};
  const auto* line = line_that_sets(*config, spec.name);
  if (line == nullptr) return {};
  const auto then = after_line(*netns.settings.get(), *sysctl, *line);
  if (!then) return " The kernel refuses what " + place_of(*line) + " asks for.";
  return same_value(*sysctl, *then) ? " Set in " + place_of(*line) + "."
                                    : " " + place_of(*line) + " asks for " + single_blanks(then->text) + ".";
}

/// The settings of one namespace.
class NetnsText {
 public:
  NetnsText(const Report& report, const NetnsView& netns, const TextStyle& style)
      : report_(report), netns_(netns), settings_(*netns.settings.get()), style_(style) {}

  [[nodiscard]] std::string text() {
    const bool first = netns_.name == kHostNetns;
    for (const auto& spec : sysctl_table())
      if (first || spec.scope == SysctlScope::netns) add(spec);
    const auto lines = table_.to_lines(style_);
    auto text = lines.front();
    for (std::size_t row = 0; row < below_.size(); ++row) text += lines[row + 1] + below_[row];
    return text + (absent_.empty() ? ""
                                   : paragraph("", "Absent from this kernel or namespace: " + absent_ + ".",
                                               style_.columns));
  }

 private:
  void add(const SysctlSpec& spec) {
    const auto* sysctl = settings_.find(spec.name);
    const auto error = error_of(settings_, spec.name);
    if (sysctl == nullptr && error.empty()) {
      absent_ += (absent_.empty() ? "" : ", ") + std::string(spec.name);
      return;
    }
    const auto tone = sysctl == nullptr ? Tone::warning : tone_of(report_, spec, netns_);
    table_.add({{std::string(spec.name)},
                {value_text(sysctl), tone},
                {std::string(spec.unit)},
                {spec.scope == SysctlScope::machine ? "machine" : "netns"}});
    const auto help = sysctl == nullptr ? "Not known: " + error : fields_text(spec) + std::string(spec.help);
    below_.push_back(explained(help + place_text(report_.snapshot, netns_, spec, sysctl)));
  }

  [[nodiscard]] std::string explained(const std::string& help) const {
    std::string text;
    for (const auto& line : wrapped(help, style_.columns - kIndent))
      text.append(kIndent, ' ').append(toned(line, Tone::faint, style_)).append("\n");
    return text;
  }

  const Report& report_;
  const NetnsView& netns_;
  const Settings& settings_;
  TextStyle style_;
  Table table_{{{"SETTING"}, {"VALUE", Align::right, 8}, {"UNIT"}, {"OF"}}};
  std::vector<std::string> below_;  // of each row
  std::string absent_;
};

std::size_t faults(const Report& report) {
  return static_cast<std::size_t>(std::ranges::count_if(report.incidents, &Incident::is_open));
}

}  // namespace

Report look_at_settings(const NetnsChoice& netns, bool with_lint, const Clocks& clocks) {
  SampleOptions wanted{{"sysctl", "host_config", "meminfo", "sockstat"}, netns};
  if (with_lint) wanted.collectors.insert(wanted.collectors.end(), {"listeners", "processes"});
  auto report = sample(wanted, clocks);
  lint(report);  // others are compared with the own one
  narrow(report, netns);
  return report;
}

void lint(Report& report) {
  IncidentBook book(settings_catalog());
  report.snapshot.at = report.at;
  book.observe(report.snapshot, {report.at, report.wall_at});
  book.write_to(report);
}

std::string sysctl_text(const Report& report, const TextStyle& style) {
  std::string text;
  const bool several = report.snapshot.namespaces.size() > 1;
  for (const auto& netns : report.snapshot.namespaces) {
    if (!netns.settings.known()) continue;
    if (several)
      text += (text.empty() ? "" : "\n") + paragraph("", "Network namespace " + netns.name, style.columns);
    text += NetnsText(report, netns, style).text();
  }
  if (text.empty() || faults(report) == 0) return text;
  return text + paragraph("", counted(faults(report), "finding") + " about them: tcpdiag sysctl --lint",
                          style.columns);
}

}  // namespace tcpdiag
