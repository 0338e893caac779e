// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/window.h"

#include "core/facts/connections.h"
#include "core/facts/kernel_log.h"
#include "diagnosis/counters.h"
#include "diagnosis/urgency.h"
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

HistoryBuilder overflows(std::initializer_list<Count> values) {
  HistoryBuilder history;
  for (const auto& value : values) {
    TcpCounters tcp;
    tcp.listen_overflows = value;
    history.set(&NetnsView::tcp, tcp).tick();
  }
  return history;
}

Result<std::uint64_t> increase(const HistoryBuilder& history, std::chrono::seconds lookback = 30s) {
  return Window(history.history(), NetnsId::host, lookback).increase(&TcpCounters::listen_overflows);
}

}  // namespace

TEST_CASE("an increase is that of the window, not since boot") {
  CHECK(increase(overflows({900, 900, 950})) == 50U);
  CHECK(increase(overflows({900, 930, 950, 950}), 1s) == 0U);
  CHECK(increase(overflows({900, 930, 950, 951}), 2s) == 21U);
}

TEST_CASE(
    "an increase is not known from one reading, of a counter that is missing, denied or went backwards") {
  CHECK(increase(overflows({900})).error().detail ==
        "netstat: ListenOverflows: only one reading in the window, and a change needs two");
  CHECK(increase(overflows({{}, {}})).error().detail == "netstat: ListenOverflows: not in this kernel");
  CHECK(increase(overflows({900, 10})).error().detail ==
        "netstat: ListenOverflows: went backwards: treated as a reset");
  CHECK_FALSE(increase(overflows({900, 10, 950})));
  auto denied = overflows({1, 2});
  CHECK(increase(denied.deny(&NetnsView::tcp).tick()).error().code == Errc::denied);
  HistoryBuilder nothing;
  CHECK(increase(nothing.tick()).error().detail == "netstat: not read yet, or switched off");
}

TEST_CASE("a reading that failed in between does not matter") {
  auto history = overflows({1, 2});
  history.deny(&NetnsView::tcp).tick();
  TcpCounters tcp;
  tcp.listen_overflows = 9;
  CHECK(increase(history.set(&NetnsView::tcp, tcp).tick()) == 8U);
}

TEST_CASE("a namespace that comes or goes does not shift what is known of another") {
  HistoryBuilder history;
  auto& namespaces = history.snapshot().namespaces;
  const auto overflows_of = [&](NetnsId id, std::uint64_t value) {
    TcpCounters tcp;
    tcp.listen_overflows = value;
    history.snapshot().find(id)->tcp = {std::make_shared<const TcpCounters>(tcp), history.now()};
  };
  const auto increase_in = [&](NetnsId id) {
    return Window(history.history(), id, 30s).increase(&TcpCounters::listen_overflows);
  };
  const NetnsId first{1}, second{2}, third{3};
  namespaces.push_back({.id = first, .name = "a"});
  namespaces.push_back({.id = second, .name = "b"});
  overflows_of(first, 7000);
  overflows_of(second, 10);
  history.tick();
  std::erase_if(namespaces, [&](const NetnsView& each) { return each.id == first; });
  overflows_of(second, 15);
  history.tick();
  CHECK(increase_in(second) == 5U);

  namespaces.push_back({.id = third, .name = "a"});  // of the same name as the one that has gone
  overflows_of(third, 9000);
  history.tick();
  CHECK_FALSE(increase_in(third));  // from one reading
  overflows_of(third, 9001);
  history.tick();
  CHECK(increase_in(third) == 1U);
  CHECK(increase_in(second) == 5U);
  CHECK(Window(history.history(), third, 30s).readings(&NetnsView::tcp).size() == 2);
  CHECK(Window(history.history(), second, 30s).in(third).span() == 1s);  // of which evidence is counted
  CHECK(Window(history.history(), second, 30s).span() == 3s);
}

