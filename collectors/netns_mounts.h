// SPDX-License-Identifier: Apache-2.0
// Network namespaces that are mounted at files: by `ip netns`, by container runtimes and by CNI. They may
// hold a namespace in which no process lives.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "collectors/source.h"

namespace tcpdiag {

/// What is remembered of the mounts. A look lists their directories and reads the files that are new, and of
/// the others a few in turn.
class NetnsMounts {
 public:
  struct Mount {
    Result<NetnsFile> file;  ///< an error: no namespace, or it cannot be told
    bool joined = false;     ///< the look before did not have this namespace there
  };

  void look(Source& source);

  /// Whether the same namespace as before is there. What is there instead is taken over.
  static bool confirm(Source& source, const std::string& path, Mount& mount);

  /// By their paths. Changes are kept.
  [[nodiscard]] std::map<std::string, Mount>& mounts() { return mounts_; }

  /// Files of all directories; those beyond are not looked at. Only root can make one.
  static constexpr std::size_t kMost = 4096;
  /// Read again at a look, of those that were known.
  static constexpr std::size_t kReadAgain = 64;

 private:
  std::map<std::string, Mount> mounts_;
  std::string read_until_;  ///< the path at which the last look stopped reading again
};

/// Whether `b` tells people more than `a` of two mounts of one namespace: first those of /run/netns, there
/// first the names that a person chose.
bool is_better_mount(const std::string& a, const std::string& b);

/// Whether the name of a mount was made by a program, for what has a better name elsewhere: CNI's "cni-UUID",
/// podman's "netns-UUID", and what Docker mounts.
bool is_made_mount(const std::string& path);

}  // namespace tcpdiag
