// SPDX-License-Identifier: Apache-2.0
#include "collectors/container_files.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>

#include "collectors/docker_ports.h"
#include "collectors/json_values.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

using Json = nlohmann::json;

constexpr auto kDockerSettings = "/etc/docker/daemon.json";
constexpr auto kDockerDataRoot = "/var/lib/docker";

// Where containerd keeps bundles: its own, Docker's, k3s's, k0s's and MicroK8s's.
constexpr std::array<std::string_view, 7> kBundles = {
    "/run/containerd/io.containerd.runtime.v2.task/k8s.io/",
    "/run/containerd/io.containerd.runtime.v2.task/default/",
    "/run/containerd/io.containerd.runtime.v2.task/moby/",
    "/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/",
    "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/",
    "/run/k0s/containerd/io.containerd.runtime.v2.task/k8s.io/",
    "/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/k8s.io/",
};

// Of containers/storage, which podman and CRI-O share: what survives a boot is not under /run.
constexpr std::array<std::string_view, 2> kStores = {"/run/containers/storage/overlay-containers/",
                                                     "/var/lib/containers/storage/overlay-containers/"};
constexpr std::array<std::string_view, 2> kStoreLists = {"containers.json", "volatile-containers.json"};

/// A value that is wanted, and where it stands: shorter paths end with empty keys.
struct Wanted {
  std::array<std::string_view, 3> path;
  std::string ContainerRecord::* into;
};

// Of several rows for one member the first that says something counts: what the runtime itself sets stands
// before what it takes over from a pod, where a user might have put it.
constexpr std::array kDocker = {
    Wanted{{"Name"}, &ContainerRecord::name},
    Wanted{{"Config", "Image"}, &ContainerRecord::image},
    Wanted{{"Config", "Labels", "io.kubernetes.docker.type"}, &ContainerRecord::type},
    Wanted{{"Config", "Labels", "io.kubernetes.pod.name"}, &ContainerRecord::pod},
    Wanted{{"Config", "Labels", "io.kubernetes.pod.namespace"}, &ContainerRecord::pod_namespace},
    Wanted{{"Config", "Labels", "com.docker.compose.project"}, &ContainerRecord::compose_project},
    Wanted{{"Config", "Labels", "com.docker.compose.service"}, &ContainerRecord::compose_service},
};
constexpr std::array kOci = {
    Wanted{{"annotations", "io.kubernetes.cri.container-name"}, &ContainerRecord::name},
    Wanted{{"annotations", "io.kubernetes.container.name"}, &ContainerRecord::name},
    Wanted{{"annotations", "nerdctl/name"}, &ContainerRecord::name},
    Wanted{{"annotations", "io.kubernetes.cri.image-name"}, &ContainerRecord::image},
    Wanted{{"annotations", "io.kubernetes.cri-o.ImageName"}, &ContainerRecord::image},
    Wanted{{"annotations", "io.kubernetes.cri.container-type"}, &ContainerRecord::type},
    Wanted{{"annotations", "io.kubernetes.cri-o.ContainerType"}, &ContainerRecord::type},
    Wanted{{"annotations", "io.kubernetes.cri.sandbox-name"}, &ContainerRecord::pod},
    Wanted{{"annotations", "io.kubernetes.cri-o.KubeName"}, &ContainerRecord::pod},
    Wanted{{"annotations", "io.kubernetes.pod.name"}, &ContainerRecord::pod},
    Wanted{{"annotations", "io.kubernetes.cri.sandbox-namespace"}, &ContainerRecord::pod_namespace},
    Wanted{{"annotations", "io.kubernetes.cri-o.Namespace"}, &ContainerRecord::pod_namespace},
    Wanted{{"annotations", "io.kubernetes.pod.namespace"}, &ContainerRecord::pod_namespace},
};
constexpr std::array<std::string_view, 3> kDockerPid = {"State", "Pid"};

bool is_at(JsonPath path, std::span<const std::string_view> wanted) {
  const auto end = std::ranges::find(wanted, std::string_view());
  return std::ranges::equal(path, std::span(wanted.begin(), end));
}

