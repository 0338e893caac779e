// SPDX-License-Identifier: Apache-2.0
// The lint of what is not so yet: files that will set to a harmful value at the next boot what is right now.
#include <algorithm>

#include "core/utf8.h"
#include "diagnosis/evidence.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/setting_facts.h"

namespace tcpdiag {
namespace {

// A setting that the next boot changes.
struct Change {
  const Sysctl* now;
  Sysctl then;
  const SysctlLine* line;
};

std::vector<Change> changes_at_boot(const Settings& settings, const HostConfig& config) {
  std::vector<Change> changes;
  if (config.sysctls.empty()) return changes;
  for (const auto& sysctl : settings.sysctls) {
    const auto* line = line_that_sets(config, sysctl.name);
    auto then = line == nullptr ? std::nullopt : after_line(settings, sysctl, *line);
    if (then && !same_value(sysctl, *then)) changes.push_back({&sysctl, std::move(*then), line});
  }
  return changes;
}

// What the rules will see that look at nothing but the present.
History after_boot(const Window& window, const Settings& settings, const std::vector<Change>& changes) {
  auto changed = settings;
  for (const auto& change : changes)
    *std::ranges::find(changed.sysctls, change.now->name, &Sysctl::name) = change.then;
  Snapshot snapshot;
  snapshot.at = window.now();
  snapshot.memory = window.newest().memory;
  snapshot.config = window.newest().config;
  snapshot.processes = window.newest().processes;
  snapshot.namespaces.push_back({.name = window.netns().name, .sockets = window.netns().sockets});
  auto& section = snapshot.namespaces.front().settings;
  section = window.netns().settings;
  section.value = std::make_shared<const Settings>(std::move(changed));
  History history;
  history.push(snapshot);
  return history;
}

// The change that the facts about the next boot come from: of their subject, or of a setting in their
// evidence. nullptr: of none, so it is so now.
const Change* cause_of(const Facts& facts, const std::vector<Change>& changes) {
  const auto change_of = [&](std::string_view name) {
    const auto found =
        std::ranges::find(changes, name, [](const Change& change) { return change.now->name; });
    return found == changes.end() ? nullptr : &*found;
  };
  if (const auto* own = change_of(facts.subject.name)) return own;
  for (const auto& evidence : facts.evidence)
    if (const auto* other = change_of(evidence.name)) return other;
  return nullptr;
}

bool is_so_now(const Verdict& now, const Facts& then) {
  return now.known() && std::ranges::any_of(now.facts(), [&](const Facts& facts) {
           return facts.subject.name == then.subject.name;
         });
}

Facts facts_about(const Change& change, const RuleInfo& harm) {
  Facts facts{.subject = {.kind = SubjectKind::setting, .name = std::string(change.now->name)}};
  const auto now = single_blanks(change.now->text);
  for (const auto& [what, sysctl] :
       {std::pair("now", change.now), std::pair("at the next boot", &change.then)})
    if (sysctl->values.size() == 1)
      add_reading(facts, std::string(sysctl->name) + " " + what, sysctl->values.front(), "");
  facts.values["place"] = place_of(*change.line);
  facts.values["asked"] = one_line(single_blanks(change.then.text));
  if (!now.empty()) facts.values["value"] = now;
  facts.values["harm"] = harm.title;
  facts.values["harm_id"] = harm.id;
  const bool own_line = change.line->name == change.now->name;
  if (own_line && !change.line->file.starts_with("/usr/lib/") && !change.line->file.starts_with("/lib/")) {
    facts.values["file"] = one_line(change.line->file);
    facts.values["line"] = std::to_string(change.line->line);
  } else {
    facts.values["others_place"] = place_of(*change.line);
  }
  return facts;
}

Verdict harm_at_boot(const Window& window, const Thresholds& t) {
  if (window.netns().name != kHostNetns) return Verdict::clear();
  const auto config = window.latest(&Snapshot::config);
  if (!config) return Verdict::unknown(config.error());
  const auto settings = window.latest(&NetnsView::settings);
  if (!settings) return Verdict::unknown(settings.error());
  const auto changes = changes_at_boot(**settings, **config);
  if (changes.empty()) return Verdict::clear();
  const auto history = after_boot(window, **settings, changes);
  std::vector<Facts> found;
  for (const auto rules : {settings_rules(), configuration_rules()}) {  // they judge values and files alone
    for (const auto& rule : rules) {
      const auto then = rule.evaluate(Window(history, NetnsId::host, rule.lookback), t);
      if (!then.known() || then.facts().empty()) continue;
      const auto now = rule.evaluate(window, t);
      for (const auto& facts : then.facts())
        if (const auto* change = cause_of(facts, changes); change != nullptr && !is_so_now(now, facts))
          found.push_back(facts_about(*change, rule.info));
    }
  }
  return Verdict::found(std::move(found));
}

constexpr std::string_view kFamily = "Settings";

constexpr auto kAdvice = std::to_array<AdviceText>({
    {"Change line {line} of {file} before the next boot.", "{setting} = {value}",
     "It keeps its present "
     "value.",
     "", CommandKind::file_line},
    {"Override {others_place} before the next boot.",
     "echo '{setting} = {value}' >> /etc/sysctl.d/zz-tcp.conf", "It keeps its present value.", ""},
    {"Read what the value does.", "tcpdiag explain {harm_id}", "Says what clients will see.", ""},
});
constexpr std::string_view kNot[] = {
    "Trusting that all is well now: the file was written after the last boot, or the value has been set by "
    "hand since."};

constexpr Rule kRules[] = {
    {.info = {.id = "sysctl-harm-at-boot",
              .family = kFamily,
              .severity = Severity::info,
              .title = "The next boot sets a harmful value",
              .true_when =
                  "The line of sysctl.d that decides a setting asks for a value that another finding of this "
                  "family is about, and the setting does not have that value now. Looks at the host's own "
                  "network namespace.",
              .clients_see = "Nothing yet; after the next boot, or sysctl --system, what that finding says.",
              .summary = "The next boot sets {setting} to {asked} ({place})[; now it is {value}]: {harm} "
                         "({harm_id}).",
              .advice = kAdvice,
              .not_helping = kNot,
              .reads = "/proc/sys, sysctl.d, /etc/sysctl.conf"},
     .evaluate = harm_at_boot},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> next_boot_rules() { return kRules; }

}  // namespace tcpdiag
