// SPDX-License-Identifier: Apache-2.0
#include "core/facts/connections.h"
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

constexpr auto kRst = "accept-overflow-rst";
constexpr auto kLate = "accept-overflow-late-reset";

// A server on port 5000 whose queue of 20 is full at every look from the fourth second on.
struct Overflow {
  std::int64_t aborts = 0;
  std::uint64_t overflows = 9, resets = 0, cookies = 0, scanned_each_second = 0;
  std::uint32_t half_open = 0;
  bool full = true;
  std::chrono::milliseconds between_looks{1000};

  HistoryBuilder history() const {
    HistoryBuilder history;
    auto listener = sample_listener("0.0.0.0", 5000, 0, 20, 7);
    listener.fill = {};
    listener.drops = 0;
    TcpCounters tcp;
    tcp.listen_overflows = tcp.embryonic_rsts = tcp.req_q_full_do_cookies = 0;
    history.sysctl("net.ipv4.tcp_abort_on_overflow", {aborts}).sysctl("net.ipv4.tcp_synack_retries", {5});
    for (int second = 0; second < 8; ++second) {
      const bool now = full && second > 2;
      (now ? listener.fill.samples.back() : listener.fill.samples.front()) += 10;
      listener.sockets.front().queue_length = now ? 21 : 0;
      if (second == 5) {
        tcp.listen_overflows = *tcp.listen_overflows + overflows;
        tcp.embryonic_rsts = *tcp.embryonic_rsts + resets;
        tcp.req_q_full_do_cookies = cookies;
        listener.drops = overflows;
      }
      tcp.embryonic_rsts = *tcp.embryonic_rsts + scanned_each_second;
      history.set(&NetnsView::tcp, tcp).set(&NetnsView::listeners, Listeners{.listeners = {listener}});
      Connections connections;
      connections.half_open = {{listener.endpoint, now ? half_open : 0}};
      history.set(&NetnsView::connections, std::move(connections)).tick(between_looks);
    }
    return history;
  }
};

bool clear(std::string_view id, const Overflow& overflow) {
  return verdict_of(id, overflow.history().history()).is_clear();
}
bool known(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).known();
}

}  // namespace

TEST_CASE("clients that are reset because tcp_abort_on_overflow is 1 are told with the queue that was full") {
  const auto finding = only_finding(kRst, Overflow{.aborts = 1, .resets = 9}.history().history());
  CHECK(finding.severity == Severity::critical);
  CHECK(finding.summary ==
        "9 clients of 0.0.0.0:5000 were reset right after the handshake in 7 s: the accept queue of 20 "
        "overflowed 9 times and net.ipv4.tcp_abort_on_overflow is 1.");
  CHECK(finding.advice.front().command == "sysctl -w net.ipv4.tcp_abort_on_overflow=0");
  REQUIRE(finding.bites);
  CHECK(*finding.bites == Bites{"listen backlog", 20, "", {}});
}

TEST_CASE("resets of scanners are not the overflow's, and no more are told than overflows") {
  CHECK_THAT(only_finding(kRst, Overflow{.aborts = 1, .resets = 15}.history().history()).summary,
             ContainsSubstring("9 clients"));
  CHECK_THAT(
      only_finding(kRst, Overflow{.aborts = 1, .resets = 9, .scanned_each_second = 2}.history().history())
          .summary,
      ContainsSubstring("9 clients"));
  CHECK(clear(kRst, {.aborts = 1, .resets = 50}));
  CHECK(clear(kRst, {.aborts = 1, .scanned_each_second = 8}));
  CHECK(clear(kRst, {.aborts = 1, .overflows = 0, .resets = 9}));
  CHECK(clear(kRst, {.aborts = 1, .resets = 0}));
  CHECK(clear(kRst, {.aborts = 0, .resets = 9}));
}

TEST_CASE("handshakes that wait beside a full queue believe that they are connected") {
  const auto finding = only_finding(kLate, Overflow{.half_open = 4}.history().history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.summary ==
        "4 clients of 0.0.0.0:5000 have finished the handshake but found the accept queue of 20 full: they "
        "believe they are connected, and get a reset or a timeout when the kernel gives up after 5 retries.");
}

TEST_CASE("a larger backlog is no advice about a queue that is not emptied") {
  const auto finding = only_finding(kLate, Overflow{.half_open = 4}.history().history());
  for (const auto& advice : finding.advice) CHECK(advice.action.find("backlog") == std::string::npos);
}

TEST_CASE("a queue that is judged more often than once a second is full from the first of these looks on") {
  const Overflow overflow{.half_open = 4, .between_looks = std::chrono::milliseconds(400)};
  CHECK_THAT(only_finding(kLate, overflow.history().history()).summary, ContainsSubstring("4 clients"));
}

TEST_CASE(
    "without a full queue, or with cookies or resets under way, half-open connections are something else") {
  CHECK(clear(kLate, {.half_open = 0}));
  CHECK(clear(kLate, {.half_open = 4, .full = false}));
  CHECK(clear(kLate, {.overflows = 0, .half_open = 4}));
  CHECK(clear(kLate, {.cookies = 3, .half_open = 4}));
  CHECK(clear(kLate, {.aborts = 1, .half_open = 4}));
}

TEST_CASE("what an overflow did cannot be told without its sources") {
  const Overflow reset{.aborts = 1, .resets = 9}, late{.half_open = 4};
  for (const auto* id : {kRst, kLate}) {
    const auto& overflow = id == std::string_view(kRst) ? reset : late;
    CHECK(known(id, overflow.history()));
    CHECK_FALSE(known(id, overflow.history().deny(&NetnsView::tcp).tick()));
    CHECK_FALSE(known(id, overflow.history().deny(&NetnsView::settings).tick()));
    CHECK_FALSE(known(id, overflow.history().deny(&NetnsView::listeners).tick()));
    CHECK_FALSE(known(id, overflow.history().set(&NetnsView::tcp, TcpCounters{}).tick()));
  }
  CHECK_FALSE(known(kLate, late.history().deny(&NetnsView::connections).tick()));
}
