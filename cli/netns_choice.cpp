// SPDX-License-Identifier: Apache-2.0
#include "cli/netns_choice.h"

#include <sys/stat.h>

#include <algorithm>

#include "cli/flag_values.h"
#include "cli/output.h"
#include "collectors/files.h"
#include "collectors/netns.h"
#include "collectors/netns_list.h"
#include "daemon/clock.h"
#include "daemon/nearest_name.h"
#include "daemon/netns_watch.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kNamesSaid = 5;

bool is_pattern(const std::string& text) { return text.find_first_of("*?") != std::string::npos; }

std::vector<std::string> names_of(const NetnsList& list) {
  std::vector<std::string> names;
  names.reserve(list.namespaces.size());
  for (const auto& found : list.namespaces) names.push_back(found.name);
  return names;
}

/// Names that contain what was given, or the last part of it: "checkout" for "payments/checkout-7d9f".
std::vector<std::string> similar(const std::string& given, const std::vector<std::string>& names) {
  std::vector<std::string> similar;
  const auto last = given.substr(given.rfind('/') + 1);
  for (const auto& name : names)
    if (!last.empty() && name.find(last) != std::string::npos && similar.size() < kNamesSaid)
      similar.push_back(name);
  if (const auto nearest = nearest_name(given, names);
      !nearest.empty() && std::ranges::find(similar, nearest) == similar.end())
    similar.emplace_back(nearest);
  return similar;
}

tl::unexpected<Error> no_such(const std::string& given, const NetnsList& list) {
  std::string close;
  if (!is_pattern(given))
    for (const auto& name : similar(given, names_of(list)))
      close += (close.empty() ? "" : ", ") + quote(name);
  return refused("no network namespace " + std::string(is_pattern(given) ? "matches " : "is called ") +
                 quote(given) + (close.empty() ? "" : "; there is " + close) +
                 "; tcpdiag namespaces lists them");
}

/// Those that are meant, the program's own among them.
std::vector<const FoundNetns*> meant_by(const std::string& given, const NetnsList& list) {
  std::vector<const FoundNetns*> meant;
  if (given.starts_with('/')) {
    const auto file = netns_in_file(given);
    for (const auto& found : list.namespaces)
      if (file && file->inode == found.inode) meant.push_back(&found);
    return meant;
  }
  for (const auto& found : list.namespaces)
    if (found.name == given || (is_pattern(given) && matches(given, found.name))) meant.push_back(&found);
  return meant;
}

bool is_named_mount(const std::string& given) {
  struct stat file{};
  return given.find('/') == std::string::npos && ::stat(("/run/netns/" + given).c_str(), &file) == 0;
}

}  // namespace

Result<NetnsChoice> choose_netns(const std::vector<std::string>& given, const NetnsList& list,
                                 bool may_enter) {
  if (given.empty()) return NetnsChoice{};
  NetnsChoice choice{.own = false, .found = false};
  for (const auto& each : given) {
    const auto meant = meant_by(each, list);
    if (meant.empty()) {
      if (!each.starts_with('/') && !is_named_mount(each)) return no_such(each, list);
      choice.paths.push_back(each);  // opening it says what is wrong with it
    }
    for (const auto* found : meant) {
      if (found->generation == 0)
        choice.own = true;
      else if (!may_enter)
        choice.paths.push_back(place_of(*found).path);  // reading it says why not
      else if (std::ranges::find(choice.named, *found) == choice.named.end())
        choice.named.push_back(*found);
    }
  }
  for (const auto& found : choice.named) choice.filter.include.push_back(found.name);
  choice.found = !choice.named.empty();
  return choice;
}

Result<NetnsChoice> choose_netns(const std::vector<std::string>& given) {
  NetnsList list{.namespaces = {{.name = kHostNetns, .kind = NetnsKind::host}}};
  if (std::ranges::all_of(given, [](const auto& each) { return each == kHostNetns; }))
    return choose_netns(given, list, true);
  const auto source = live_source();
  const Snapshot nothing;
  // Where the machine cannot be looked at, files can still be named.
  if (auto read = NetnsListReader{}({*source, Clocks::system().monotonic(), nothing}))
    list = std::move(*read);
  return choose_netns(given, list, may_enter_netns());
}

void narrow(Report& report, const NetnsChoice& choice) {
  if (choice.own && choice.found && choice.filter == NetnsFilter{}) return;
  const auto is_left_out = [&](const std::string& netns) { return !choice.own && netns == kHostNetns; };
  std::erase_if(report.snapshot.namespaces, [&](const NetnsView& view) { return is_left_out(view.name); });
  std::erase_if(report.runs, [&](const CollectorRun& run) { return is_left_out(run.netns); });
  std::erase_if(report.incidents,
                [&](const Incident& incident) { return is_left_out(incident.finding.netns); });
  for (auto& rule : report.rules)
    std::erase_if(rule.unknown, [&](const Unknown& unknown) { return is_left_out(unknown.netns); });
  if (const auto* list = report.snapshot.netns_list.get()) {
    auto chosen = std::make_shared<NetnsList>();  // what else is there was not asked for
    for (const auto& found : list->namespaces)
      if (found.generation == 0 ? choice.own : choice.found && choice.filter.wants(found.name))
        chosen->namespaces.push_back(found);
    report.snapshot.netns_list.value = std::shared_ptr<const NetnsList>(std::move(chosen));
  }
}

}  // namespace tcpdiag
