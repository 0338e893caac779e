// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/diagnose.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "core/fair_share.h"
#include "diagnosis/accept_queue.h"
#include "diagnosis/commands.h"
#include "diagnosis/container_settings.h"
#include "diagnosis/entry.h"
#include "diagnosis/known_servers.h"
#include "diagnosis/own_addresses.h"
#include "diagnosis/owner_values.h"
#include "diagnosis/subjects.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

// What a rule found, before there are words for it.
struct Found {
  const Rule* rule = nullptr;
  NetnsId netns_id = NetnsId::host;
  std::string netns;
  Facts facts;
  std::vector<std::string> effects{};  // that it explains
  std::uint64_t alike = 0;
  std::vector<std::string> alike_netns{};  // the first few namespaces of which the same is true
  std::size_t place = 0;                   // among all that were found

  [[nodiscard]] std::string_view id() const { return rule->info.id; }
  [[nodiscard]] const Subject& subject() const { return facts.subject; }
  [[nodiscard]] Severity severity() const { return facts.severity.value_or(rule->info.severity); }
};

// The address of a service may not be known.
std::string service_text(const Subject& subject) {
  if (!subject.address.empty() || !subject.port) return to_string(subject);
  return "port " + std::to_string(*subject.port);
}

// How the container was made decides how its settings and limits are made to stay.
void add_container(Values& values, const Owner& owner, const Window& window) {
  const auto* found = found_as(window.newest(), window.netns());
  if (found == nullptr) found = netns_of(window.newest(), owner);
  if (found != nullptr)
    add_container_values(values, *found);
  else if (owner.runtime == "docker" || owner.runtime == "podman")
    values.flag("of_run");
}

// What every rule's words may refer to; what the rule itself says goes first.
Values values_of(const Facts& facts, const std::string& netns, const Window& window) {
  auto values = facts.values;
  const auto& subject = facts.subject;
  if (netns == kHostNetns)
    values.flag("of_the_host");  // sysctl.d does not reach other namespaces
  else
    values.offer("netns", netns);
  values.offer("window", duration_text(window.span()));
  values.offer("address", subject.address);
  if (subject.port) values.offer("port", std::to_string(*subject.port));
  if (subject.kind == SubjectKind::listener) values.offer("listener", service_text(subject));
  if (subject.kind == SubjectKind::destination) values.offer("destination", service_text(subject));
  if (subject.kind == SubjectKind::setting) values.offer("setting", subject.name);
  values.offer("process", subject.process);
  if (subject.pid) values.offer("pid", std::to_string(*subject.pid));
  if (!values.contains("unit")) add_owner_values(values, subject.owner);
  add_container(values, subject.owner, window);
  values.offer("owner", process_text(subject));
  if (const auto backlog = values.find("new_backlog"); backlog != values.end())
    values.offer("server_knob", server_knob(subject.process, backlog->second).value_or(""));
  return values;
}

std::string plural_of(SubjectKind kind) { return kind == SubjectKind::process ? "processes" : "listeners"; }

std::string alike_namespaces_text(const Found& found) {
  std::string names;
  for (const auto& name : found.alike_netns) names += (names.empty() ? "" : ", ") + name;
  if (found.alike == found.alike_netns.size()) return " The same is true of " + names + ".";
  return " The same is true of " + std::to_string(found.alike) + " more namespaces, " + names +
         " among them.";
}

// What was said of one is true of others, too.
std::string alike_text(const Found& found) {
  if (found.alike == 0) return {};
  if (!found.alike_netns.empty()) return alike_namespaces_text(found);
  const auto& subject = found.subject();
  const auto unit = to_string(subject.owner);
  const auto& owner = unit.empty() ? subject.process : unit;
  const auto kind = found.alike == 1 ? std::string(to_string(subject.kind)) : plural_of(subject.kind);
  return " The same is true of " + std::to_string(found.alike) + " more " + kind + " of " +
         (owner.empty() ? "the same user" : owner) + ".";
}

