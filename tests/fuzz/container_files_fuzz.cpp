// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "collectors/container_files.h"
#include "collectors/netns_names.h"
#include "core/utf8.h"

using namespace tcpdiag;

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

/// What a recording keeps of a file says the same as the file.
void check_shared(std::string_view text) {
  const std::string content(text);
  const auto docker = parse_docker_config(text);
  const auto kept = parse_docker_config(shareable_container_file("/x/config.v2.json", content));
  check(docker.has_value() == kept.has_value());
  check(!docker || (docker->name == kept->name && docker->image == kept->image && docker->pid == kept->pid));
  const auto oci = parse_oci_config(text);
  const auto kept_oci = parse_oci_config(shareable_container_file("/x/config.json", content));
  check(oci.has_value() == kept_oci.has_value());
  check(!oci || (oci->pod == kept_oci->pod && oci->image == kept_oci->image));
  const auto stored = parse_stored_containers(text);
  const auto kept_list = parse_stored_containers(shareable_container_file("/x/containers.json", content));
  check(stored.has_value() == kept_list.has_value());
  check(!stored || stored->size() == kept_list->size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_shared(text);
  (void)parse_docker_data_root(text);
  const auto name = harmless_name(text);
  check(name.size() <= kMostNameBytes && is_one_line(name) && harmless_name(name) == name);
  return 0;
}
