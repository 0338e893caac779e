// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/visits.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {

Visits::Visits(const VisitPlan& plan)
    : actor_(plan.comm, plan.netns, [plan](Tally& tally) { go_on(plan, tally); }) {}

void Visits::visit(const VisitPlan& plan, const VisitPlan::Target& target, Tally& tally) {
  const auto attempt = try_to_connect(target.address, target.port, plan.from);
  if (attempt.error != 0) {
    ++(attempt.error == EADDRNOTAVAIL ? tally.no_port
       : attempt.error == EADDRINUSE  ? tally.no_port_to_bind
                                      : tally.failed);
    return;
  }
  if (plan.speak) ::send(attempt.socket.get(), "?", 1, MSG_NOSIGNAL);
  char bytes[4096];
  ssize_t length = plan.server_ends_first ? 1 : 0;
  while (length > 0) length = ::recv(attempt.socket.get(), bytes, sizeof bytes, 0);
  ++(length < 0 ? tally.reset : tally.made);
}

void Visits::go_on(const VisitPlan& plan, Tally& tally) {
  auto next_at = now();
  for (unsigned each = 0; plan.count == 0 || each < plan.count; ++each, next_at += plan.apart) {
    std::this_thread::sleep_until(next_at);
    visit(plan, plan.to[each % plan.to.size()], tally);
  }
  for (;;) ::pause();
}

}  // namespace tcpdiag::incidents
