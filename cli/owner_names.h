// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/owners.h"
#include "core/snapshot.h"

namespace tcpdiag {

/// What it takes to see the descriptors of other users' processes.
inline constexpr std::string_view kToSeeDescriptors = "that takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH";

/// "nginx[800]"
std::string name_of(const Process& process);

/// Its systemd unit or container; "-" when it is in none.
std::string unit_of(const Process& process);

/// What people call the owners of sockets. "?": not known, because not every process could be looked at. "-":
/// every process was looked at, and none holds it. Refers to the snapshot it was made from.
class OwnerNames {
 public:
  explicit OwnerNames(const Snapshot& snapshot);

  [[nodiscard]] std::string process(const Listener& listener) const;
  /// Its systemd unit or container; "-" also when it is in none.
  [[nodiscard]] std::string unit(const Listener& listener) const;
  /// Of whoever holds that socket in CLOSE_WAIT. Only some of them are looked up, so none found is "?".
  [[nodiscard]] std::string close_wait_holder(std::uint32_t inode) const;

 private:
  const Processes* processes_;
  std::optional<ListenerOwners> owners_;
};

/// Why owners of listeners are not known, as a sentence, when there is a listener without a known owner and
/// there are processes that may not be looked at or are hidden; otherwise empty.
std::string unknown_owners_note(const Snapshot& snapshot);

}  // namespace tcpdiag
