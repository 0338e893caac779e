// SPDX-License-Identifier: Apache-2.0
// Which network namespace each process lives in, without asking all of them at every look.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "collectors/source.h"

namespace tcpdiag {

/// The inode of the daemon's own namespace. Errors: /proc/self/ns/net cannot be read, or is none.
Result<std::uint64_t> read_own_netns(Source& source);

/// The inode in what a link of /proc/PID/ns/net says: "net:[4026531840]". Empty for everything else.
std::optional<std::uint64_t> parse_netns_link(std::string_view text);

/// A process, and where it lives.
struct NetnsMember {
  std::int32_t pid = 0;
  std::uint64_t inode = 0;        ///< 0: not known; a process that has ended lives nowhere
  std::uint64_t start_ticks = 0;  ///< 0: not asked for, in the daemon's own namespace
  bool denied = false;            ///< it may not be asked
  bool joined = false;            ///< the look before did not have it there
};

/// What is remembered of the processes. A look asks those that are new, and of the others a few in turn: one
/// that has moved with setns(), or whose number was given to another process, is found out then.
class NetnsMembers {
 public:
  /// `own` is the inode of the daemon's namespace. Errors: /proc cannot be listed; what was known stays.
  Result<void> look(Source& source, std::uint64_t own);

  /// Whether it is still the process that it was, where it was. One that is not is asked as a new one.
  bool confirm(Source& source, NetnsMember& member);

  /// Ordered by pid. Changes are kept.
  [[nodiscard]] std::span<NetnsMember> members() { return members_; }

  /// Asked again at a look, of those that were known.
  static constexpr std::size_t kAskedAgain = 160;

 private:
  void merge(std::span<const std::int32_t> pids);
  void ask(Source& source, NetnsMember& member) const;
  void ask_some_again(Source& source);

  std::vector<NetnsMember> members_;
  std::uint64_t own_ = 0;
  std::int32_t asked_until_ = 0;  ///< the pid at which the last look stopped asking again
};

}  // namespace tcpdiag
