// SPDX-License-Identifier: Apache-2.0
#include "collectors/cgroup.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kIdDigits = 64;
constexpr std::size_t kShownDigits = 12;

/// The groups of a path, the outermost first.
using Groups = std::span<const std::string_view>;

std::vector<std::string_view> groups_of(std::string_view path) {
  constexpr std::string_view kDeleted = " (deleted)";  // the group was removed while the process lives
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  std::vector<std::string_view> groups;
  while (!path.empty()) {
    const auto group = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), group.size() + 1));
    if (!group.empty()) groups.push_back(group);
  }
  return groups;
}

bool is_id(std::string_view text) {
  return text.size() == kIdDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix) || text.size() == prefix.size()) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix) || text.size() == suffix.size()) return false;
  text.remove_suffix(suffix.size());
  return true;
}

/// "rkt\x2d4a3f" is how systemd writes "rkt-4a3f".
std::string unescaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto code = text.starts_with("\\x") ? to_number<std::uint8_t>(text.substr(2, 2), 16) : std::nullopt;
    const bool printable = code && *code > 0x20 && *code < 0x7f;
    result += printable ? static_cast<char>(*code) : text.front();
    text.remove_prefix(printable ? 4 : 1);
  }
  return result;
}

Owner container(std::string_view runtime, std::string_view name) {
  return {.kind = OwnerKind::container, .runtime = std::string(runtime), .name = std::string(name)};
}

Owner container_of_id(std::string_view runtime, std::string_view id) {
  return container(runtime, id.substr(0, kShownDigits));
}

struct Prefix {
  std::string_view before, runtime;
};

/// By the id of a container in the name of its group; none: there is none.
Owner by_id(std::string_view group, std::string_view parent) {
  constexpr std::array kRuntimes = {Prefix{"docker-", "docker"}, Prefix{"libpod-", "podman"},
                                    Prefix{"cri-containerd-", "containerd"}, Prefix{"crio-", "crio"}};
  if (is_id(group)) return container_of_id(parent == "docker" ? "docker" : "container", group);
  // containerd given a systemd path while it does not use systemd: "SLICE:cri-containerd:ID"
  if (const auto colon = group.rfind(':'); colon != std::string_view::npos && is_id(group.substr(colon + 1)))
    return container_of_id(group.substr(0, colon).ends_with(":cri-containerd") ? "containerd" : "container",
                           group.substr(colon + 1));
  const bool scope = take_suffix(group, ".scope");  // that it has where systemd makes the group
  const auto dash = group.rfind('-');
  if (dash == std::string_view::npos || !is_id(group.substr(dash + 1))) return {};
  const auto* known = std::ranges::find(kRuntimes, group.substr(0, dash + 1), &Prefix::before);
  if (known == kRuntimes.end() && !scope) return {};
  return container_of_id(known == kRuntimes.end() ? "container" : known->runtime, group.substr(dash + 1));
}

/// "qemu-1-NAME" as libvirt names what it registers with systemd: the name.
std::string without_number(const std::string& name) {
  const auto dash = name.find('-');
  return dash == std::string::npos || dash + 1 == name.size() ? name : name.substr(dash + 1);
}

/// Of those that systemd-machined has registered, and of libvirt without it.
Owner by_machine(std::string_view group, std::string_view parent) {
  if (take_suffix(group, ".libvirt-qemu"))
    return {.kind = OwnerKind::machine, .runtime = "qemu", .name = std::string(group)};
  if (take_suffix(group, ".libvirt-lxc")) return container("libvirt-lxc", group);
  if (parent != "machine.slice") return {};
  if (group.starts_with("systemd-nspawn@") && is_unit_name(group)) return container("nspawn", group);
  if (!take_suffix(group, ".scope") || !take_prefix(group, "machine-")) return {};
  const auto name = unescaped(group);
  if (name.starts_with("qemu-"))
    return {.kind = OwnerKind::machine, .runtime = "qemu", .name = without_number(name.substr(5))};
  if (name.starts_with("lxc-")) return container("libvirt-lxc", without_number(name.substr(4)));
  if (name.starts_with("rkt-")) return container("rkt", name.substr(4));
  return container("nspawn", name);
}

/// By the name of a container in that of its group, as LXC and what is built on it have it.
Owner by_name(std::string_view group, std::string_view parent) {
  if (parent == "lxc" || parent == "lxc.payload" || parent == "lxc.monitor") return container("lxc", group);
  if (take_prefix(group, "lxc.payload.") || take_prefix(group, "lxc.monitor."))
    return container("lxc", group);
  if (parent == "incus.slice" && take_suffix(group, ".scope") && take_prefix(group, "incus-"))
    return container("incus", group);
  return {};
}

Owner container_at(Groups groups, std::size_t i) {
  const auto parent = i == 0 ? std::string_view() : groups[i - 1];
  // systemd-nspawn itself, not what is inside
  if (i + 1 < groups.size() && groups[i + 1] == "supervisor") return {};
  for (const auto find : {by_id, by_machine, by_name})
    if (auto owner = find(groups[i], parent); owner.kind != OwnerKind::none) return owner;
  return {};
}

/// The unit of that group; empty: it is named like none.
std::string_view unit_of(std::string_view group) {
  constexpr std::array<std::string_view, 5> kSuffixes = {".service", ".scope", ".socket", ".mount", ".swap"};
  if (group.starts_with('_'))
    group.remove_prefix(1);  // before a name that looks like one of the kernel's files
  const bool is_one = std::ranges::any_of(kSuffixes, [&](std::string_view suffix) {
    return group.ends_with(suffix) && group.size() > suffix.size();
  });
  return is_one ? group : std::string_view();
}

