// SPDX-License-Identifier: Apache-2.0
#include "core/facts/connections.h"
#include "core/facts/file_handles.h"
#include "core/facts/netns_list.h"
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr auto kReached = "fd-limit-reached";
constexpr auto kNear = "fd-limit-near";
constexpr auto kSystem = "system-fd-limit";

Process server(Count open, Count limit = 1024) {
  return {.pid = 812,
          .start_ticks = 5,
          .comm = "gunicorn",
          .owner = system_unit("app.service"),
          .open_fds = open,
          .soft_limit = limit,
          .hard_limit = 524288,
          .listener_inodes = {77}};
}

Processes only(Process process) { return {.processes = {std::move(process)}, .total = 90}; }

// Readings 4 s apart.
HistoryBuilder readings(const std::vector<std::uint64_t>& open, std::uint64_t limit = 1024) {
  HistoryBuilder history;
  history.sysctl("fs.nr_open", {1048576});
  for (const auto each : open) history.set(&Snapshot::processes, only(server(each, limit))).tick(4s);
  return history;
}

HistoryBuilder with(const Process& process) {
  HistoryBuilder history;
  history.set(&Snapshot::processes, only(process)).tick();
  return history;
}

bool clear(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).is_clear();
}

std::string commands(const Finding& finding) {
  std::string text;
  for (const auto& advice : finding.advice) text += advice.action + " " + advice.command + "\n";
  return text;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a process with as many descriptors as its limit allows has none left") {
  const auto finding = only_finding(kReached, readings({1024}).history());
  CHECK(finding.severity == Severity::critical);
  CHECK(to_string(finding.subject) == "gunicorn[812]");
  CHECK(finding.netns.empty());
  CHECK(finding.summary ==
        "gunicorn[812] has no descriptors left: 1024 are open and its limit is 1024 (RLIMIT_NOFILE), so "
        "accept(), connect() and open() fail with EMFILE (errno 24).");
  REQUIRE(finding.bites);
  CHECK(*finding.bites == Bites{"RLIMIT_NOFILE", 1024, "hard limit", 524288});
  CHECK(has(commands(finding), "prlimit --pid 812 --nofile=65536:\n"));
  CHECK(has(commands(finding), "printf '[Service]\\nLimitNOFILE=65536\\n'"));
}

TEST_CASE("below a limit that was lowered there may be numbers that are free") {
  const auto finding = only_finding(kReached, readings({70}, 64).history());
  CHECK(finding.bites->value == 64);
  CHECK(finding.severity == Severity::warning);
  CHECK_THAT(finding.summary,
             ContainsSubstring("more descriptors open than its limit allows") &&
                 ContainsSubstring(
                     "once no number below the limit, which was lowered after they were opened, is free"));
}

TEST_CASE("a process at its limit that closes and opens all the time stays there") {
  CHECK_FALSE(clear(kReached, readings({1024, 1010})));
  CHECK(clear(kReached, readings({1024, 900})));
  CHECK(clear(kReached, readings({1024, 1010, 1010, 1010, 1010})));
  CHECK(clear(kReached, readings({1010})));
}

TEST_CASE("another process with the number of one that was at its limit is not") {
  auto history = readings({1024});
  auto later = server(1010);
  later.start_ticks = 6;
  history.set(&Snapshot::processes, only(later)).tick();
  CHECK(clear(kReached, history));
}

TEST_CASE("a container of a compose file gets its limit there") {
  auto process = server(1024);
  process.owner = named_owner(OwnerKind::container, "docker:0123456789ab");
  auto history = with(process);
  NetnsList list{.namespaces = {{.generation = 1,
                                 .kind = NetnsKind::docker,
                                 .runtime = "docker",
                                 .container = "0123456789ab",
                                 .compose_service = "api"}}};
  const auto said = [&] {
    history.set(&Snapshot::netns_list, list).tick();
    return commands(only_finding(kReached, history.history()));
  };
  CHECK(has(said(), "service api in the compose file"));
  CHECK(has(said(), "ulimits: {nofile: 65536}"));
  CHECK_FALSE(has(said(), "docker run"));
  list.namespaces[0].container = "ba9876543210";
  CHECK(has(said(), "docker run --ulimit nofile=65536:65536 ..."));
  CHECK(has(said(), "docker update cannot change it"));
}