// The findings that explain it where they are about the same.
std::vector<std::string> causes_of(std::string_view id, std::span<const Rule> rules) {
  std::vector<std::string> causes;
  for (const auto& rule : rules)
    if (std::ranges::find(rule.info.explains, id) != rule.info.explains.end())
      causes.emplace_back(rule.info.id);
  return causes;
}

Advice to_advice(const AdviceText& text, const Values& values, const std::string& entry) {
  return {fill_in(text.action, values), in_netns(command_of(text, values), entry),
          fill_in(text.effect, values), fill_in(text.risk, values)};
}

// A setting that is made in a running container ends with it.
void add_lasting(std::vector<Advice>& advice, Values values, const std::string& command) {
  if (values.contains("flags") || !add_sysctl_values(values, command)) return;  // it says so itself
  for (const auto& text : lasting_sysctl_advice())
    if (can_fill_in(text.action, values) && can_fill_in(text.command, values))
      advice.push_back(to_advice(text, values, {}));
}

Finding to_finding(const Found& found, const History& history, std::span<const Rule> rules) {
  const auto& rule = *found.rule;
  const auto& info = rule.info;
  const auto& netns = found.netns;
  const auto values = values_of(found.facts, netns, Window(history, found.netns_id, rule.lookback));
  const auto& newest = history.snapshots().back();
  const auto entry = entry_of(newest, newest.view(found.netns_id));
  Finding finding{.id = std::string(info.id),
                  .title = std::string(info.title),
                  .severity = found.severity(),
                  .netns = netns,
                  .subject = found.subject(),
                  .summary = fill_in(info.summary, values) + alike_text(found),
                  .alike = found.alike,
                  .evidence = found.facts.evidence,
                  .bites = found.facts.bites,
                  .critical_after = rule.critical_after,
                  .known_as = found.facts.known_as,
                  .causes = causes_of(info.id, rules)};
  for (const auto& text : info.advice) {
    if (!can_fill_in(text.action, values) || !can_fill_in(text.command, values)) continue;
    finding.advice.push_back(to_advice(text, values, entry));
    if (netns != kHostNetns) add_lasting(finding.advice, values, command_of(text, values));
  }
  for (const auto text : info.not_helping)
    if (can_fill_in(text, values)) finding.not_helping.push_back(fill_in(text, values));
  for (const auto text : info.consequences) finding.consequences.emplace_back(text);
  for (const auto& effect : found.effects) finding.consequences.push_back(effect);
  return finding;
}

Unknown unknown_of(const Rule& rule, const std::string& netns, const Error& why, bool in_part) {
  return {std::string(rule.info.id), netns, why.detail, in_part, why.code, std::string(why.source)};
}

// A rule about accept queues judges those of the listeners that are kept.
std::optional<Error> unseen_by(const Rule& rule, const Verdict& verdict, const Window& window) {
  if (verdict.unseen() || !rule.info.judges_queues) return verdict.unseen();
  return unseen_queues(window);
}

// What is unknown of a container because it has just begun, or ended, is no news. That something may be
// beginning in it is.
bool is_passing(const History& history, NetnsId id, const Error& why) {
  constexpr std::chrono::seconds kYoung{10};
  const Window window(history, id, kYoung);
  if (window.netns().generation == 0) return false;
  const bool is_young = window.now() - window.snapshot(0).at < kYoung - std::chrono::seconds(1);
  return why.code == Errc::no_netns || (is_young && why.code == Errc::not_read);
}

// A proxy that waits for a container leaves its own clients waiting.
std::optional<ListenerThere> served_behind(const Window& window, const Subject& subject) {
  const auto behind = behind_proxy(window, subject);
  if (!behind) return std::nullopt;
  const auto there = window.in(behind->netns->id);
  const auto* listener = own_listener(there, behind->there);
  if (listener == nullptr) return std::nullopt;
  return ListenerThere{behind->netns->name, listener_subject(there, *listener)};
}

