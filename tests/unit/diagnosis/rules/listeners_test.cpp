// SPDX-License-Identifier: Apache-2.0
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

constexpr auto kStale = "listener-backlog-stale";
constexpr auto kExit = "listener-exit";

bool clear(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).is_clear();
}
bool known(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).known();
}

// One that got `limit` when net.core.somaxconn was `then`; now it is `somaxconn`.
HistoryBuilder listening(std::uint32_t limit, Count then, std::int64_t somaxconn) {
  auto listener = sample_listener("0.0.0.0", 5000, 0, limit, 7);
  listener.somaxconn_when_seen = then;
  HistoryBuilder history;
  history.set(&NetnsView::listeners, Listeners{.listeners = {std::move(listener)}});
  history.sysctl("net.core.somaxconn", {somaxconn}).tick();
  return history;
}

// Three members on one port, of which each worker holds one, and a parent all of them.
Listener group_of_three() {
  auto group = sample_listener("0.0.0.0", 5000, 2, 128, 7);
  for (const std::uint32_t inode : {8U, 9U}) {
    auto member = group.sockets.front();
    member.cookie = member.inode = inode;
    member.queue_length = inode == 9 ? 60 : 0;
    group.sockets.push_back(member);
  }
  return group;
}
Processes workers_of_three() {
  const auto holds = [](std::int32_t pid, std::vector<std::uint32_t> inodes) {
    return Process{.pid = pid,
                   .start_ticks = static_cast<std::uint64_t>(pid),
                   .comm = "worker",
                   .listener_inodes = std::move(inodes)};
  };
  return {.processes = {holds(10, {7, 8, 9}), holds(11, {7}), holds(12, {8}), holds(13, {9})}};
}

// Some seconds with the listener, and the resets that were sent by then; then some without it. `by_programs`:
// those of the resets that programs sent meanwhile by closing connections of their own.
HistoryBuilder closing(const Listener& before, Listeners after, Count resets_before, Count resets_after,
                       std::uint64_t by_programs = 0) {
  HistoryBuilder history;
  TcpCounters tcp{.abort_on_data = 4, .abort_on_close = 3};
  tcp.out_rsts = resets_before;
  history.set(&Snapshot::processes, workers_of_three());
  for (int second = 0; second < 3; ++second)
    history.set(&NetnsView::tcp, tcp).set(&NetnsView::listeners, Listeners{.listeners = {before}}).tick();
  tcp.out_rsts = resets_after;
  tcp.abort_on_close = 3 + by_programs;
  for (int second = 0; second < 3; ++second)
    history.set(&NetnsView::tcp, tcp).set(&NetnsView::listeners, after).tick();
  return history;
}

}  // namespace

TEST_CASE("a listener that was cut to an older somaxconn is told that it keeps it") {
  const auto finding = only_finding(kStale, listening(128, 128, 4096).history());
  CHECK(finding.severity == Severity::info);
  CHECK(to_string(finding.subject) == "0.0.0.0:5000");
  CHECK_THAT(finding.summary,
             ContainsSubstring("an accept queue of 128") && ContainsSubstring("it is 4096 now"));
  REQUIRE(finding.bites);
  CHECK(*finding.bites == Bites{"listen backlog", 128, "net.core.somaxconn", 4096});
}

TEST_CASE("a limit that the server asked for, or that is still somaxconn's, is not stale") {
  CHECK(clear(kStale, listening(100, 128, 4096)));
  CHECK(clear(kStale, listening(128, 128, 128)));
  CHECK(clear(kStale, listening(128, 128, 64)));
  CHECK(clear(kStale, listening(128, std::nullopt, 4096)));
}

TEST_CASE("whether a limit is stale cannot be told without the listeners or somaxconn") {
  CHECK_FALSE(known(kStale, listening(128, 128, 4096).deny(&NetnsView::listeners).tick()));
  CHECK_FALSE(known(kStale, listening(128, 128, 4096).deny(&NetnsView::settings).tick()));
  CHECK_FALSE(known(kStale, listening(128, 128, 4096).set(&NetnsView::settings, Settings{}).tick()));
}

TEST_CASE("a listener that closes with connections in its queue resets them") {
  const auto finding =
      only_finding(kExit, closing(sample_listener("0.0.0.0", 5000, 65, 128, 7), {}, 10, 75).history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.summary ==
        "0.0.0.0:5000 (worker[10]) was closed while 65 connections waited in its accept queue; 65 resets "
        "that no program asked for have been sent since.");
}

TEST_CASE("of a group that loses a member, the process that held it is named") {
  auto after = group_of_three();
  after.sockets.pop_back();
  const auto finding =
      only_finding(kExit, closing(group_of_three(), {.listeners = {after}}, 10, 70).history());
  CHECK(finding.subject.pid == 13);
  CHECK_THAT(finding.summary, ContainsSubstring("while 60 connections waited"));
}

TEST_CASE(
    "a listener that was drained, handed its connections on, or was missed once did not reset anybody") {
  const auto waiting = sample_listener("0.0.0.0", 5000, 65, 128, 7);
  CHECK(clear(kExit, closing(sample_listener("0.0.0.0", 5000, 0, 128, 7), {}, 10, 75)));
  CHECK(clear(kExit, closing(waiting, {}, 10, 12)));
  CHECK(clear(kExit, closing(waiting, {}, 10, 85, 60)));
  CHECK(clear(kExit, closing(waiting, {.listeners = {waiting}}, 10, 75)));
  auto missed = closing(waiting, {}, 10, 75);
  CHECK(clear(kExit, missed.set(&NetnsView::listeners, Listeners{.listeners = {waiting}}).tick()));
}

TEST_CASE("a port that is opened and closed again and again is one listener") {
  auto history = closing(sample_listener("0.0.0.0", 5000, 65, 128, 7), {}, 10, 75);
  for (std::uint32_t inode = 8; inode < 12; ++inode) {
    history
        .set(&NetnsView::listeners,
             Listeners{.listeners = {sample_listener("0.0.0.0", 5000, 20, 128, inode)}})
        .tick();
    history.set(&NetnsView::listeners, Listeners{});
    TcpCounters tcp{.abort_on_data = 4, .abort_on_close = 3};
    tcp.out_rsts = 75 + 20 * (inode - 7);
    history.set(&NetnsView::tcp, tcp).ticks(3);
  }
  CHECK_THAT(only_finding(kExit, history.history()).summary,
             ContainsSubstring("while 20 connections waited"));
}

TEST_CASE("whether a listener reset anybody cannot be told without the listeners or the counter") {
  const auto waiting = sample_listener("0.0.0.0", 5000, 65, 128, 7);
  CHECK_FALSE(known(kExit, closing(waiting, {}, 10, 75).deny(&NetnsView::listeners).tick()));
  CHECK_FALSE(known(kExit, closing(waiting, {}, std::nullopt, 75)));
  CHECK_FALSE(known(kExit, closing(waiting, {}, 10, 5)));
}

TEST_CASE("whether a listener closed cannot be told where more are waited for than are kept") {
  const auto waiting = sample_listener("0.0.0.0", 5000, 65, 128, 7);
  CHECK_FALSE(known(kExit, closing(waiting, {.cut = 9, .waited_on_cut = 3}, 10, 75)));
  CHECK(known(kExit, closing(waiting, {.cut = 9}, 10, 75)));
}
