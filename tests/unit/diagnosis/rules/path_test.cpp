// SPDX-License-Identifier: Apache-2.0
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/history.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr auto kId = "path-lossy";

// What is counted each second.
struct Rate {
  std::uint64_t again = 0, sent = 0, syns = 0, overflows = 0;
};

TcpCounters counters(const Rate& rate, std::uint64_t seconds) {
  TcpCounters tcp;
  tcp.retrans_segs = 7 + rate.again * seconds;
  tcp.out_segs = 7 + rate.sent * seconds;
  tcp.syn_retrans = 7 + rate.syns * seconds;
  tcp.listen_overflows = 7 + rate.overflows * seconds;
  tcp.timeouts = 7 + rate.again * seconds / 2;
  return tcp;
}

HistoryBuilder course(const Rate& rate, std::uint64_t seconds = 30) {
  HistoryBuilder history;
  for (std::uint64_t second = 0; second <= seconds; ++second)
    history.set(&NetnsView::tcp, counters(rate, second)).tick();
  return history;
}

bool clear(const HistoryBuilder& history) { return verdict_of(kId, history.history()).is_clear(); }

}  // namespace

TEST_CASE("a path that loses a fifth of the segments is told by its share, and what counters cannot say") {
  const auto finding = only_finding(kId, course({.again = 20, .sent = 80}).history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.summary ==
        "20 % of the segments that this host sends are retransmissions: 600 on top of 2400 new ones in 30 s, "
        "SYNs not counted; 300 times nothing was acknowledged until a timer ran out (TCPTimeouts). Either "
        "segments are lost on the way, or peers no longer answer; counters do not show which destination it "
        "is.");
}

TEST_CASE("a share that is usual on the Internet is worth knowing at most") {
  CHECK(only_finding(kId, course({.again = 3, .sent = 97}).history()).severity == Severity::info);
  CHECK(clear(course({.again = 10, .sent = 990})));
}

TEST_CASE(
    "path-lossy stays clear for a few segments, SYNs, a single burst and clients of a queue that overflows") {
  CHECK(clear(course({.again = 1, .sent = 4})));
  CHECK(clear(course({.again = 20, .sent = 80, .syns = 20})));
  CHECK(clear(course({.again = 20, .sent = 80, .overflows = 20})));
  CHECK_FALSE(clear(course({.again = 20, .sent = 80, .overflows = 1})));
  CHECK(clear(course({.again = 20, .sent = 80}, 10)));
  auto burst = course({.sent = 80}, 20);
  for (std::uint64_t second = 21; second <= 30; ++second) {
    auto tcp = counters({.sent = 80}, second);
    tcp.retrans_segs = 900;
    burst.set(&NetnsView::tcp, tcp).tick();
  }
  CHECK(clear(burst));
}

TEST_CASE("path-lossy cannot tell when a counter is missing, reset or denied") {
  auto history = course({.again = 20, .sent = 80});
  CHECK_FALSE(verdict_of(kId, history.deny(&NetnsView::tcp).tick().history()).known());
  for (const auto member : {&TcpCounters::retrans_segs, &TcpCounters::out_segs, &TcpCounters::syn_retrans}) {
    for (const auto value : {Count(), Count(1)}) {
      history = course({.again = 20, .sent = 80});
      auto tcp = counters({.again = 20, .sent = 80}, 31);
      tcp.*member = value;
      CHECK_FALSE(verdict_of(kId, history.set(&NetnsView::tcp, tcp).tick().history()).known());
    }
  }
}