TEST_CASE("the advice fits whoever starts the process") {
  const auto advice_for = [](Owner owner, std::string comm = "app", Count hard = 1024) {
    auto process = server(1024);
    process.owner = std::move(owner);
    process.comm = std::move(comm);
    process.hard_limit = hard;
    return commands(only_finding(kReached, with(process).history()));
  };
  const auto container = [](const std::string& label) { return named_owner(OwnerKind::container, label); };
  const auto docker = advice_for(container("docker:0123456789ab"));
  CHECK(has(docker, "docker run --ulimit nofile=65536:65536 ..."));
  CHECK(has(docker, "docker container 0123456789ab"));
  CHECK_FALSE(has(docker, "systemctl"));
  CHECK(has(docker, "prlimit --pid 812 --nofile=65536\n"));
  CHECK(has(advice_for(container("podman:0123456789ab")), "podman run --ulimit"));
  CHECK(
      has(advice_for(container("containerd:0123456789ab")), "container runtime of containerd:0123456789ab"));
  auto web = container("lxc:web");
  web.inner = "nginx.service";
  CHECK(has(advice_for(web), "inside lxc:web: LimitNOFILE=65536 of nginx.service there"));
  CHECK_FALSE(has(advice_for(web), "systemctl"));
  auto nspawn = container("systemd-nspawn@web.service");
  nspawn.runtime = "nspawn";
  CHECK(has(advice_for(nspawn), "inside systemd-nspawn@web.service"));
  CHECK(has(advice_for({.kind = OwnerKind::user_unit, .name = "app.service", .uid = 1000}),
            "systemctl --user -M 1000@ restart -- app.service"));
  CHECK(has(advice_for(named_owner(OwnerKind::session, "session-3.scope")), "session-3.scope gets it"));
  CHECK(has(advice_for(system_unit("nginx.service"), "nginx"), "worker_rlimit_nofile 65536;"));
  CHECK(has(advice_for({}), "where app is started: ulimit -n 65536"));
  CHECK(has(advice_for(system_unit("x.scope")), "where app is started"));
  CHECK_FALSE(has(advice_for(system_unit("nginx.service")), "is started"));
}

TEST_CASE("a limit that cannot be raised any further is not advised to be") {
  auto history = readings({1048576}, 1048576);
  const auto text = commands(only_finding(kReached, history.history()));
  CHECK_FALSE(has(text, "prlimit"));
  CHECK(has(text, "tcpdiag fds 812"));
}

TEST_CASE("a process that nears its limit is told with the time that is left") {
  const auto finding = only_finding(kNear, readings({700, 740, 780, 820}).history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.summary ==
        "gunicorn[812] has 820 of 1024 descriptors open (80 % of RLIMIT_NOFILE); at this rate the limit is "
        "reached in 21 s.");
  CHECK(finding.evidence[1] == Evidence{"open fds, growth", 120, "descriptors", 12s});
  CHECK(clear(kReached, readings({700, 740, 780, 820})));
}

TEST_CASE("a slow leak is forecast from five minutes") {
  std::vector<std::uint64_t> open;
  for (std::uint64_t i = 0; i <= 60; ++i) open.push_back(900 + i / 10);
  CHECK(has(only_finding(kNear, readings(open).history()).summary, "reached in 79 min"));
  CHECK_FALSE(has(only_finding(kNear, readings({900, 901, 900, 901}).history()).summary, "reached in"));
  CHECK_FALSE(has(only_finding(kNear, readings({1000, 950, 900}).history()).summary, "reached in"));
}

TEST_CASE("a limit that is reached explains that it was near") {
  const std::vector<Rule> rules = {rule_of(kReached), rule_of(kNear)};
  const auto diagnosis = diagnose(readings({1000, 1024}).history(), rules, {});
  REQUIRE(diagnosis.findings.size() == 1);
  CHECK(diagnosis.findings[0].id == kReached);
}

TEST_CASE("a server that cannot accept for lack of descriptors is one finding, with what they are") {
  auto process = server(1024);
  for (std::uint32_t inode = 1; inode <= 600; ++inode) process.close_wait_inodes.push_back(inode);
  HistoryBuilder history;
  history.set(&Snapshot::processes, only(process)).set(&NetnsView::connections, Connections{});
  auto listener = sample_listener("0.0.0.0", 8000, 9, 128, 77);
  for (int second = 0; second < 8; ++second) {
    listener.fill.samples[2] += 10;  // at every look somebody waits
    listener.standing = QueueRun{history.now() - std::chrono::seconds(second), history.now()};
    history.set(&NetnsView::listeners, Listeners{.listeners = {listener}})
        .set(&NetnsView::tcp, TcpCounters{.passive_opens = 0, .listen_overflows = 0})
        .tick();
  }
  const std::vector<Rule> rules = {rule_of("fd-limit-accept-blocked"), rule_of(kReached), rule_of(kNear)};
  const auto diagnosis = diagnose(history.history(), rules, {});
  REQUIRE(diagnosis.findings.size() == 1);
  CHECK(diagnosis.findings[0].id == "fd-limit-accept-blocked");
  CHECK(has(diagnosis.findings[0].summary, "; 600 of the descriptors are sockets whose peer has closed."));
  CHECK(has(commands(diagnosis.findings[0]), "prlimit --pid 812 --nofile=65536:\n"));
}

