// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "daemon/option_value.h"

namespace tcpdiag {

/// One key of the configuration file and its value, neither of them checked.
struct ConfigEntry {
  std::string key;
  OptionValue value;
};

/// Parses JSON with comments whose outermost value is an object; the entries come in the file's order. What
/// is not JSON is an error that names line and column; a key that is there twice, at any depth, is one too.
/// `name` begins every error's detail.
Result<std::vector<ConfigEntry>> parse_config_file(const std::string& name, std::string_view text);

/// The text of the file, at most kMaxConfigBytes.
Result<std::string> read_config_file(const std::string& path);

inline constexpr std::size_t kMaxConfigBytes = 1 << 20;

/// A name that stands in the file `path`, as one that can be opened: a relative one counts from its
/// directory.
std::string path_beside(const std::string& path, const std::string& name);

}  // namespace tcpdiag