void apply(const Rule& rule, const History& history, NetnsId netns, const Thresholds& thresholds,
           std::vector<Found>& found, Diagnosis& diagnosis) {
  const Window window(history, netns, rule.lookback);
  const auto name = rule.scope == RuleScope::machine ? std::string() : window.netns().name;
  const auto verdict = rule.evaluate(window, thresholds);
  if (!verdict.known() && is_passing(history, netns, verdict.why())) return;
  if (!verdict.known()) {
    diagnosis.unknown.push_back(unknown_of(rule, name, verdict.why(), false));
    return;
  }
  if (const auto unseen = unseen_by(rule, verdict, window))
    diagnosis.unknown.push_back(unknown_of(rule, name, *unseen, true));
  for (const auto& facts : verdict.facts()) {
    found.push_back({.rule = &rule, .netns_id = netns, .netns = name, .facts = facts, .place = found.size()});
    if (!facts.served_by) found.back().facts.served_by = served_behind(window, facts.subject);
  }
}

bool is_whole(const Subject& subject) {
  return subject.kind == SubjectKind::host || subject.kind == SubjectKind::netns;
}

bool about_the_same(const std::string& cause_netns, const Subject& a, const std::string& effect_netns,
                    const Subject& b) {
  const bool same_netns = cause_netns.empty() || effect_netns.empty() || cause_netns == effect_netns;
  if (!same_netns) return false;
  // What is about everything here may be about that; a cause that is vague explains only what is as vague.
  if (a.kind == SubjectKind::host || is_whole(b)) return true;
  if (is_whole(a)) return false;
  const bool same_process = a.pid && b.pid && *a.pid == *b.pid;
  // What is counted by port may be about any of the addresses that the service listens on.
  if (a.kind == SubjectKind::listener && b.kind == SubjectKind::listener && a.port == b.port)
    return a.address == b.address || a.address.empty() || b.address.empty() || same_process;
  if (a.kind == b.kind && a.kind != SubjectKind::process) return to_string(a) == to_string(b);
  return same_process;
}

// What a process does with the connections of a service may be about that service.
bool is_about(const std::string& cause_netns, const Subject& cause, const std::string& effect_netns,
              const Subject& effect, const std::vector<Subject>& effect_known_as) {
  const auto same = [&](const Subject& subject) {
    return about_the_same(cause_netns, cause, effect_netns, subject);
  };
  return same(effect) || std::ranges::any_of(effect_known_as, same);
}

// A full queue in a container is why this host's side of a published port gets no answer.
bool serves(const Found& cause, const Found& effect) {
  const auto& there = effect.facts.served_by;
  return there && cause.rule->info.explains_clients &&
         about_the_same(cause.netns, cause.subject(), there->netns, there->subject);
}

bool explains(const Found& cause, const Found& effect) {
  if (serves(cause, effect)) return true;
  const auto holds = [&](const auto& ids) { return std::ranges::find(ids, effect.id()) != ids.end(); };
  if (!holds(cause.rule->info.explains) && !holds(cause.facts.explains)) return false;
  return is_about(cause.netns, cause.subject(), effect.netns, effect.subject(), effect.facts.known_as);
}

