// SPDX-License-Identifier: Apache-2.0
#include "cli/replay.h"

#include <algorithm>

#include "collectors/recording.h"
#include "core/facts/host_config.h"
#include "core/facts/kernel_log.h"
#include "core/facts/listeners.h"
#include "core/facts/memory_info.h"
#include "core/facts/processes.h"
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"

using namespace tcpdiag;

namespace {

std::string path_of(const std::string& recording) {
  return std::string(TCPDIAG_SOURCE_DIR) + "/tests/recordings/" + recording;
}

Report replayed(const std::string& recording) {
  auto report = replay(path_of(recording));
  REQUIRE(report);
  for (const auto& run : report->runs) {
    INFO(run.collector);
    const bool newer = run.collector == "meminfo" || run.collector == "host_config" ||
                       run.collector == "interfaces" || run.collector == "namespaces";  // than the recordings
    CHECK(run.outcome.has_value() != newer);
  }
  return *report;
}

const NetnsView& host(const Report& report) { return report.snapshot.namespaces.at(0); }

const Listener& listener_on(const Report& report, std::uint16_t port) {
  const auto& listeners = host(report).listeners.get()->listeners;
  const auto found = std::find_if(listeners.begin(), listeners.end(),
                                  [&](const Listener& listener) { return listener.endpoint.port == port; });
  REQUIRE(found != listeners.end());
  return *found;
}

}  // namespace

TEST_CASE("the replay of an accept queue that overflows shows the queue, the counters and the owner") {
  const auto report = replayed("accept-queue-overflow");
  const auto& listener = listener_on(report, 5000);
  CHECK(listener.sockets.size() == 1);
  CHECK(listener.fullest().queue_length == 17);
  CHECK(listener.fullest().queue_limit == 16);
  CHECK(listener.peak_length == 17);
  CHECK(fill_ratio(listener.fullest()) == 1);
  CHECK(listener.fill.samples.back() > 60);  // of 90 samples; the queue was full for most of the time

  const auto& tcp = *host(report).tcp.get();
  CHECK(tcp.listen_overflows == 138U);
  CHECK(tcp.listen_drops == 138U);
  CHECK(listener.drops == 138U);
  CHECK(tcp.req_q_full_do_cookies == 0U);

  const auto& connections = *host(report).connections.get();
  REQUIRE(connections.server.size() == 1);
  CHECK(connections.server[0].port == 5000);
  CHECK(connections.server[0].unaccepted == 17);
  REQUIRE(connections.client.size() == 1);
  CHECK(connections.client[0].count(TcpState::syn_sent) == 23);

  const auto& processes = report.snapshot.processes.get()->processes;
  const auto inode = listener.sockets[0].inode;
  const auto owner = std::find_if(processes.begin(), processes.end(), [&](const Process& process) {
    return std::binary_search(process.listener_inodes.begin(), process.listener_inodes.end(), inode);
  });
  REQUIRE(owner != processes.end());
  CHECK(owner->comm == "python3");
  CHECK(to_string(owner->owner) == "demo.service");
}

TEST_CASE("the replay of a SYN flood shows half-open connections, cookies and the line in the kernel log") {
  const auto report = replayed("syn-flood");
  CHECK(listener_on(report, 8443).fullest().queue_length == 0);
  const auto& half_open = host(report).connections.get()->half_open;
  REQUIRE(half_open.size() == 1);
  CHECK(half_open[0].count == 65);  // a backlog of 64 holds one more

  const auto& tcp = *host(report).tcp.get();
  CHECK(tcp.syncookies_sent == 335U);
  CHECK(tcp.syncookies_received == 0U);
  CHECK(tcp.listen_overflows == 0U);

  const auto& log = *report.snapshot.kernel_log.get();
  REQUIRE(log.syn_floods.size() == 1);
  CHECK(log.syn_floods[0].address == "192.0.2.1");
  CHECK(log.syn_floods[0].port == 8443);
  CHECK(log.syn_floods[0].count == 1);
}

TEST_CASE("what a recording is too old to hold is not known, rather than empty") {
  const auto report = replayed("syn-flood");
  CHECK(report.snapshot.memory.value.error().code == Errc::missing);
  CHECK(report.snapshot.config.value.error().code == Errc::missing);
}

TEST_CASE("a replay ends at the moment of the recording, not now") {
  const auto report = replayed("syn-flood");
  const auto recording = Recording::open(path_of("syn-flood"));
  REQUIRE(recording);
  CHECK(report.at == recording->ticks().back());
  CHECK(report.wall_at - recording->about().started_at == report.at - recording->about().started);
  for (const auto& run : report.runs) CHECK(report.at - run.finished_at < std::chrono::seconds(31));
}

TEST_CASE("what is no recording is an error that names it") {
  const auto report = replay("/does/not/exist");
  REQUIRE_FALSE(report);
  CHECK_THAT(report.error().detail, ContainsSubstring("/does/not/exist"));
}
