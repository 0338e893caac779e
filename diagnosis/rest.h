// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <set>

#include "core/finding.h"
#include "core/snapshot.h"

namespace tcpdiag {

/// Which namespaces need no judgement: nothing in them has changed since they were judged, and then there was
/// nothing to say about them, nor anything that could not be told. The daemon's own never rests.
class Rest {
 public:
  /// They are judged again after so long: what is known of the machine changes, and time passes.
  static constexpr std::chrono::seconds kLongest{60};

  /// Those that rest at present.
  [[nodiscard]] std::set<NetnsId> of(const Snapshot& newest) const;
  /// All that are not in `resting` have been judged.
  void judged(const Snapshot& newest, const std::set<NetnsId>& resting, const Diagnosis& diagnosis);

 private:
  /// The values of a namespace's sections, held so that no other value can have the address of one of them.
  using Values = std::array<std::shared_ptr<const void>, 6>;
  /// Of the sockets in use it is their numbers: the rest of that section is the whole machine's.
  using InUse = std::array<Count, 3>;
  struct Judged {
    TimePoint at;
    Values values;
    InUse in_use;
    bool is_clear = false;
  };
  static Values values_of(const NetnsView& netns);

  std::map<NetnsId, Judged> judged_;
};

}  // namespace tcpdiag
