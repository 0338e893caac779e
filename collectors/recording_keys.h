// SPDX-License-Identifier: Apache-2.0
// The names that what was read has in a recording.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/source.h"

namespace tcpdiag::recording {

inline constexpr auto kFormat = "1";
inline constexpr char kFound = '@';

/// A namespace's directory. Its name may be a path: "/" becomes "-", so that no name leads out of the
/// recording.
inline std::string directory_of(std::string netns) {
  std::replace(netns.begin(), netns.end(), '/', '-');
  if (netns.empty() || netns.front() == '.' || netns.front() == kFound) netns.insert(netns.begin(), '-');
  return netns;
}

/// That of a namespace that was found on the machine, whatever it is called.
inline std::string directory_of_found(std::uint64_t generation) {
  return kFound + std::to_string(generation);
}

// `netns` is such a directory in all of them.
inline std::string key(const std::string& netns, const std::string& path) { return netns + path; }
inline std::string error_key(const std::string& key) { return key + ".error"; }
inline std::string list_key(const std::string& netns, const std::string& path) {
  return netns + path + ".list";
}
/// Where the links of the directory stand that `path` is in.
inline std::string links_key(const std::string& netns, const std::string& path) {
  return netns + path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)) + ".links";
}
/// Where the protocols of the sockets stand that the links of a directory lead to.
inline std::string protocols_key(const std::string& netns, const std::string& path) {
  return netns + path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)) + ".protocols";
}
inline std::string last_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }
inline std::string size_key(const std::string& netns, const std::string& path) {
  return netns + path + ".size";
}
inline std::string owner_key(const std::string& netns, const std::string& path) {
  return netns + path + ".owner";
}
inline std::string netns_key(const std::string& netns, const std::string& path) {
  return netns + path + ".netns";
}
inline std::string kmsg_key(const std::string& netns) { return netns + "/kmsg"; }
inline std::string overrun_key(const std::string& netns) { return netns + "/kmsg.overrun"; }
inline std::string more_key(const std::string& netns) { return netns + "/kmsg.more"; }

inline std::string dump_key(const std::string& netns, const SocketDump& request) {
  auto key = netns + "/sock_diag/states-" + std::to_string(request.states) +
             (request.socket_memory ? "-memory" : "") + (request.tcp_info ? "-info" : "");
  for (const auto port : request.local_ports) key += "-" + std::to_string(port);
  return key;
}

// In X.links and X.protocols a line is a name, a blank and a target, or, when it could not be read,
// kLinkError, a code, a blank and the detail. Whatever is in a name or a target: it is one line, and what
// begins with kLinkError is an error.
inline constexpr std::string_view kLinkError = "\\error ";
enum class Blanks { kept, escaped };

inline std::string escaped(std::string_view text, Blanks blanks) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\')
      escaped += "\\\\";
    else if (c == '\n')
      escaped += "\\n";
    else if (c == ' ' && blanks == Blanks::escaped)
      escaped += "\\s";
    else
      escaped += c;
  }
  return escaped;
}

inline std::string unescaped(std::string_view text) {
  std::string unescaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] == '\\' && i + 1 < text.size() ? text[++i] : '\0';
    unescaped += c == '\0' ? text[i] : c == 'n' ? '\n' : c == 's' ? ' ' : c;
  }
  return unescaped;
}

}  // namespace tcpdiag::recording
