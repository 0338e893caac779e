// SPDX-License-Identifier: Apache-2.0
#include "collectors/cgroup.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kIdDigits = 64;
constexpr std::size_t kShownDigits = 12;

struct Runtime {
  std::string_view before_id;  // as the runtimes that ask systemd for a scope name it
  std::string_view name;
};
constexpr std::array kRuntimes = {Runtime{"docker-", "docker"}, Runtime{"libpod-", "podman"},
                                  Runtime{"cri-containerd-", "containerd"}, Runtime{"crio-", "crio"}};

constexpr std::array<std::string_view, 5> kUnitSuffixes = {".service", ".scope", ".socket", ".mount",
                                                           ".swap"};

bool is_id(std::string_view text) {
  return text.size() == kIdDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string shown(std::string_view runtime, std::string_view id) {
  return std::string(runtime) + ":" + std::string(id.substr(0, kShownDigits));
}

/// "docker-ID.scope", or the bare ID that a runtime without systemd makes below a group of its own.
std::string container_of(std::string_view component, std::string_view path) {
  if (is_id(component)) return shown(path.starts_with("/docker/") ? "docker" : "container", component);
  // containerd given a systemd path while it does not use systemd: "SLICE:cri-containerd:ID"
  if (const auto colon = component.rfind(':'); colon != std::string_view::npos) {
    const auto id = component.substr(colon + 1);
    return is_id(id)
               ? shown(component.ends_with(":cri-containerd:" + std::string(id)) ? "containerd" : "container",
                       id)
               : std::string();
  }
  constexpr std::string_view kScope = ".scope";
  if (!component.ends_with(kScope)) return {};
  component.remove_suffix(kScope.size());
  const auto dash = component.rfind('-');
  if (dash == std::string_view::npos || !is_id(component.substr(dash + 1))) return {};
  const auto before_id = component.substr(0, dash + 1);
  const auto known = std::find_if(kRuntimes.begin(), kRuntimes.end(),
                                  [&](const Runtime& runtime) { return runtime.before_id == before_id; });
  return shown(known == kRuntimes.end() ? "container" : known->name, component.substr(dash + 1));
}

std::string unit_of(std::string_view component) {
  // systemd puts '_' before a name that would look like one of the kernel's files
  if (component.starts_with('_')) component.remove_prefix(1);
  for (const auto suffix : kUnitSuffixes) {
    if (component.ends_with(suffix) && component.size() > suffix.size()) return std::string(component);
  }
  return {};
}

std::string name_of(std::string_view path) {
  constexpr std::string_view kDeleted = " (deleted)";  // the group was removed while the process lives
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  std::string unit;
  for (auto rest = path; !rest.empty();) {
    const auto slash = rest.rfind('/');
    if (slash == std::string_view::npos) break;
    const auto component = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
    if (auto container = container_of(component, path); !container.empty()) return container;
    if (unit.empty()) unit = unit_of(component);
  }
  return unit;
}

}  // namespace

std::string parse_cgroup_unit(std::string_view text) {
  // "0::PATH" is cgroup v2, "N:name=systemd:PATH" systemd's own v1 tree; the others follow the one or the
  // other
  std::string_view v2, systemd;
  while (!text.empty()) {
    const auto line = next_line(text);
    const auto first = line.find(':');
    const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    if (controllers.empty()) v2 = line.substr(second + 1);
    if (controllers == "name=systemd") systemd = line.substr(second + 1);
  }
  auto name = name_of(v2);
  return name.empty() ? name_of(systemd) : name;
}

}  // namespace tcpdiag