/// The place among the rows of what is wanted at a path; as many as there are: nothing is.
std::size_t row_of(std::span<const Wanted> rows, JsonPath path) {
  return static_cast<std::size_t>(
      std::ranges::find_if(rows, [&](const Wanted& row) { return is_at(path, row.path); }) - rows.begin());
}

std::optional<ContainerRecord> parse_record(std::string_view text, std::span<const Wanted> rows) {
  std::vector<std::string> values(rows.size());
  std::optional<std::int32_t> pid;
  DockerPorts published;
  const bool is_valid = for_each_json_value(text, [&](JsonPath path, std::string_view value) {
    published.take(path, value);
    if (const auto row = row_of(rows, path); row < rows.size()) values[row] = value;
    if (is_at(path, kDockerPid)) pid = to_number<std::int32_t>(value);
  });
  if (!is_valid) return std::nullopt;
  ContainerRecord record;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (auto& into = record.*rows[i].into; into.empty()) into = std::move(values[i]);
  if (pid && *pid > 0) record.pid = pid;  // 0: it does not run
  record.published = published.all();
  return record;
}

/// podman's note about a container, which is JSON in a string: "docker.io/library/nginx:1.27".
std::string image_in(std::string_view metadata) {
  std::string image;
  const bool is_valid = for_each_json_value(metadata, [&](JsonPath path, std::string_view value) {
    if (path.size() == 1 && path.front() == "image-name") image = value;
  });
  return is_valid ? image : std::string();
}

/// What it is made of came out of a parser, which takes nothing but UTF-8.
std::string line_of(const Json& json) { return json.dump() + "\n"; }

/// The values that are wanted, each in as many objects as it stood in.
std::string only_wanted(std::string_view text, std::span<const Wanted> rows) {
  auto only = Json::object();
  const bool is_valid = for_each_json_value(text, [&](JsonPath path, std::string_view value) {
    const bool is_other = is_at(path, kDockerPid) || DockerPorts::has(path);
    if (!is_other && row_of(rows, path) == rows.size()) return;
    auto* at = &only;
    for (const auto& key : path) at = &(*at)[key];
    *at = value;
  });
  return is_valid ? line_of(only) : std::string();
}

std::string only_names(std::string_view text) {
  const auto stored = parse_stored_containers(text);
  if (!stored) return {};
  auto list = Json::array();
  for (const auto& [id, record] : *stored)
    list.push_back({{"id", id},
                    {"names", Json::array({record.name})},
                    {"metadata", Json{{"image-name", record.image}}.dump()}});
  return line_of(list);
}

}  // namespace

