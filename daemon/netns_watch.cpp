// SPDX-License-Identifier: Apache-2.0
#include "daemon/netns_watch.h"

#include <algorithm>
#include <utility>

#include "collectors/files.h"
#include "collectors/netns_door.h"
#include "core/facts/listeners.h"
#include "daemon/open_files.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kNamedMounts = "/run/netns/";

}  // namespace

NetnsPlace place_of(const FoundNetns& found) {
  // A mount is root's, and stays when a process that has just looked in is gone.
  return {
      .path = !found.mount.empty() ? found.mount : "/proc/" + std::to_string(found.anchor_pid) + "/ns/net",
      .inode = found.inode,
      .generation = found.generation,
      .pid = found.anchor_pid};
}

std::size_t may_be_watched() {
  // For each thread the namespace and what is open in it.
  constexpr std::size_t kFilesOfEach = 2 * (kNetnsItems.size() + 1), kOtherFiles = 2048;
  const auto files = raise_open_files_limit();
  return std::min<std::size_t>(NetnsWatch::kMost,
                               files < kOtherFiles ? 0 : (files - kOtherFiles) / kFilesOfEach);
}

NetnsWatch::NetnsWatch(Cycle& cycle, std::vector<std::string> configured, std::shared_ptr<NetnsPaths> paths,
                       std::size_t most)
    : cycle_(cycle), configured_(std::move(configured)), paths_(std::move(paths)), most_(most) {}

void NetnsWatch::follow(bool adds) {
  const auto section = cycle_.snapshot().netns_list;  // of its own: the cycle's namespaces change below
  const bool switched_off = section.read_at == TimePoint();
  if (!section.known() && !switched_off) return;
  static const NetnsList kNone;
  const auto& list = section.known() ? *section.get() : kNone;
  drop_gone(list);
  for (const auto& found : list.namespaces)
    if (const auto known = watched_.find(found.generation); known != watched_.end())
      paths_->set(known->second.name, place_of(found));  // its anchor may be another one
  if (!adds) return;
  add_new(list, true);
  add_new(list, false);
}

void NetnsWatch::add_new(const NetnsList& list, bool of_machine) {
  auto left = kMostAtOnce;
  for (const auto& found : list.namespaces) {
    const bool is_other = found.generation == 0 || found.of_machine != of_machine;
    if (is_other || watched_.contains(found.generation) || !filter_.wants(found.name)) continue;
    if ((only_ && !only_(found)) || is_configured(found)) continue;
    const bool has_place = watched_.size() < most_ && (of_machine || of_users_ < kMostOfUsers);
    if (!has_place || left-- == 0) return;
    add(found);
  }
}

void NetnsWatch::drop_gone(const NetnsList& list) {
  std::erase_if(watched_, [&](const auto& entry) {
    const auto& [generation, watched] = entry;
    const auto found = std::ranges::find(list.namespaces, generation, &FoundNetns::generation);
    if (found != list.namespaces.end() && found->name == watched.called && filter_.wants(found->name))
      return false;
    cycle_.remove(watched.id);
    if (!watched.of_machine) --of_users_;
    paths_->forget(watched.name);
    return true;
  });
}

void NetnsWatch::add(const FoundNetns& found) {
  auto name = found.name;
  while (std::ranges::find(cycle_.snapshot().namespaces, name, &NetnsView::name) !=
         cycle_.snapshot().namespaces.end())  // one that is configured has it, or one that is still to go
    name += " (" + std::to_string(found.inode) + ")";
  paths_->set(name, place_of(found));
  watched_.emplace(found.generation, Watched{.id = cycle_.add(name, found.generation),
                                             .called = found.name,
                                             .name = name,
                                             .of_machine = found.of_machine});
  if (!found.of_machine) ++of_users_;
}

void NetnsWatch::note_states(Report& report) const {
  const auto* known = report.snapshot.netns_list.get();
  if (known == nullptr) return;
  auto list = std::make_shared<NetnsList>(*known);
  for (auto& found : list->namespaces) found.state = state_of(found, report);
  report.snapshot.netns_list.value = std::shared_ptr<const NetnsList>(std::move(list));
}

/// One that may not be entered shows by what it does not let be read.
NetnsState NetnsWatch::state_of(const FoundNetns& found, const Report& report) const {
  if (found.generation == 0) return NetnsState::watched;
  if (const auto watched = watched_.find(found.generation); watched != watched_.end()) {
    const auto& listeners = report.snapshot.view(watched->second.id).listeners;
    const bool is_denied = !listeners.known() && listeners.value.error().code == Errc::denied;
    return is_denied ? NetnsState::denied : NetnsState::watched;
  }
  if (is_configured(found)) return NetnsState::watched;
  if (!filter_.wants(found.name)) return NetnsState::excluded;
  if (most_ == 0) return NetnsState::denied;
  const bool has_place = watched_.size() < most_ && (found.of_machine || of_users_ < kMostOfUsers);
  return has_place ? NetnsState::soon : NetnsState::too_many;
}

bool NetnsWatch::is_configured(const FoundNetns& found) const {
  return std::ranges::any_of(configured_, [&](const std::string& name) {
    const auto path = name.find('/') == std::string::npos ? std::string(kNamedMounts) + name : name;
    const auto held = netns_in_file(path);
    return path == found.mount || (held && held->inode == found.inode);
  });
}

}  // namespace tcpdiag
