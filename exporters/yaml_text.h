// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace tcpdiag {

/// What is wrong with a YAML file, and where.
struct YamlComplaint {
  int line = 0;
  std::string text;
};

/// The one document of a YAML file. What other readers refuse or read in another way than yaml-cpp does is an
/// error: a quoted text without an end, characters that YAML does not have, line ends that are neither \n nor
/// \r\n. So are tags (`!!str`), directives (`%YAML`) and a second document: nobody needs them.
tl::expected<YAML::Node, YamlComplaint> load_yaml(std::string_view text);

}  // namespace tcpdiag
