// SPDX-License-Identifier: Apache-2.0
// The names that what was read has in a recording.
#pragma once

#include <algorithm>
#include <string>

#include "collectors/source.h"

namespace tcpdiag::recording {

inline constexpr auto kFormat = "1";

/// A namespace's directory. Its name may be a path: "/" becomes "-", so that no name leads out of the
/// recording.
inline std::string directory_of(std::string netns) {
  std::replace(netns.begin(), netns.end(), '/', '-');
  if (netns.empty() || netns.front() == '.') netns.insert(netns.begin(), '-');
  return netns;
}

// `netns` is a directory_of() in all of them.
inline std::string key(const std::string& netns, const std::string& path) { return netns + path; }
inline std::string error_key(const std::string& key) { return key + ".error"; }
inline std::string list_key(const std::string& netns, const std::string& path) {
  return netns + path + ".list";
}
inline std::string link_key(const std::string& netns, const std::string& path) {
  return netns + path + ".link";
}
inline std::string size_key(const std::string& netns, const std::string& path) {
  return netns + path + ".size";
}
inline std::string kmsg_key(const std::string& netns) { return netns + "/kmsg"; }
inline std::string overrun_key(const std::string& netns) { return netns + "/kmsg.overrun"; }
inline std::string more_key(const std::string& netns) { return netns + "/kmsg.more"; }

inline std::string dump_key(const std::string& netns, const SocketDump& request) {
  return netns + "/sock_diag/states-" + std::to_string(request.states) +
         (request.socket_memory ? "-memory" : "");
}

}  // namespace tcpdiag::recording