std::string innermost_unit(Groups groups) {
  for (auto group = groups.rbegin(); group != groups.rend(); ++group)
    if (const auto unit = unit_of(*group); !unit.empty()) return std::string(unit);
  return {};
}

std::optional<std::uint32_t> number_between(std::string_view text, std::string_view before,
                                            std::string_view after) {
  if (!take_prefix(text, before) || !take_suffix(text, after)) return std::nullopt;
  return to_number<std::uint32_t>(text);
}

/// The user whose manager is one of these groups.
std::optional<std::uint32_t> user_of(Groups groups) {
  if (groups.empty() || groups.front() != "user.slice") return std::nullopt;
  for (const auto group : groups)
    if (const auto uid = number_between(group, "user@", ".service")) return uid;
  return std::nullopt;
}

Owner container_in(Groups groups) {
  for (auto i = groups.size(); i-- > 0;) {
    auto owner = container_at(groups, i);
    if (owner.kind == OwnerKind::none) continue;
    const auto around = groups.first(i);
    owner.inner = innermost_unit(groups.subspan(i + 1));
    owner.uid = user_of(around);
    for (std::size_t outer = 0; outer < i; ++outer)
      owner.nested = owner.nested || groups[outer] == ".." ||
                     (!unit_of(groups[outer]).empty() && !owner.uid) ||
                     container_at(groups, outer).kind != OwnerKind::none;
    return owner;
  }
  return {};
}

Owner other(std::string name) {
  return name.empty() ? Owner() : Owner{.kind = OwnerKind::other, .runtime = {}, .name = std::move(name)};
}

/// A unit of the user's own manager, in the groups below it.
Owner users_unit(Groups groups, std::uint32_t uid) {
  const auto unit = std::ranges::find_if(groups, [](auto group) { return !unit_of(group).empty(); });
  if (unit == groups.end()) return {};
  if (!is_unit_name(unit_of(*unit))) return other(std::string(unit_of(*unit)));
  return {.kind = OwnerKind::user_unit,
          .runtime = {},
          .name = std::string(unit_of(*unit)),
          .inner = {},
          .uid = uid};
}

Owner unit_in(Groups groups) {
  const auto first = std::ranges::find_if(groups, [](auto group) { return !group.ends_with(".slice"); });
  if (first == groups.end()) return {};
  const auto name = unit_of(*first);
  if (!is_unit_name(name)) return other(innermost_unit(groups));
  if (groups.front() == "user.slice") {
    if (const auto uid = number_between(name, "user@", ".service"))
      if (auto owner = users_unit(groups.subspan(static_cast<std::size_t>(first - groups.begin()) + 1), *uid);
          owner.kind != OwnerKind::none)
        return owner;
    if (name.starts_with("session-") && groups.size() > 1)
      return {.kind = OwnerKind::session,
              .runtime = {},
              .name = std::string(name),
              .inner = {},
              .uid = number_between(groups[1], "user-", ".slice")};
  }
  return system_unit(std::string(name));
}

/// What /proc/PID/cgroup says. "0::PATH" is cgroup v2, "N:name=systemd:PATH" systemd's own v1 tree. On hosts
/// with both, and on those without systemd, a container may be in the trees of v1 controllers alone.
struct Paths {
  std::string_view v2, systemd;
  std::vector<std::string_view> controllers;
};

Paths paths_in(std::string_view text) {
  Paths paths;
  while (!text.empty()) {
    const auto line = next_line(text);
    const auto first = line.find(':');
    const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    const auto path = line.substr(second + 1);
    if (controllers.empty())
      paths.v2 = path;
    else if (controllers == "name=systemd")
      paths.systemd = path;
    else if (paths.controllers.empty() || path != paths.controllers.back())
      paths.controllers.push_back(path);
  }
  return paths;
}

/// The directory in which the group of a unit that unit_in() tells was made, below its hierarchy's mount. The
/// unit's own may have been given to the user that it runs as (Delegate=).
std::string slices_above(std::string_view path) {
  std::string directory;
  for (const auto group : groups_of(path)) {
    if (!group.ends_with(".slice")) break;
    directory.append("/").append(group);
  }
  return directory;
}

Owner owner_in(const Paths& paths) {
  std::vector<std::string_view> all{paths.v2, paths.systemd};
  all.insert(all.end(), paths.controllers.begin(), paths.controllers.end());
  for (const auto path : all)
    if (auto owner = container_in(groups_of(path)); owner.kind != OwnerKind::none) return owner;
  for (const auto path : {paths.v2, paths.systemd})
    if (auto owner = unit_in(groups_of(path)); owner.kind != OwnerKind::none) return owner;
  return {};
}

/// The user who owns it, of whichever hierarchy; an error where it is not seen.
Result<std::uint32_t> owner_of_unit(Source& source, const Paths& paths) {
  const bool is_v2 = unit_in(groups_of(paths.v2)).kind != OwnerKind::none;
  const auto directory = slices_above(is_v2 ? paths.v2 : paths.systemd);
  if (!is_v2) return source.owner("/sys/fs/cgroup/systemd" + directory);
  const auto user = source.owner("/sys/fs/cgroup" + directory);
  return user ? user : source.owner("/sys/fs/cgroup/unified" + directory);  // beside v1
}

}  // namespace

Owner parse_cgroup_owner(std::string_view text) { return owner_in(paths_in(text)); }

Result<Owner> read_cgroup_owner(Source& source, const std::string& directory) {
  return source.read(directory + "/cgroup").map([&](const std::string& text) {
    const auto paths = paths_in(text);
    auto owner = owner_in(paths);
    if (owner.kind != OwnerKind::system_unit) return owner;
    const auto user = owner_of_unit(source, paths);
    return user && *user != 0 ? other(owner.name) : owner;
  });
}

}  // namespace tcpdiag