TEST_CASE("descriptors that leak are told with the finding") {
  auto process = server(1000);
  for (std::uint32_t inode = 1; inode <= 600; ++inode) process.close_wait_inodes.push_back(inode);
  process.closed_sockets = 200;
  CHECK(has(
      only_finding(kNear, with(process).history()).summary,
      "; 600 of them are sockets whose peer has closed; 200 of them are sockets that are already closed"));
}

TEST_CASE("resets where a process without descriptors listens are its doing, and are told with it") {
  HistoryBuilder history;
  auto listener = sample_listener("0.0.0.0", 8000, 0, 511, 77);
  const auto look = [&](std::uint64_t resets) {
    history.set(&Snapshot::processes, only(server(1024)))
        .set(&NetnsView::listeners, Listeners{.listeners = {listener}})
        .set(
            &NetnsView::tcp,
            TcpCounters{
                .active_opens = 0, .passive_opens = 2 * resets, .abort_on_data = 0, .abort_on_close = resets})
        .tick();
  };
  look(0);
  look(0);
  CHECK_FALSE(has(only_finding(kReached, history.history()).summary, "reset"));
  look(201);
  const std::vector<Rule> rules = {rule_of(kReached), rule_of("app-reset")};
  const auto diagnosis = diagnose(history.history(), rules, {});
  REQUIRE(diagnosis.findings.size() == 1);
  CHECK(has(diagnosis.findings[0].summary, "; 201 connections were reset where it listens in 2 s"));
  CHECK(diagnosis.findings[0].consequences.back() == "app-reset");
  listener.sockets.front().inode = 78;  // another's
  look(250);
  CHECK(diagnose(history.history(), rules, {}).findings.size() == 2);
}

TEST_CASE("more descriptors than a limit allows are critical where clients are reset for want of one") {
  const auto listener = sample_listener("0.0.0.0", 8000, 0, 511, 77);
  for (const auto resets : {std::uint64_t{4}, std::uint64_t{1628}}) {
    HistoryBuilder history;
    for (const auto each : {std::uint64_t{0}, resets})
      history.set(&Snapshot::processes, only(server(65, 64)))
          .set(&NetnsView::listeners, Listeners{.listeners = {listener}})
          .set(&NetnsView::tcp, TcpCounters{.abort_on_close = each})
          .tick();
    const auto finding = only_finding(kReached, history.history());
    CHECK(finding.severity == (resets > 4 ? Severity::critical : Severity::warning));
    CHECK(has(finding.summary, "EMFILE (errno 24) once") == (resets == 4));
  }
}

TEST_CASE("many descriptors within the limit, a sandbox and an unlimited process are no finding") {
  for (const auto* id : {kReached, kNear}) {
    INFO(id);
    CHECK(clear(id, readings({10000}, 524288)));
    CHECK(clear(id, readings({200, 819})));
    CHECK(clear(id, readings({8}, 8)));
    CHECK(clear(id, readings({8}, 0)));
    CHECK(clear(id, with(server(100000, {}))));
    HistoryBuilder nobody;
    CHECK(clear(id, nobody.set(&Snapshot::processes, Processes{.total = 90}).tick()));
  }
}

TEST_CASE("the rules about descriptors of a process cannot tell without the processes") {
  for (const auto* id : {kReached, kNear}) {
    INFO(id);
    HistoryBuilder none;
    CHECK_FALSE(verdict_of(id, none.tick().history()).known());
    auto denied = readings({1024});
    CHECK_FALSE(verdict_of(id, denied.deny(&Snapshot::processes).tick().history()).known());
    const auto unreadable = verdict_of(id, with(server({})).history());
    REQUIRE_FALSE(unreadable.known());
    CHECK(unreadable.why().code == Errc::denied);
  }
}

