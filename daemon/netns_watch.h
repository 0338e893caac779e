// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collectors/netns.h"
#include "collectors/netns_paths.h"
#include "core/facts/netns_list.h"
#include "core/netns_filter.h"
#include "daemon/cycle.h"

namespace tcpdiag {

/// How many namespaces this process can watch: no more than its limit of open files, which is raised, leaves
/// room for.
std::size_t may_be_watched();

/// Lets a cycle watch the network namespaces that are found on the machine (collectors/netns_scan.h), from
/// soon after they appear until soon after they are gone. Those that it was made with stay as they are.
class NetnsWatch {
 public:
  /// `configured`: the further namespaces that the cycle was made with. `paths`: what its sources ask.
  /// `most`: how many are watched at a time.
  NetnsWatch(Cycle& cycle, std::vector<std::string> configured, std::shared_ptr<NetnsPaths> paths,
             std::size_t most = may_be_watched());

  /// Which of those that are found are watched; takes effect with the next follow().
  void set_filter(NetnsFilter filter) { filter_ = std::move(filter); }

  /// Further: only those of which that is true. Empty: all.
  void set_only(std::function<bool(const FoundNetns&)> only) { only_ = std::move(only); }

  /// Says of each namespace in the report's list whether it is watched, and why not.
  void note_states(Report& report) const;

  /// Takes in what is found by now; new ones only if it `adds`. A list that is not known changes nothing.
  void follow(bool adds = true);

  /// More than these are not watched at a time: the first ones that were found are. Fewer where the limit of
  /// open files does not suffice.
  static constexpr std::size_t kMost = 255;
  /// Of them, those that users made in user namespaces of their own: they can make as many as they like.
  static constexpr std::size_t kMostOfUsers = 32;
  /// Added at one time, so that what they need is not all read at once.
  static constexpr std::size_t kMostAtOnce = 32;

 private:
  struct Watched {
    NetnsId id{};
    std::string called;  // in the list
    std::string name;    // that it is watched under
    bool of_machine = true;
  };

  [[nodiscard]] NetnsState state_of(const FoundNetns& found, const Report& report) const;
  /// Also those that are called otherwise now: a runtime's files may come a moment after its container.
  void drop_gone(const NetnsList& list);
  void add_new(const NetnsList& list, bool of_machine);
  void add(const FoundNetns& found);
  [[nodiscard]] bool is_configured(const FoundNetns& found) const;

  Cycle& cycle_;
  std::vector<std::string> configured_;
  std::shared_ptr<NetnsPaths> paths_;
  NetnsFilter filter_;
  std::function<bool(const FoundNetns&)> only_;
  std::size_t most_, of_users_ = 0;
  std::map<std::uint64_t, Watched> watched_;  // by generation
};

/// The namespace file that leads to it: that of its anchor, or its mount.
NetnsPlace place_of(const FoundNetns& found);

}  // namespace tcpdiag
