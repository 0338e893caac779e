// SPDX-License-Identifier: Apache-2.0
// diagnosis: what one look of all rules costs on five minutes of a host with 200 listeners, calm and in
// trouble, and how much the history holds. Prints rows of docs/performance.md.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/facts/connections.h"
#include "core/facts/conntrack.h"
#include "core/facts/file_handles.h"
#include "core/facts/host_config.h"
#include "core/facts/kernel_log.h"
#include "core/facts/listeners.h"
#include "core/facts/memory_info.h"
#include "core/facts/settings.h"
#include "core/facts/socket_usage.h"
#include "core/facts/softnet.h"
#include "core/facts/tcp_counters.h"
#include "core/sysctls.h"
#include "daemon/incident_book.h"
#include "diagnosis/catalog.h"
#include "diagnosis/diagnose.h"
#include "tests/bench/process_clock.h"

namespace {

using namespace tcpdiag;
using bench::own_cpu;
using bench::Seconds;

constexpr int kListeners = 200;
constexpr int kTroubled = 20;
constexpr int kSeconds = 300;
constexpr double kBudgetMs = 2.0;

template <class T>
void set(Section<T>& section, T value, TimePoint at) {
  section = {std::make_shared<const T>(std::move(value)), at};
}

// A host as it stands `second` seconds after the start: every number has a value, so that no rule stops
// early.
class Host {
 public:
  explicit Host(bool trouble) : trouble_(trouble) {
    snapshot_.namespaces.push_back({.name = kHostNetns});
    for (int i = 0; i < kListeners; ++i) {
      Listener listener{.endpoint = {.port = static_cast<std::uint16_t>(1000 + i)}, .drops = 0};
      listener.sockets.push_back({.cookie = static_cast<std::uint64_t>(i) + 1,
                                  .inode = static_cast<std::uint32_t>(i) + 1,
                                  .queue_limit = 128});
      listeners_.listeners.push_back(listener);
      Process process{.pid = i + 1,
                      .comm = "server",
                      .owner = system_unit("server.service"),
                      .open_fds = 100,
                      .soft_limit = 1024};
      process.listener_inodes = {static_cast<std::uint32_t>(i) + 1};
      processes_.processes.push_back(process);
      PortConnections port{.port = listener.endpoint.port};
      port.by_state[1] = 50;
      port.by_state[6] = 20;
      connections_.server.push_back(port);
      connections_.half_open.push_back({listener.endpoint, 0});
    }
    for (const auto& spec : sysctl_table())
      settings_.sysctls.push_back({spec.name, std::vector<std::int64_t>(spec.fields.size(), 4096), "4096"});
    for (auto& sysctl : settings_.sysctls)
      if (sysctl.name == "net.ipv4.ip_local_port_range") sysctl.values = {32768, 60999};
  }

  const Snapshot& at(int second) {
    const auto now = TimePoint(std::chrono::hours(1)) + std::chrono::seconds(second);
    snapshot_.at = now;
    auto& netns = snapshot_.namespaces.front();
    for (int i = 0; i < kListeners; ++i)
      advance(listeners_.listeners[static_cast<std::size_t>(i)], i < kTroubled);
    TcpCounters tcp;
    tcp.listen_overflows = tcp.listen_drops = trouble_ ? 40 * second : 0;
    tcp.passive_opens = tcp.active_opens = tcp.in_segs = tcp.out_segs = 100 * second;
    tcp.out_rsts = tcp.estab_resets = tcp.attempt_fails = tcp.embryonic_rsts = 7;
    tcp.syncookies_sent = tcp.syncookies_received = tcp.req_q_full_drop = tcp.req_q_full_do_cookies = 7;
    tcp.abort_on_close = tcp.abort_on_data = tcp.abort_on_memory = tcp.time_wait_overflow = 7;
    tcp.syn_retrans = tcp.memory_pressures = 7;
    set(netns.tcp, tcp, now);
    set(netns.sockets, SocketUsage{10, 10, 10, 10, 10, 4096, 4096}, now);
    set(netns.listeners, listeners_, now);
    set(snapshot_.softnet, Softnet{{{0, 100, 0, 0}, {1, 100, 0, 0}}}, now);
    set(snapshot_.kernel_log, KernelLog{}, now);
    if (second % 4 == 0) {
      set(netns.connections, connections_, now);
      set(snapshot_.processes, processes_, now);
      set(netns.conntrack, Conntrack{10, 1000, 0, 0, 0}, now);
      set(snapshot_.files, FileHandles{1000, 100000}, now);
    }
    if (second % 30 == 0) {
      set(netns.settings, settings_, now);
      set(snapshot_.memory, MemoryInfo{std::uint64_t{24} << 30, std::uint64_t{20} << 30}, now);
      set(snapshot_.config, HostConfig{}, now);
    }
    return snapshot_;
  }

 private:
  void advance(Listener& listener, bool may_be_troubled) {
    const bool full = trouble_ && may_be_troubled;
    listener.fill.samples.front() += full ? 5 : 10;
    listener.fill.samples.back() += full ? 5 : 0;
    listener.sockets.front().queue_length = 0;  // bursts, which come and go
    if (full) *listener.drops += 2;
  }

  bool trouble_;
  Snapshot snapshot_;
  Listeners listeners_;
  Connections connections_;
  Processes processes_;
  Settings settings_;
};

double median_ms(std::vector<double> times) {
  std::ranges::sort(times);
  return times[times.size() / 2];
}

void measure(const char* what, bool trouble) {
  Host host(trouble);
  IncidentBook book(rule_catalog());
  std::vector<double> times;
  for (int second = 0; second < kSeconds + 100; ++second) {
    const auto& snapshot = host.at(second);
    const Moment now{snapshot.at, std::chrono::system_clock::time_point(snapshot.at.time_since_epoch())};
    const auto before = own_cpu();
    book.observe(snapshot, now);
    if (second >= kSeconds) times.push_back((own_cpu() - before).count() * 1e3);
  }
  Report report;
  book.write_to(report);
  const auto median = median_ms(times);
  const auto slowest = *std::ranges::max_element(times);
  std::printf(
      "| Diagnosis of 5 minutes, %d listeners, %s: CPU | %.2f ms (the slowest of 100 %.2f ms, %zu incidents) "
      "| ≤ %.0f ms | %s |\n",
      kListeners, what, median, slowest, report.incidents.size(), kBudgetMs,
      median <= kBudgetMs ? "kept" : "**missed**");
  std::printf("| … what its history holds | %zu snapshots, %.1f MiB | ≤ %zu MiB | %s |\n",
              book.history().snapshots().size(), static_cast<double>(book.history().bytes()) / (1 << 20),
              History::kMaxBytes >> 20, book.history().bytes() <= History::kMaxBytes ? "kept" : "**missed**");
}

}  // namespace

int main() {
  measure("calm", false);
  measure("20 of them in trouble", true);
}