TEST_CASE("what cannot be counted is not clear, and what can is judged all the same") {
  auto some = only(server(1024));
  some.uncounted = 24;
  HistoryBuilder history;
  history.set(&Snapshot::processes, some).tick();
  const auto found = verdict_of(kReached, history.history());
  REQUIRE(found.known());
  CHECK(found.facts().size() == 1);
  REQUIRE(found.unseen());
  CHECK(found.unseen()->code == Errc::denied);
  CHECK(found.unseen()->detail ==
        "/proc/PID/fd, /proc/PID/limits: unreadable for 24 of 90 processes (needs root, or CAP_SYS_PTRACE "
        "and CAP_DAC_READ_SEARCH)");

  some.processes = {server(10)};
  history.set(&Snapshot::processes, some).tick();
  for (const auto* id : {kReached, kNear}) {
    const auto verdict = verdict_of(id, history.history());
    INFO(id);
    REQUIRE(verdict.known());
    CHECK(verdict.facts().empty());
    CHECK_FALSE(verdict.is_clear());
    CHECK(verdict.unseen());
  }
}

TEST_CASE("where /proc hides processes the rules about descriptors cannot tell about them") {
  auto some = only(server(1024));
  some.some_hidden = true;
  HistoryBuilder history;
  history.set(&Snapshot::processes, some).tick();
  const std::vector<Rule> rules = {rule_of(kReached)};
  const auto diagnosis = diagnose(history.history(), rules, {});
  CHECK(diagnosis.findings.size() == 1);
  REQUIRE(diagnosis.unknown.size() == 1);
  CHECK(diagnosis.unknown[0] == Unknown{kReached, "",
                                        "/proc: hides processes of other users, as hidepid= and ProtectProc= "
                                        "ask for (needs root or CAP_SYS_PTRACE)",
                                        true, Errc::denied});
}

TEST_CASE("where none can be counted nothing can be told") {
  auto none = only(server({}));
  none.uncounted = 90;
  HistoryBuilder history;
  CHECK_FALSE(verdict_of(kReached, history.set(&Snapshot::processes, none).tick().history()).known());
}

namespace {

IpAddress address(const char* text) { return sample_listener(text, 1, 0, 0, 0).endpoint.address; }

PortConnections port_row(std::uint16_t port, TcpState state, std::uint32_t count) {
  PortConnections row{.port = port};
  row.by_state[static_cast<std::size_t>(state)] = count;
  return row;
}

// Clients of port 8000, the pool behind it, and a probe that connects anew each time.
Connections clients_and_pool(std::uint32_t clients, std::uint32_t pool) {
  return {.server = {port_row(8000, TcpState::established, clients)},
          .client = {port_row(5432, TcpState::established, pool), port_row(9000, TcpState::time_wait, 16)},
          .destinations = {{address("10.0.0.1"), address("10.0.0.7"), 8000, clients},
                           {address("10.0.0.1"), address("10.0.0.8"), 9000, 16},
                           {address("10.0.0.1"), address("10.0.0.2"), 5432, pool},
                           {address("10.0.0.1"), address("10.0.0.9"), 443, 1}}};
}

HistoryBuilder growing(const std::vector<std::uint32_t>& clients, const std::vector<std::uint32_t>& pool) {
  HistoryBuilder history;
  history.set(&NetnsView::listeners, Listeners{.listeners = {sample_listener("0.0.0.0", 8000, 0, 128, 77)}});
  for (std::size_t i = 0; i < clients.size(); ++i)
    history.set(&NetnsView::connections, clients_and_pool(clients[i], pool[i]))
        .set(&Snapshot::processes, only(server(20 + clients[i])))
        .tick(4s);
  return history;
}

}  // namespace

TEST_CASE("a pool of connections that stays full while clients grow is named") {
  const auto finding =
      only_finding(kNear, growing({0, 200, 400, 600, 800, 900}, {0, 3, 5, 5, 5, 5}).history());
  CHECK(has(finding.summary,
            "; it gained 500 clients while this host's connections to 10.0.0.2:5432 stayed at 5."));
  CHECK(has(commands(finding), "ss -tnp dst 10.0.0.2:5432"));
  const auto evidence =
      std::ranges::find(finding.evidence, "connections to 10.0.0.2:5432, unchanged", &Evidence::name);
  REQUIRE(evidence != finding.evidence.end());
  CHECK(evidence->value == 5);
}

TEST_CASE("a pool that grows with its clients, or stays while they do, is not named") {
  const auto names_it = [](const HistoryBuilder& history) {
    return has(only_finding(kNear, history.history()).summary, "5432");
  };
  CHECK_FALSE(names_it(growing({0, 300, 600, 900}, {5, 10, 15, 20})));
  CHECK_FALSE(names_it(growing({900, 900, 900, 900}, {5, 5, 5, 5})));
  CHECK_FALSE(names_it(growing({900}, {5})));
  auto unknown = growing({0, 300, 600, 900}, {5, 5, 5, 5});
  CHECK(names_it(unknown));
  CHECK_FALSE(names_it(unknown.deny(&NetnsView::listeners).tick()));
}