bool is_container_id(std::string_view text) {
  constexpr std::size_t kDigits = 64;
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<ContainerRecord> parse_docker_config(std::string_view text) {
  auto record = parse_record(text, kDocker);
  if (record && record->name.starts_with('/')) record->name.erase(0, 1);
  return record;
}

std::optional<ContainerRecord> parse_oci_config(std::string_view text) { return parse_record(text, kOci); }

std::optional<std::vector<StoredContainer>> parse_stored_containers(std::string_view text) {
  constexpr std::size_t kMostStored = 1 << 14;
  std::vector<StoredContainer> stored;
  std::string place;  // the present one's in the list
  const bool is_valid = for_each_json_value(text, [&](JsonPath path, std::string_view value) {
    if (path.size() < 2 || stored.size() > kMostStored) return;
    if (stored.empty() || path.front() != place) stored.emplace_back();
    place = path.front();
    auto& [id, record] = stored.back();
    if (path.size() == 2 && path[1] == "id") id = value;
    if (path.size() == 2 && path[1] == "metadata") record.image = image_in(value);
    if (path.size() == 3 && path[1] == "names" && record.name.empty()) record.name = value;
  });
  if (!is_valid || stored.size() > kMostStored) return std::nullopt;
  return stored;
}

std::string parse_docker_data_root(std::string_view text) {
  std::string directory;
  const bool is_valid = for_each_json_value(text, [&](JsonPath path, std::string_view value) {
    if (path.size() == 1 && path.front() == "data-root") directory = value;
  });
  const bool is_path = directory.starts_with('/') && directory.find('\0') == std::string::npos;
  return is_valid && is_path ? directory : kDockerDataRoot;
}

std::string shareable_container_file(const std::string& path, const std::string& content) {
  if (path == kDockerSettings) return line_of({{"data-root", parse_docker_data_root(content)}});
  if (path.ends_with("/config.v2.json")) return only_wanted(content, kDocker);
  if (path.ends_with("/config.json")) return only_wanted(content, kOci);
  const bool is_list = std::ranges::any_of(kStoreLists, [&](auto name) { return path.ends_with(name); });
  return is_list ? only_names(content) : content;
}

std::optional<ContainerRecord> ContainerFiles::find(std::string_view runtime, const std::string& id) {
  if (!is_container_id(id)) return std::nullopt;
  struct Way {
    std::string_view runtime;
    std::optional<ContainerRecord> (ContainerFiles::*find)(const std::string&);
  };
  constexpr std::array<Way, 4> kWays = {
      Way{"containerd", &ContainerFiles::of_containerd}, Way{"docker", &ContainerFiles::of_docker},
      Way{"crio", &ContainerFiles::of_crio}, Way{"podman", &ContainerFiles::of_podman}};
  std::optional<ContainerRecord> nameless;  // it runs, which is all that its files say
  for (const auto& way : kWays) {
    if (way.runtime != runtime && runtime != "container") continue;  // which may be any of them
    auto record = (this->*way.find)(id);
    if (record) record->runtime = way.runtime;
    if (record && (!record->name.empty() || !record->pod.empty())) return record;
    if (!nameless) nameless = std::move(record);
  }
  return nameless;
}

std::optional<ContainerRecord> ContainerFiles::of_docker(const std::string& id) {
  if (!docker_data_root_) {
    const auto text = source_.read(kDockerSettings);
    docker_data_root_ = parse_docker_data_root(text ? *text : std::string());
  }
  const auto text = source_.read(*docker_data_root_ + "/containers/" + id + "/config.v2.json");
  return text ? parse_docker_config(*text) : std::nullopt;
}

std::optional<ContainerRecord> ContainerFiles::of_containerd(const std::string& id) {
  for (const auto directory : kBundles)
    if (auto record = of_bundle(std::string(directory) + id, "/init.pid")) return record;
  return std::nullopt;
}

std::optional<ContainerRecord> ContainerFiles::of_crio(const std::string& id) {
  for (const auto store : kStores)
    if (auto record = of_bundle(std::string(store) + id + "/userdata", "/pidfile")) return record;
  return std::nullopt;
}

std::optional<ContainerRecord> ContainerFiles::of_podman(const std::string& id) {
  const auto& all = stored();
  const auto found = std::ranges::find(all, id, &StoredContainer::id);
  if (found == all.end()) return std::nullopt;
  auto record = found->record;
  const auto directory = std::string(kStores.front()) + id + "/userdata";
  record.pid = pid_in(directory + "/pidfile");
  if (record.pid) record.conmon_pid = pid_in(directory + "/conmon.pid");
  return record;
}

std::optional<ContainerRecord> ContainerFiles::of_bundle(const std::string& directory, const char* pid_file) {
  const auto text = source_.read(directory + "/config.json");
  auto record = text ? parse_oci_config(*text) : std::nullopt;
  if (record) record->pid = pid_in(directory + pid_file);
  return record;
}

std::optional<std::int32_t> ContainerFiles::pid_in(const std::string& path) {
  const auto text = source_.read(path);
  const auto pid = text ? to_number<std::int32_t>(trimmed(*text, " \n")) : std::nullopt;
  return pid && *pid > 0 ? pid : std::nullopt;
}

const std::vector<StoredContainer>& ContainerFiles::stored() {
  if (stored_) return *stored_;
  stored_.emplace();
  for (const auto store : kStores) {
    for (const auto list : kStoreLists) {
      const auto text = source_.read(std::string(store) + std::string(list));
      auto containers = text ? parse_stored_containers(*text) : std::nullopt;
      if (containers) std::ranges::move(*containers, std::back_inserter(*stored_));
    }
  }
  return *stored_;
}

}  // namespace tcpdiag