TEST_CASE("a setting is its number, or why there is none") {
  HistoryBuilder history;
  CHECK_FALSE(Window(history.tick().history(), NetnsId::host, 30s).setting("net.core.somaxconn"));
  history.sysctl("net.core.somaxconn", {4096}).sysctl("net.ipv4.tcp_rmem", {4096, 131072, 6291456}).tick();
  const Window window(history.history(), NetnsId::host, 30s);
  CHECK(window.setting("net.core.somaxconn") == 4096);
  CHECK(window.setting("net.ipv4.tcp_rmem", 2) == 6291456);
  CHECK(window.setting("net.ipv4.tcp_tw_recycle").error().code == Errc::missing);
  CHECK(window.setting("net.core.somaxconn", 1).error().code == Errc::malformed);
}

TEST_CASE("what was read long ago is not the present, settings are for longer") {
  HistoryBuilder history;
  history.set(&NetnsView::connections, Connections{}).sysctl("net.core.somaxconn", {4096}).ticks(120);
  CHECK(Window(history.history(), NetnsId::host, 30s).latest(&NetnsView::connections));
  history.tick();
  const Window window(history.history(), NetnsId::host, 30s);
  CHECK(window.latest(&NetnsView::connections).error() ==
        Error{Errc::not_read, "connections: last read 2 min ago", "connections"});
  CHECK(window.setting("net.core.somaxconn") == 4096);
}

TEST_CASE("readings are the different ones") {
  HistoryBuilder history;
  history.set(&NetnsView::connections, Connections{.sockets = 1}).ticks(4);
  history.set(&NetnsView::connections, Connections{.sockets = 2}).ticks(4);
  const auto readings = Window(history.history(), NetnsId::host, 30s).readings(&NetnsView::connections);
  REQUIRE(readings.size() == 2);
  CHECK(readings[0].value->sockets == 1);
  CHECK(readings[1].value->sockets == 2);
  CHECK(readings[1].at - readings[0].at == 4s);
}

TEST_CASE("the history spans five minutes, every second of the last one and one in ten seconds before") {
  HistoryBuilder history;
  history.ticks(1000);
  const auto& snapshots = history.history().snapshots();
  CHECK(snapshots.back().at - snapshots.front().at <= History::kSpan);
  CHECK(snapshots.back().at - snapshots.front().at >= History::kSpan - 10s);
  CHECK(snapshots.size() <= 60 + 1 + 2 * 24 + 2);
  CHECK(Window(history.history(), NetnsId::host, 60s).size() == 61);
  for (std::size_t i = 1; i < snapshots.size(); ++i) CHECK(snapshots[i].at - snapshots[i - 1].at <= 10s);
}

TEST_CASE("what a snapshot that goes shared with the next one is counted with the next one") {
  HistoryBuilder history;
  Listeners many;
  for (std::uint16_t port = 1; port <= 1000; ++port)
    many.listeners.push_back(sample_listener("0.0.0.0", port, 0, 128, port));
  history.set(&NetnsView::listeners, many).ticks(1000);
  const auto held = sizeof(Listeners) + 1000 * (sizeof(Listener) + sizeof(ListenerSocket));
  const auto each = sizeof(Snapshot) + sizeof(NetnsView);
  CHECK(history.history().bytes() == held + each * history.history().snapshots().size());
}

TEST_CASE("a history of a huge host keeps its span and loses its grain, not its bounds") {
  HistoryBuilder history;
  Listeners many;
  for (std::uint16_t port = 1; port <= 4000; ++port)
    many.listeners.push_back(sample_listener("0.0.0.0", port, 0, 128, port));
  for (int second = 0; second < 200; ++second) history.set(&NetnsView::listeners, many).tick();
  CHECK(history.history().bytes() <= History::kMaxBytes);
  const auto& snapshots = history.history().snapshots();
  CHECK(snapshots.size() >= 8);
  CHECK(snapshots.back().at - snapshots.front().at > 150s);
}

TEST_CASE("a history counts what it holds of settings and of the kernel log, what is shared once") {
  HistoryBuilder history;
  const auto bytes = [&] { return history.history().bytes(); };
  history.set(&Snapshot::kernel_log, KernelLog{.recent = {{.text = std::string(500, 'x')}}});
  history.set(&NetnsView::settings,
              Settings{.sysctls = {{"net.core.somaxconn", {4096}, "4096"}}, .unread = {}});
  history.tick();
  CHECK(bytes() > sizeof(Snapshot) + sizeof(NetnsView) + sizeof(KernelLog) + 500 + sizeof(Sysctl));
  const auto first = bytes();
  history.tick();
  CHECK(bytes() - first == sizeof(Snapshot) + sizeof(NetnsView));
  const auto second = bytes();
  history.set(&NetnsView::tcp, TcpCounters{}).tick();
  CHECK(bytes() - second == sizeof(Snapshot) + sizeof(NetnsView) + sizeof(TcpCounters));
}

