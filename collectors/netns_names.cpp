// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_names.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "collectors/cgroup.h"
#include "collectors/conmon.h"
#include "collectors/netns_members.h"
#include "collectors/netns_mounts.h"
#include "collectors/proc_pid.h"
#include "core/snapshot.h"
#include "core/text.h"
#include "core/utf8.h"

namespace tcpdiag {
namespace {

/// At most so many bytes, each character that could do harm replaced.
std::string harmless(std::string_view text, std::string_view refused, std::size_t most) {
  std::string result;
  text = utf8_prefix(text, most);
  while (!text.empty()) {
    const auto character = text.substr(0, std::max<std::size_t>(utf8_length(text), 1));
    const bool is_harmless = is_one_line(character) && refused.find(character) == std::string_view::npos;
    result += is_harmless ? character : "_";
    text.remove_prefix(character.size());
  }
  return std::string(trimmed(result, " "));
}

std::string harmless_image(std::string_view text) { return harmless(text, "\"'`\\", kMostImageBytes); }

/// The id whose first digits the owner has, out of the text of /proc/PID/cgroup. Empty: it has none.
std::string id_of(const Owner& owner, std::string_view text) {
  if (owner.name.empty()) return {};
  for (auto at = text.find(owner.name); at != std::string_view::npos; at = text.find(owner.name, at + 1))
    if (const auto id = text.substr(at, 64); is_container_id(id)) return std::string(id);
  return {};
}

NetnsKind kind_of_runtime(std::string_view runtime) {
  struct Runtime {
    std::string_view name;
    NetnsKind kind;
  };
  constexpr std::array kKinds = {Runtime{"docker", NetnsKind::docker},
                                 Runtime{"podman", NetnsKind::podman},
                                 Runtime{"containerd", NetnsKind::containerd},
                                 Runtime{"crio", NetnsKind::crio},
                                 Runtime{"lxc", NetnsKind::lxc},
                                 Runtime{"incus", NetnsKind::incus},
                                 Runtime{"nspawn", NetnsKind::nspawn},
                                 Runtime{"libvirt-lxc", NetnsKind::libvirt},
                                 Runtime{"qemu", NetnsKind::libvirt}};
  const auto* found = std::ranges::find(kKinds, runtime, &Runtime::name);
  return found == kKinds.end() ? NetnsKind::other : found->kind;
}

/// "systemd-nspawn@my\x2dweb.service" is the machine "my-web".
std::string machine_of(std::string_view name) {
  constexpr std::string_view kBefore = "systemd-nspawn@", kAfter = ".service";
  if (!name.starts_with(kBefore) || !name.ends_with(kAfter)) return std::string(name);
  name = name.substr(kBefore.size(), name.size() - kBefore.size() - kAfter.size());
  std::string machine;
  while (!name.empty()) {
    const auto code = name.starts_with("\\x") ? to_number<std::uint8_t>(name.substr(2, 2), 16) : std::nullopt;
    machine += code ? static_cast<char>(*code) : name.front();
    name.remove_prefix(code ? 4 : 1);
  }
  return machine;
}

/// What users call their own is theirs to choose, so it is said whose it is.
std::string users_own(const std::string& name, std::uint32_t user) {
  return name + " (user " + std::to_string(user) + ")";
}

/// Of a group that anybody could have made, or a container's root.
bool may_be_forged(const Owner& owner) { return owner.nested || owner.uid.has_value(); }

/// Whether the record is that of the container which the namespace belongs to.
bool is_its_record(Source& source, const ContainerRecord& record, const Owner& owner,
                   const FoundNetns& netns) {
  if (!record.pid) return !may_be_forged(owner);
  const auto link = source.link(pid_directory(*record.pid) + "/ns/net");
  return link && parse_netns_link(*link) == netns.inode;
}

void take_record(const ContainerRecord& record, NetnsName& name) {
  auto& netns = name.netns;
  netns.runtime = record.runtime;
  netns.kind = kind_of_runtime(record.runtime);
  netns.pod = harmless_name(record.pod);
  netns.pod_namespace = harmless_name(record.pod_namespace);
  netns.compose_project = harmless_name(record.compose_project);
  netns.compose_service = harmless_name(record.compose_service);
  name.published = record.published;
  netns.conmon_pid = record.conmon_pid.value_or(0);
  const bool is_sandbox = record.type == "sandbox" || record.type == "podsandbox";
  if (!is_sandbox) netns.image = harmless_image(record.image);  // otherwise that of a process that only waits
  if (!netns.pod.empty()) {
    netns.kind = NetnsKind::kubernetes;
    netns.name = netns.pod_namespace.empty() ? netns.pod : netns.pod_namespace + "/" + netns.pod;
    name.settled = true;
  } else if (auto given = harmless_name(record.name); !given.empty()) {
    netns.name = std::move(given);
    // Docker notes the first process and the published ports a moment after the namespace is there.
    name.settled = record.pid.has_value() || netns.kind != NetnsKind::docker;
  }
}

void name_by_container(Source& source, ContainerFiles& files, const Owner& owner, std::string_view groups,
                       NetnsName& name) {
  auto& netns = name.netns;
  const auto id = id_of(owner, groups);
  name.inner = harmless_name(owner.inner);
  netns.kind = kind_of_runtime(owner.runtime);
  netns.runtime = owner.runtime;
  netns.container = harmless_name(machine_of(owner.name));
  netns.name = owner.runtime + ":" + netns.container;
  if (id.empty()) {  // a runtime that names its groups itself; where others can, it is said who should have
    if (!may_be_forged(owner) && !netns.container.empty()) netns.name = netns.container;
    name.settled = true;
    return;
  }
  const auto record = files.find(owner.runtime, id);
  if (record && is_its_record(source, *record, owner, netns)) {
    take_record(*record, name);
    return;
  }
  if (!owner.uid || netns.kind != NetnsKind::podman) return;
  const auto given = harmless_name(name_by_conmon(source, netns.anchor_pid, id, *owner.uid).value_or(""));
  if (given.empty()) return;
  netns.name = users_own(given, *owner.uid);
  name.settled = true;
}

/// By the last part of its path, where it has one.
void name_by_mount(NetnsName& name) {
  auto& netns = name.netns;
  const auto last = harmless_name(std::string_view(netns.mount).substr(netns.mount.rfind('/') + 1));
  if (last.empty()) return;
  const bool is_dockers = netns.mount.find("docker/netns/") != std::string::npos;
  netns.kind = is_dockers ? NetnsKind::docker : NetnsKind::named;
  netns.name = is_dockers ? "docker netns " + last : last;
  name.settled = !is_made_mount(netns.mount);
}

void name_by_unit(const Owner& owner, NetnsName& name) {
  const auto unit = harmless_name(owner.name);
  if (unit.empty()) return;
  name.netns.kind = NetnsKind::unit;
  name.netns.name = owner.kind == OwnerKind::user_unit && owner.uid ? users_own(unit, *owner.uid) : unit;
}

/// While a process ends, its control group is read as "/" (proc_cgroup_show() in kernel/cgroup/cgroup.c), and
/// then its namespaces are gone before itself.
bool has_ended(Source& source, const std::string& directory) {
  const auto link = source.link(directory + "/ns/net");
  if (!link) return link.error().code == Errc::missing;
  const auto stat = source.read(directory + "/stat").and_then(parse_pid_stat);
  return stat && stat->exiting;
}

std::string name_of_inode(const FoundNetns& netns) { return "netns " + std::to_string(netns.inode); }

/// What is seen now, with what was said of it before.
FoundNetns as_seen(const FoundNetns& seen, FoundNetns said) {
  said.anchor_pid = seen.anchor_pid;
  said.anchor_start_ticks = seen.anchor_start_ticks;
  said.processes = seen.processes;
  said.mount = seen.mount;
  return said;
}

bool has_same_anchor(const FoundNetns& a, const FoundNetns& b) {
  return a.anchor_pid == b.anchor_pid && a.anchor_start_ticks == b.anchor_start_ticks;
}

}  // namespace

std::string harmless_name(std::string_view text) { return harmless(text, "\"'`\\/", kMostNameBytes); }

NetnsName name_netns(Source& source, ContainerFiles& files, FoundNetns netns) {
  NetnsName name{.netns = std::move(netns), .inner = {}};
  name.netns.name = name_of_inode(name.netns);
  const auto directory = pid_directory(name.netns.anchor_pid);
  const auto groups = name.netns.anchor_pid == 0 ? Result<std::string>() : source.read(directory + "/cgroup");
  const auto owner =
      groups && !groups->empty() ? read_cgroup_owner(source, directory).value_or(Owner()) : Owner();
  const bool is_unit = owner.kind == OwnerKind::system_unit || owner.kind == OwnerKind::user_unit ||
                       owner.kind == OwnerKind::session;
  if (owner.kind == OwnerKind::container || owner.kind == OwnerKind::machine)
    name_by_container(source, files, owner, *groups, name);
  else if (!name.netns.mount.empty())
    name_by_mount(name);
  else if (is_unit)
    name_by_unit(owner, name);
  else
    name.ended = name.netns.anchor_pid != 0 && has_ended(source, directory);
  return name;
}

void NetnsNames::name(Source& source, NetnsList& list) {
  forget_gone(list);
  holders_.try_emplace(kHostNetns);
  std::vector<const FoundNetns*> due;
  for (const auto& netns : list.namespaces)
    if (is_due(netns)) due.push_back(&netns);
  std::ranges::stable_partition(due, [&](const auto* netns) { return !kept_.contains(netns->generation); });

  ContainerFiles files(source);
  std::set<std::uint64_t> ended;
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (i < kAtOnce) {
      auto name = name_netns(source, files, *due[i]);
      if (!name.ended)
        keep(std::move(name));
      else if (!kept_.contains(due[i]->generation))
        ended.insert(due[i]->generation);
    } else if (!kept_.contains(due[i]->generation)) {
      NetnsName later{.netns = *due[i], .inner = {}};
      later.netns.name = name_of_inode(later.netns);
      keep(std::move(later));
      ++kept_.at(due[i]->generation).tries_left;  // it has not been tried
    }
  }
  std::erase_if(list.namespaces, [&](const auto& netns) { return ended.contains(netns.generation); });
  for (auto& netns : list.namespaces) {
    if (netns.kind == NetnsKind::host)
      netns.name = kHostNetns;
    else
      netns = as_seen(netns, kept_.at(netns.generation).said);
  }
}