// Finds the cause of a finding without comparing each with all others: there may be very many.
class Causes {
 public:
  explicit Causes(std::vector<Found>& found) : found_(found) {
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto& info = found[i].rule->info;
      if (info.explains.empty() && !info.explains_clients && found[i].facts.explains.empty()) continue;
      all_.push_back(i);
      for (auto& key : keys_of(found[i].subject())) by_key_[std::move(key)].push_back(i);
      if (found[i].subject().pid)
        by_process_[{found[i].subject().kind, *found[i].subject().pid}].push_back(i);
    }
  }

  /// The first that explains it, or nullptr.
  [[nodiscard]] Found* of(const Found& effect) const {
    const auto& subject = effect.subject();
    std::optional<std::size_t> first;
    const auto look_at = [&](const std::vector<std::size_t>& causes) {
      for (const auto i : causes) {
        if (first && i >= *first) return;
        if (explains(found_[i], effect)) first = i;
      }
    };
    if (is_whole(subject))
      look_at(all_);
    else {
      look_in(by_key_, std::string(), look_at);
      for (const auto& key : keys_of(subject)) look_in(by_key_, key, look_at);
      if (effect.facts.served_by)
        for (const auto& key : keys_of(effect.facts.served_by->subject)) look_in(by_key_, key, look_at);
      for (const auto& former : effect.facts.known_as)
        for (const auto& key : keys_of(former)) look_in(by_key_, key, look_at);
      // Of two listeners of one process neither is about the other.
      for (const auto kind :
           {SubjectKind::listener, SubjectKind::destination, SubjectKind::process, SubjectKind::setting})
        if (subject.pid && (kind != subject.kind || kind == SubjectKind::process))
          look_in(by_process_, std::pair(kind, *subject.pid), look_at);
    }
    return first ? &found_[*first] : nullptr;
  }

 private:
  // Two that are about the same thing, and not because of their process, have one of these in common.
  static std::vector<std::string> keys_of(const Subject& subject) {
    if (subject.kind == SubjectKind::host) return {std::string()};
    std::vector<std::string> keys;
    if (subject.kind == SubjectKind::listener)
      keys.push_back("port " + (subject.port ? std::to_string(*subject.port) : std::string()));
    keys.push_back(std::string(to_string(subject.kind)) + " " + to_string(subject));
    return keys;
  }
  template <class Map, class Look>
  static void look_in(const Map& map, const typename Map::key_type& key, Look look_at) {
    if (const auto causes = map.find(key); causes != map.end()) look_at(causes->second);
  }

  std::vector<Found>& found_;
  std::vector<std::size_t> all_;
  std::map<std::string, std::vector<std::size_t>> by_key_;
  std::map<std::pair<SubjectKind, std::int32_t>, std::vector<std::size_t>> by_process_;
};

// What follows from a cause may have been seen before it and be over: its incident is the cause's, too.
void add_seen_before(const std::vector<Found>& found, Diagnosis& diagnosis) {
  std::map<std::string_view, std::vector<const Found*>> by_id;
  for (const auto& each : found) by_id[each.id()].push_back(&each);
  for (const auto& cause : found) {
    std::set<std::string_view> ids(cause.facts.explains.begin(), cause.facts.explains.end());
    ids.insert(cause.rule->info.explains.begin(), cause.rule->info.explains.end());
    for (const auto id : ids) {
      const auto same = by_id.find(id);
      const bool is_there = same != by_id.end() && std::ranges::any_of(same->second, [&](const Found* other) {
                              return explains(cause, *other);
                            });
      if (!is_there)
        diagnosis.explained.push_back(
            {std::string(id), cause.netns, cause.subject(), std::string(cause.id())});
    }
  }
}

// What is explained becomes a consequence of its cause, and of the cause's own cause if that is explained
// too. Returns what is left.
std::vector<Found> settle(std::vector<Found> found, Diagnosis& diagnosis) {
  const Causes causes(found);
  std::vector<Found*> kept;
  for (auto& each : found) {
    auto* cause = causes.of(each);
    if (cause == nullptr) {
      kept.push_back(&each);
      continue;
    }
    std::size_t steps = 0;
    for (auto* deeper = causes.of(*cause); deeper != nullptr && steps < found.size(); ++steps) {
      cause = deeper;
      deeper = causes.of(*cause);
    }
    if (steps == found.size()) {  // they explain one another: none may vanish
      kept.push_back(&each);
      continue;
    }
    diagnosis.explained.push_back(
        {std::string(each.id()), each.netns, each.subject(), std::string(cause->id())});
    const std::string id(each.id());
    if (std::ranges::find(cause->effects, id) == cause->effects.end()) cause->effects.push_back(id);
    cause->facts.severity = std::max(cause->severity(), each.severity());  // it is as bad as what it does
  }
  for (const auto& each : found)
    for (const auto id : each.rule->info.replaces)
      diagnosis.explained.push_back({std::string(id), each.netns, each.subject(), std::string(each.id())});
  add_seen_before(found, diagnosis);
  std::vector<Found> left;
  left.reserve(kept.size());
  for (auto* each : kept) left.push_back(std::move(*each));
  return left;
}