TEST_CASE("a queue that stands, or anything turned away, is urgent, a quiet host is not") {
  const auto listening = [](std::uint32_t length) {
    return Listeners{.listeners = {sample_listener("0.0.0.0", 80, length, 128, 7)}};
  };
  HistoryBuilder quiet;
  quiet.set(&NetnsView::listeners, listening(0)).ticks(3);
  CHECK_FALSE(is_urgent(quiet.history()));
  CHECK_FALSE(is_urgent(quiet.set(&NetnsView::listeners, listening(3)).tick().history()));
  CHECK_FALSE(is_urgent(quiet.set(&NetnsView::listeners, listening(0)).ticks(4).history()));
  CHECK(is_urgent(quiet.set(&NetnsView::listeners, listening(3)).ticks(3).history()));

  TcpCounters tcp;
  tcp.listen_drops = 7;
  HistoryBuilder drops;
  drops.set(&NetnsView::tcp, tcp).ticks(2);
  CHECK_FALSE(is_urgent(drops.history()));
  tcp.listen_drops = 8;
  CHECK(is_urgent(drops.set(&NetnsView::tcp, tcp).tick().history()));
  CHECK_FALSE(is_urgent(drops.ticks(3).history()));
}

TEST_CASE("settings matter while an incident is open whose rule reads one, or that is about one") {
  const auto matters = [](const char* id, SubjectKind kind, bool open) {
    Incident incident{.finding = {.id = id, .subject = {.kind = kind}}};
    if (!open) incident.closed.emplace();
    return rests_on_settings(std::span(&incident, 1));
  };
  CHECK(matters("ephemeral-ports-low", SubjectKind::destination, true));
  CHECK(matters("syn-queue-drop", SubjectKind::listener, true));
  CHECK(matters("sysctl-syncookies-off", SubjectKind::setting, true));
  CHECK_FALSE(matters("ephemeral-ports-low", SubjectKind::destination, false));
  CHECK_FALSE(matters("close-wait-leak", SubjectKind::process, true));
  CHECK_FALSE(rests_on_settings({}));
}

TEST_CASE("a value that is shared between readings has not increased, but one reading says nothing") {
  HistoryBuilder history;
  TcpCounters tcp;
  tcp.listen_overflows = 900;
  history.set(&NetnsView::tcp, tcp).ticks(3);
  CHECK_FALSE(increase(history));  // read once
  auto& section = history.snapshot().namespaces.front().tcp;
  section.read_at = history.now();  // again, and it is the same
  history.tick();
  CHECK(increase(history) == 0U);
  const auto lacks = Window(history.history(), NetnsId::host, 30s).increase(&TcpCounters::tw);
  CHECK(lacks.error().detail == "netstat: TW: not in this kernel");
}

TEST_CASE("a namespace is found in older snapshots although others have come and gone") {
  HistoryBuilder history;
  auto& all = history.snapshot().namespaces;
  const auto with = [&](std::uint32_t id) {
    TcpCounters tcp;
    tcp.listen_overflows = id;
    all.push_back({.id = NetnsId{id}, .name = std::to_string(id)});
    all.back().tcp = {std::make_shared<const TcpCounters>(tcp), history.now()};
  };
  with(1);
  with(2);
  history.tick();
  with(3);
  history.tick();
  all.erase(all.begin() + 1);
  history.tick();
  const auto seen = [&](NetnsId id) {
    const Window window(history.history(), id, 30s);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < window.size(); ++i) names.push_back(window.view(i).name);
    return names;
  };
  CHECK(seen(NetnsId{2}) == std::vector<std::string>{"2", "2", "2"});
  CHECK(seen(NetnsId{3}) == std::vector<std::string>{"3", "3"});
  CHECK(Window(history.history(), NetnsId::host, 30s).in(NetnsId{2}).view(0).name == "2");
  CHECK(Window(history.history(), NetnsId{2}, 30s).host_netns().view(0).name == kHostNetns);
}