namespace {

HistoryBuilder files(std::initializer_list<FileHandles> all) {
  HistoryBuilder history;
  for (const auto& each : all) history.set(&Snapshot::files, each).tick(5s);
  return history;
}

}  // namespace

TEST_CASE("a machine that runs out of open files is told before and at its limit") {
  const auto near = only_finding(kSystem, files({{8000, 10000}, {8200, 10000}, {8400, 10000}}).history());
  CHECK(near.severity == Severity::warning);
  CHECK(near.subject.kind == SubjectKind::host);
  CHECK(near.summary ==
        "8400 of 10000 files are open on this machine (84 % of fs.file-max); at this rate the limit is "
        "reached in 40 s. At the limit open(), accept() and connect() fail for every process with ENFILE "
        "(errno 23).");
  CHECK(near.advice.front().command == "sysctl -w fs.file-max=20000");
  CHECK(only_finding(kSystem, files({{9999, 10000}}).history()).severity == Severity::critical);
}

TEST_CASE("system-fd-limit stays clear below and cannot tell without file-nr") {
  CHECK(clear(kSystem, files({{7999, 10000}})));
  CHECK(clear(kSystem, files({{30000, 9223372036854775807U}})));
  CHECK_FALSE(verdict_of(kSystem, files({{10, 0}}).history()).known());
  auto denied = files({{9999, 10000}});
  CHECK_FALSE(verdict_of(kSystem, denied.deny(&Snapshot::files).tick().history()).known());
}

TEST_CASE("where more processes are near their limit than are looked at, it cannot be told of those") {
  auto processes = only(server(100));
  processes.fullest_cut = 4950;
  processes.fullest_cut_ratio = 0.9;
  HistoryBuilder history;
  history.set(&Snapshot::processes, processes).tick();
  const auto near = verdict_of(kNear, history.history());
  CHECK(near.facts().empty());
  REQUIRE(near.unseen());
  CHECK(near.unseen()->detail ==
        "processes: only each user's fullest are looked at; 4950 more that use up to 90 % of their limit are "
        "not");
  CHECK(clear(kReached, history));
  processes.fullest_cut_ratio = 1;
  history.set(&Snapshot::processes, processes).tick();
  CHECK(verdict_of(kReached, history.history()).unseen());
  processes.fullest_cut_ratio = 0.79;
  history.set(&Snapshot::processes, processes).tick();
  CHECK(clear(kNear, history));
}

TEST_CASE("descriptors that idle connections take are said to be such, and a higher limit only delays") {
  for (const auto* id : {kReached, kNear}) {
    HistoryBuilder history;
    history.set(&NetnsView::listeners,
                Listeners{.listeners = {sample_listener("0.0.0.0", 5000, 0, 128, 77)}});
    history.set(&NetnsView::connections, Connections{.idle = {{.port = 5000, .count = 81, .shortest = 48s}}});
    history.set(&Snapshot::processes, only(server(100, 100))).tick();
    const auto finding = only_finding(id, history.history());
    INFO(finding.summary);
    CHECK(has(finding.summary,
              "81 of them are connections to its port 5000 that have been idle for 48 s or longer"));
    CHECK(has(finding.advice.front().action, "close idle connections"));
    CHECK(has(finding.advice.front().effect, "a higher limit only delays that"));
  }
}

TEST_CASE("idle connections of a port that several processes serve are nobody's for certain") {
  auto other = server(20, 100);
  other.pid = 813;
  HistoryBuilder history;
  history.set(&NetnsView::listeners, Listeners{.listeners = {sample_listener("0.0.0.0", 5000, 0, 128, 77)}});
  history.set(&NetnsView::connections, Connections{.idle = {{.port = 5000, .count = 81, .shortest = 48s}}});
  history.set(&Snapshot::processes, Processes{.processes = {server(100, 100), other}}).tick();
  CHECK_FALSE(has(only_finding(kReached, history.history()).summary, "idle"));
}

TEST_CASE("a process that lives in a network namespace that nobody asks about is not told") {
  auto neighbour = server(1024);
  neighbour.elsewhere = true;
  CHECK(clear(kReached, with(neighbour)));
  CHECK(clear(kNear, with(neighbour)));
}