void NetnsNames::put_published(NetnsList& list) const {
  for (const auto& [generation, kept] : kept_)
    list.published.insert(list.published.end(), kept.published.begin(), kept.published.end());
}

void NetnsNames::forget_gone(const NetnsList& list) {
  std::set<std::uint64_t> there;
  for (const auto& netns : list.namespaces) there.insert(netns.generation);
  std::erase_if(holders_, [&](const auto& holder) {
    return holder.second.kind != NetnsKind::host && !there.contains(holder.second.generation);
  });
  std::erase_if(kept_, [&](const auto& kept) { return !there.contains(kept.first); });
}

bool NetnsNames::is_due(const FoundNetns& netns) const {
  if (netns.kind == NetnsKind::host) return false;
  const auto kept = kept_.find(netns.generation);
  if (kept == kept_.end()) return true;
  const auto& what = kept->second;
  return !what.settled && (what.tries_left > 0 || !has_same_anchor(what.said, netns));
}

void NetnsNames::keep(NetnsName name) {
  auto& kept = kept_[name.netns.generation];
  if (!has_same_anchor(kept.said, name.netns)) kept.tries_left = kTries;  // who came now may say more
  --kept.tries_left;
  kept.settled = name.settled;
  kept.published = std::move(name.published);
  if (kept.wanted == name.netns.name) {
    auto unique_name = std::move(kept.said.name);
    kept.said = std::move(name.netns);
    kept.said.name = std::move(unique_name);
    return;
  }
  holders_.erase(kept.said.name);
  kept.wanted = name.netns.name;
  name.netns.name = unique(name);
  holders_[name.netns.name] = {.generation = name.netns.generation, .kind = name.netns.kind};
  kept.said = std::move(name.netns);
}

/// The first of what it might be called that is free.
std::string NetnsNames::unique(const NetnsName& name) const {
  const auto& wanted = name.netns.name;
  const auto holder = holders_.find(wanted);
  if (holder == holders_.end()) return wanted;
  auto with_inner = wanted + "/" + name.inner;
  if (!name.inner.empty() && is_free(with_inner)) return with_inner;
  auto with_kind = wanted + " (" + std::string(to_string(name.netns.kind)) + ")";
  if (holder->second.kind != name.netns.kind && is_free(with_kind)) return with_kind;
  auto with_number = wanted + " " + std::to_string(name.netns.inode);
  while (!is_free(with_number)) with_number += "-" + std::to_string(name.netns.generation);
  return with_number;
}

}  // namespace tcpdiag
