// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "core/finding.h"

namespace tcpdiag {

/// How long findings and their absence have to last.
struct Hold {
  std::chrono::seconds closes_after{10};  ///< an incident closes when its finding was absent for so long
  std::size_t closed_kept = 256;          ///< closed incidents kept, the latest ones
  /// Open ones kept: beyond that, those that were absent longest close sooner.
  std::size_t open_kept = 512;
  /// What another finding explains opens no incident of its own while that one's is open, nor, unless it is
  /// critical, for so long after it was seen last: its numbers are of the time before.
  std::chrono::seconds follows_for{30};
};

/// The incidents after one more diagnosis: the only place where durations are judged. A new finding opens an
/// incident, unless it follows from one that is there (Hold::follows_for); one that is absent for
/// Hold::closes_after closes it, and one that another finding explains at once. What is learned about a
/// subject later, such as its owner, does not make another incident of it. While its rule cannot tell, an
/// incident stays as it is: blind, neither closing nor getting worse; not so while its rule cannot tell about
/// a part only, which is not the part that it was found in. One that has lasted for Finding::critical_after
/// is critical. Open ones come first, worst first and then the oldest first; then closed ones, the latest
/// first.
std::vector<Incident> advance(std::vector<Incident> incidents, const Diagnosis& diagnosis, Moment now,
                              const Hold& hold);

}  // namespace tcpdiag
