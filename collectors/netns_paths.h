// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace tcpdiag {

/// Where a network namespace is to be found.
struct NetnsPlace {
  std::string path;                    ///< a namespace file, or a name under /run/netns
  std::optional<std::uint64_t> inode;  ///< which one it must be; empty: whichever has that path
  std::uint64_t generation = 0;        ///< as FoundNetns has it; 0: it was not found on the machine
  std::int32_t pid = 0;                ///< of a process that lives in it; 0: none is known
};

/// Where the namespaces are that were found on the machine, by the names they are watched under. What leads
/// to one may end while the namespace goes on: the place changes, the name does not. For several threads.
class NetnsPaths {
 public:
  void set(const std::string& name, NetnsPlace place);
  void forget(const std::string& name);
  /// Of a name that was not set: itself.
  [[nodiscard]] NetnsPlace of(const std::string& name) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, NetnsPlace> places_;
};

}  // namespace tcpdiag