// Those that an incident is open about go first, so that what is left out is not a matter of chance.
void put_open_first(std::vector<Found>& found, std::span<const Incident> incidents) {
  using Key = std::tuple<std::string, std::string, std::string>;
  std::set<Key> open;
  for (const auto& incident : incidents)
    if (incident.is_open())
      open.insert({incident.finding.id, incident.finding.netns, to_string(incident.finding.subject)});
  std::ranges::stable_sort(found, std::greater<>(), [&](const Found& each) {
    return std::pair(each.severity(),
                     open.contains({std::string(each.id()), each.netns, to_string(each.subject())}));
  });
}

// Of one owner's listeners or processes of which the same is true, the first few stand for the others.
void count_alike(std::vector<Found>& found) {
  std::map<std::tuple<std::string_view, std::string, SubjectKind, SubjectOwner>, std::vector<std::size_t>>
      groups;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& subject = found[i].subject();
    const auto owner = owner_of(subject);
    const bool is_owned = owner != SubjectOwner();
    if (is_owned && (subject.kind == SubjectKind::listener || subject.kind == SubjectKind::process))
      groups[{found[i].id(), found[i].netns, subject.kind, owner}].push_back(i);
  }
  std::set<std::size_t> left_out;  // by place
  for (const auto& [key, members] : groups) {
    if (members.size() <= kAlikeShown) continue;
    found[members.front()].alike = members.size() - kAlikeShown;
    for (auto i = kAlikeShown; i < members.size(); ++i) left_out.insert(found[members[i]].place);
  }
  std::erase_if(found, [&](const Found& each) { return left_out.contains(each.place); });
}

// Of namespaces of which the same is said, the first stands for the others.
void count_alike_namespaces(std::vector<Found>& found) {
  constexpr std::size_t kNamed = 2;
  std::map<std::pair<std::string_view, std::string>, std::size_t> firsts;
  std::set<std::size_t> left_out;  // by place
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].facts.alike.empty()) continue;
    const auto [first, is_new] = firsts.try_emplace({found[i].id(), found[i].facts.alike}, i);
    if (is_new) continue;
    auto& standing = found[first->second];
    ++standing.alike;
    if (standing.alike_netns.size() < kNamed) standing.alike_netns.push_back(found[i].netns);
    left_out.insert(found[i].place);
  }
  std::erase_if(found, [&](const Found& each) { return left_out.contains(each.place); });
}

// The worst; of those that are as bad, of each owner as many as of any other.
void keep_some(std::vector<Found>& found, Diagnosis& diagnosis) {
  if (found.size() <= kMostFindings) return;
  share_out(found, [](const Found& each) { return owner_of(each.subject()); });
  share_out(found, [](const Found& each) { return std::pair(each.netns, each.subject().uid); });
  std::ranges::stable_sort(found, std::greater<>(), &Found::severity);
  diagnosis.cut = found.size() - kMostFindings;
  found.resize(kMostFindings);
}

}  // namespace

bool same_subject(const Finding& cause, const Finding& effect) {
  return is_about(cause.netns, cause.subject, effect.netns, effect.subject, effect.known_as);
}

Diagnosis diagnose(const History& history, std::span<const Rule> rules, const Thresholds& thresholds,
                   std::span<const Incident> incidents, const std::set<NetnsId>& resting) {
  Diagnosis diagnosis;
  if (history.empty()) return diagnosis;
  std::vector<Found> found;
  for (const auto& rule : rules)
    for (const auto& netns : history.snapshots().back().namespaces)
      if (netns.id == NetnsId::host || (rule.scope == RuleScope::netns && !resting.contains(netns.id)))
        apply(rule, history, netns.id, thresholds, found, diagnosis);
  found = settle(std::move(found), diagnosis);
  put_open_first(found, incidents);
  count_alike(found);
  count_alike_namespaces(found);
  keep_some(found, diagnosis);
  std::ranges::stable_sort(
      found, {}, [](const Found& each) { return std::pair(-static_cast<int>(each.severity()), each.place); });
  diagnosis.findings.reserve(found.size());
  for (const auto& each : found) diagnosis.findings.push_back(to_finding(each, history, rules));
  return diagnosis;
}

}  // namespace tcpdiag
