// SPDX-License-Identifier: Apache-2.0
// What people call a network namespace: first the name of its pod or container, then the short id with the
// runtime, a mount, the unit, and its inode when nothing else is known.
//
// Names are chosen by users, so they are made short and harmless: at most kMostNameBytes each, of valid
// UTF-8, without what is not seen or changes how the rest is seen (core/utf8.h), and without quotes,
// backslashes and slashes. Each such character is "_". So only a pod has a slash in its name, the one between
// its Kubernetes namespace and it.
//
// Whoever may make a control group may call it like somebody's container. The runtime's own note of which
// process is its first decides: one that lives elsewhere is not this container. Where there is no note, the
// group has to be in a place where root alone makes them. Notes are read through links, as any file: what can
// come out of one is a text under one of a few keys of a JSON document that lies where a runtime keeps its
// own, and only root can put one there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/container_files.h"
#include "collectors/source.h"
#include "core/facts/netns_list.h"

namespace tcpdiag {

inline constexpr std::size_t kMostNameBytes = 64;
inline constexpr std::size_t kMostImageBytes = 256;

/// A name as it may be shown. Empty: nothing is left of it.
std::string harmless_name(std::string_view text);

/// What is known of one namespace, of itself: another one may have the same name.
struct NetnsName {
  FoundNetns netns;                        ///< with all its texts
  std::string inner;                       ///< the unit inside of a container that boots like a machine
  std::vector<PublishedPort> published{};  ///< by a container, as its runtime has written down
  bool settled = false;  ///< nothing better will be found: a runtime's files may come after its namespace
  bool ended = false;    ///< the one process that led to it has ended since it was found
};

/// Looks for the name of a namespace of which NetnsScan found the rest.
NetnsName name_netns(Source& source, ContainerFiles& files, FoundNetns netns);

/// The names of all namespaces. Each is looked for when its namespace is new, and a few times more while
/// nothing that settles it was found; then it stays, also when a container is renamed. It is unique: who was
/// there first keeps it, and a newcomer has something added, "shop (podman)". "host" is the daemon's own
/// namespace and no other. A namespace that is gone leaves its name to the next one.
class NetnsNames {
 public:
  /// Fills in the names and what belongs to them. A new one that has ended before its name was looked for is
  /// taken out.
  void name(Source& source, NetnsList& list);
  /// Adds the ports that the containers of the list have published.
  void put_published(NetnsList& list) const;

  /// Looked for at one call; the others have their inode for a name until the next one.
  static constexpr std::size_t kAtOnce = 256;
  static constexpr int kTries = 6;

 private:
  struct Kept {
    FoundNetns said;     ///< with the unique name
    std::string wanted;  ///< the name before it was made unique
    std::vector<PublishedPort> published{};
    bool settled = false;
    int tries_left = kTries;
  };
  struct Holder {
    std::uint64_t generation = 0;
    NetnsKind kind = NetnsKind::host;
  };

  void forget_gone(const NetnsList& list);
  [[nodiscard]] bool is_due(const FoundNetns& netns) const;
  void keep(NetnsName name);
  [[nodiscard]] std::string unique(const NetnsName& name) const;
  [[nodiscard]] bool is_free(const std::string& name) const { return !holders_.contains(name); }

  std::map<std::uint64_t, Kept> kept_;  ///< by generation
  std::map<std::string, Holder> holders_{};
};

}  // namespace tcpdiag
