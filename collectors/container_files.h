// SPDX-License-Identifier: Apache-2.0
// What container runtimes write down about their containers, in files that root alone can write. A file that
// is missing, denied, cut off or too long says nothing, and the next one is asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/source.h"
#include "core/facts/netns_list.h"

namespace tcpdiag {

/// What is known of a container. The texts are as somebody chose them: of any length, with any characters.
/// Empty: not known.
struct ContainerRecord {
  std::string name;
  std::string image;
  std::string runtime;  ///< as Owner::runtime: whose files say so
  std::string type;     ///< "sandbox": it holds a pod's namespaces and runs nothing
  std::string pod;
  std::string pod_namespace;
  std::string compose_project;
  std::string compose_service;
  std::optional<std::int32_t> pid;         ///< of its first process
  std::vector<PublishedPort> published;    ///< of Docker's containers, while they run
  std::optional<std::int32_t> conmon_pid;  ///< of podman's: FoundNetns::conmon_pid
};

/// Docker's DATA_ROOT/containers/ID/config.v2.json. Empty: it is none.
std::optional<ContainerRecord> parse_docker_config(std::string_view text);

/// The annotations of an OCI bundle's config.json, as containerd, CRI-O and nerdctl fill them. Empty: it is
/// none.
std::optional<ContainerRecord> parse_oci_config(std::string_view text);

/// A container in the list that containers/storage keeps, for podman.
struct StoredContainer {
  std::string id;
  ContainerRecord record;
};

/// .../overlay-containers/containers.json or volatile-containers.json. Empty: it is none.
std::optional<std::vector<StoredContainer>> parse_stored_containers(std::string_view text);

/// "data-root" in Docker's /etc/docker/daemon.json; /var/lib/docker where it does not say.
std::string parse_docker_data_root(std::string_view text);

/// Whether it is an id that may become part of a path: 64 hexadecimal digits.
bool is_container_id(std::string_view text);

/// What of such a file may be in a recording: what is read here. The rest are commands, environments and
/// with them passwords. Of other files all.
std::string shareable_container_file(const std::string& path, const std::string& content);

/// The files of all runtimes. What serves many containers is read once, so one is made for each round.
class ContainerFiles {
 public:
  explicit ContainerFiles(Source& source) : source_(source) {}

  /// What the runtime, as Owner::runtime has it, has written down about the container of that id. Empty: it
  /// is not found.
  std::optional<ContainerRecord> find(std::string_view runtime, const std::string& id);

 private:
  std::optional<ContainerRecord> of_docker(const std::string& id);
  std::optional<ContainerRecord> of_containerd(const std::string& id);
  std::optional<ContainerRecord> of_crio(const std::string& id);
  std::optional<ContainerRecord> of_podman(const std::string& id);
  std::optional<ContainerRecord> of_bundle(const std::string& directory, const char* pid_file);
  std::optional<std::int32_t> pid_in(const std::string& path);
  const std::vector<StoredContainer>& stored();

  Source& source_;
  std::optional<std::string> docker_data_root_;
  std::optional<std::vector<StoredContainer>> stored_;
};

}  // namespace tcpdiag
