// SPDX-License-Identifier: Apache-2.0
// scrape PORT PID: what a scrape costs the daemon with that process id, the first one of a report and one
// more of the same report, as rows of the table that tests/bench/run prints. The client asks for gzip, as
// Prometheus does.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "daemon/clock.h"
#include "tests/bench/http_client.h"
#include "tests/bench/process_clock.h"

namespace tcpdiag::bench {
namespace {

constexpr int kReports = 30;
constexpr auto kNextReport = 1'100'000;  // microseconds: a report a second

/// Milliseconds of one kind of scrape, in order.
struct Times {
  std::vector<double> cpu, latency;

  void sort() {
    std::sort(cpu.begin(), cpu.end());
    std::sort(latency.begin(), latency.end());
  }
  static double middle(const std::vector<double>& sorted) { return sorted[sorted.size() / 2]; }
};

bool measure(HttpClient& client, pid_t pid, Times& times) {
  const auto clocks = Clocks::system();
  const auto started_at = clocks.monotonic();
  const auto before = cpu_of(pid);
  if (!client.fetch()) return false;
  times.latency.push_back(Seconds(clocks.monotonic() - started_at).count() * 1e3);
  times.cpu.push_back((cpu_of(pid) - before).count() * 1e3);
  return true;
}

void print(const char* what, Times& times, double budget) {
  times.sort();
  const double cpu = Times::middle(times.cpu);
  std::printf("| %s: CPU | %.2f ms (it took %.2f ms, the slowest %.2f ms) | ≤ %.1f ms | %s |\n", what, cpu,
              Times::middle(times.latency), times.latency.back(), budget,
              cpu <= budget ? "kept" : "**missed**");
}

int run(std::uint16_t port, pid_t pid) {
  HttpClient gzip(port, "/metrics", "Accept-Encoding: gzip\r\n"), plain(port, "/metrics");
  Times first_gzip, first_plain, again;
  for (int i = 0; i < kReports; ++i) {
    ::usleep(kNextReport);
    const bool compressed = i % 2 == 0;
    auto& client = compressed ? gzip : plain;
    if (!measure(client, pid, compressed ? first_gzip : first_plain) || !measure(client, pid, again)) {
      std::fprintf(stderr, "scrape: the daemon does not answer\n");
      return 1;
    }
  }
  print("… the first of a report", first_gzip, 1);
  print("… the first of a report, not compressed", first_plain, 1);
  print("… one more of the same report", again, 0.1);
  return 0;
}

}  // namespace
}  // namespace tcpdiag::bench

int main(int argc, char** argv) {
  const auto port = argc != 3 ? 0 : std::strtoul(argv[1], nullptr, 10);
  const auto pid = argc != 3 ? 0 : std::strtol(argv[2], nullptr, 10);
  if (port > 0 && port < 65536 && pid > 0)
    return tcpdiag::bench::run(static_cast<std::uint16_t>(port), static_cast<pid_t>(pid));
  std::fprintf(stderr, "usage: scrape PORT PID\n");
  return 2;
}
