// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "exporters/web_security.h"

namespace tcpdiag {

/// What tells whether a file is still the one that was read, and unchanged.
struct FileMark {
  std::string path;
  bool there = false;
  dev_t device = 0;
  ino_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0, changed_ns = 0;  ///< since 1970

  bool operator==(const FileMark&) const = default;
};
FileMark mark_of(const std::string& path);

/// A web configuration file and the files it names.
struct WebConfigFile {
  std::shared_ptr<const WebSecurity> security;
  std::vector<std::string> warnings;  ///< each a line for the log
};

/// Reads, checks and loads them. Relative names in it count from its own directory. `marks` gets every file
/// that it looked at, taken before it was read, also when there is an error. The detail of an error begins
/// with `path`.
Result<WebConfigFile> read_web_config(const std::string& path, std::vector<FileMark>& marks);

/// See certificate_warnings(); each begins with `path`.
std::vector<std::string> certificate_warnings(const std::string& path, const WebConfigFile& file,
                                              std::chrono::system_clock::time_point now);

}  // namespace tcpdiag
