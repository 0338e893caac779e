// SPDX-License-Identifier: Apache-2.0
// How connections in CLOSE_WAIT went over time: what tells a leak from programs that are slow and from pools.
#pragma once

#include <map>
#include <vector>

#include "core/facts/connections.h"
#include "diagnosis/thresholds.h"
#include "diagnosis/window.h"

namespace tcpdiag {

/// A service port, and on which side of its connections this host is.
struct CloseWaitService {
  bool server = false;
  std::uint16_t port = 0;

  auto operator<=>(const CloseWaitService&) const = default;
};

CloseWaitService service_of(const CloseWait& socket);

/// Connections count as old when the peer has closed and this end has sent nothing for so long: three dumps.
inline constexpr std::chrono::seconds kOldCloseWait{7};
/// They stand when that was so for this long. The connections of a client's pool that its server closed for
/// idleness go when they are used next, which is often half a minute later.
std::chrono::seconds stands_from(CloseWaitService service);

/// Those of a reading that have been idle for at least `age`, the oldest first.
std::vector<CloseWait> idle_for(const Dated<Connections>& reading, std::chrono::seconds age);

enum class CloseWaitCourse {
  passing,   ///< they come and go, or it is too early to say
  standing,  ///< many stay and do not become more: harmless, but nobody will close them
  growing,   ///< a leak
};

/// What the old ones of each service do that has as many as a leak would have; services with fewer are left
/// out.
///
/// All programs have connections in CLOSE_WAIT for a moment, some for long: a slow server whose clients gave
/// up, a pool that finds out only at the next use that its server closed idle connections. All of these come
/// to an end or to a standstill. A leak goes on:
///
/// - nearly all that were old ten seconds ago are still there: those of a slow program come and go;
/// - they became more at three readings or more, over kGrows (servers) or kClientGrows (clients), never
///   fewer in between, and without the largest step still by as many as the threshold. One step is no growth:
///   it is a batch, or a pool that was closed;
/// - the service's open connections became more with them: the program went on to the next ones. Where their
///   number stays, a pool is being closed, or a fixed set of clients leaves. A server that has closed none of
///   them for kGrowsLong leaks all the same;
/// - the last rise is not long ago compared with the time of the growth.
std::map<CloseWaitService, CloseWaitCourse> close_wait_courses(const Window& window, const Thresholds& t);

}  // namespace tcpdiag
