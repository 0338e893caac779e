// SPDX-License-Identifier: Apache-2.0
// dump NODE_EXPORTER: what a full dump of the socket table costs the collector `connections`, beside a bare
// receive loop, `ss -tan | wc -l` and node_exporter's tcpstat, as rows of the table that tests/bench/run
// prints.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "collectors/connections.h"
#include "collectors/live_source.h"
#include "daemon/clock.h"
#include "tests/bench/bare_dump.h"
#include "tests/bench/child_process.h"
#include "tests/bench/http_client.h"
#include "tests/bench/process_clock.h"

namespace tcpdiag::bench {
namespace {

constexpr std::size_t kLeastRounds = 5, kMostRounds = 41;
constexpr Seconds kEnough{35};  // TIME_WAIT lasts 60 s: after that, the crowd would melt away
constexpr std::uint16_t kPort = 9100;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "dump: %s\n", what.c_str());
  std::exit(1);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The CPU time of `work`, which runs on this thread.
template <class Work>
double cpu_seconds(Work&& work) {
  const auto before = own_cpu();
  work();
  return (own_cpu() - before).count();
}

/// A line of /proc/self/status, in MiB.
double status_mib(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1)) / 1024;
  die("/proc/self/status has no " + name);
}

/// A collector as the daemon has it.
class Ours {
 public:
  Connections read() {
    auto read = reader_({*source_, clocks_.monotonic(), snapshot_});
    if (!read) die(read.error().detail);
    return std::move(*read);
  }

 private:
  Clocks clocks_ = Clocks::system();
  std::unique_ptr<Source> source_ = make_live_source({.clock = clocks_.monotonic});
  Snapshot snapshot_{.namespaces = std::vector<NetnsView>(1)};
  ConnectionsReader reader_;
};

struct Listing {
  std::size_t sockets = 0;
  double cpu_seconds = 0;
};

pid_t start_program(const std::vector<std::string>& arguments, int input, int output) {
  std::vector<char*> words;
  for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  return start(words.data(), input, output);
}

struct Pipe {
  FileDescriptor out, in;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) die("pipe");
    out = FileDescriptor(ends[0]);
    in = FileDescriptor(ends[1]);
  }
};

/// ss -tan | wc -l
Listing list_with_ss() {
  Pipe table, count;
  const auto ss = start_program({"ss", "-tan"}, STDIN_FILENO, table.in.get());
  const auto wc = start_program({"wc", "-l"}, table.out.get(), count.in.get());
  table = Pipe();
  Listing listing;
  const auto ss_ended = wait_for(ss), wc_ended = wait_for(wc);
  if (ss_ended.code != 0 || wc_ended.code != 0) die("ss or wc failed");
  listing.cpu_seconds = ss_ended.cpu_seconds + wc_ended.cpu_seconds;
  std::array<char, 32> text{};
  if (::read(count.out.get(), text.data(), text.size() - 1) <= 0) die("wc said nothing");
  listing.sockets = std::strtoul(text.data(), nullptr, 10) - 1;  // without the headings
  return listing;
}

/// node_exporter with tcpstat alone.
class NodeExporter {
 public:
  explicit NodeExporter(const std::string& program)
      : pid_(start_program(
            {program, "--collector.disable-defaults", "--collector.tcpstat", "--log.level=error",
             "--web.listen-address=127.0.0.1:" + std::to_string(kPort), "--web.disable-exporter-metrics"},
            STDIN_FILENO, STDERR_FILENO)) {
    for (int tries = 0; !scrape(); ++tries) {
      if (tries == 100) die("node_exporter does not answer");
      ::usleep(50'000);
    }
    before_ = cpu_of(pid_);
    scrapes_ = 0;
  }
  NodeExporter(const NodeExporter&) = delete;
  NodeExporter& operator=(const NodeExporter&) = delete;
  ~NodeExporter() {
    ::kill(pid_, SIGTERM);
    wait_for(pid_);
  }

  bool scrape() {
    ++scrapes_;
    return client_.fetch().has_value();
  }
  /// Its garbage collector works between the scrapes, so no scrape can be looked at alone.
  [[nodiscard]] double mean_cpu_seconds() const {
    return (cpu_of(pid_) - before_).count() / static_cast<double>(scrapes_);
  }

 private:
  pid_t pid_;
  HttpClient client_{kPort, "/metrics"};
  Seconds before_{};
  std::size_t scrapes_ = 0;
};

struct Measured {
  std::size_t rounds = 0;
  std::vector<double> bare, ours, ratio, ss;
  double node_exporter = 0;
};

Measured measure(Ours& ours, BareDump& bare, NodeExporter& node_exporter) {
  const auto clocks = Clocks::system();
  const auto end = clocks.monotonic() + std::chrono::duration_cast<std::chrono::nanoseconds>(kEnough);
  Measured measured;
  for (auto& round = measured.rounds;
       round < kLeastRounds || (round < kMostRounds && clocks.monotonic() < end); ++round) {
    const auto run_bare = [&] { measured.bare.push_back(cpu_seconds([&] { bare(); })); };
    const auto run_ours = [&] { measured.ours.push_back(cpu_seconds([&] { ours.read(); })); };
    // Whoever comes second finds the sockets in the CPU's caches.
    if (round % 2 == 0) run_bare();
    run_ours();
    if (round % 2 != 0) run_bare();
    measured.ratio.push_back(measured.ours.back() / measured.bare.back());
    measured.ss.push_back(list_with_ss().cpu_seconds);
    if (!node_exporter.scrape()) die("node_exporter does not answer any more");
  }
  measured.node_exporter = node_exporter.mean_cpu_seconds();
  return measured;
}

const char* verdict(bool kept) { return kept ? "kept" : "**missed**"; }

void print_ratio(const char* against, double ours, double theirs, double ratio, double budget) {
  std::printf("| … beside %s | %.1f ms, it %.1f ms: %.2f × | ≤ %.2f × | %s |\n", against, ours * 1e3,
              theirs * 1e3, ratio, budget, verdict(ratio <= budget));
}

int run(const std::string& node_exporter_program) {
  BareDump bare;
  Ours ours;
  if (!bare()) die("the kernel does not answer");
  const double before_mib = status_mib("VmRSS");
  const auto sockets = ours.read().sockets;
  const auto shown_by_ss = list_with_ss().sockets;
  NodeExporter node_exporter(node_exporter_program);
  const auto measured = measure(ours, bare, node_exporter);
  const double grown_mib = status_mib("VmHWM") - before_mib;

  const double cpu = median(measured.ours), of_bare = median(measured.bare), of_ss = median(measured.ss);
  std::printf("| Dump of %zu sockets, %zu rounds: counted by us and by ss | %zu, %zu | the same | %s |\n",
              sockets, measured.rounds, sockets, shown_by_ss, verdict(sockets == shown_by_ss));
  print_ratio("a bare receive loop", cpu, of_bare, median(measured.ratio), 1.10);
  print_ratio("`ss -tan \\| wc -l`", cpu, of_ss, cpu / of_ss, 0.5);
  print_ratio("node_exporter's tcpstat", cpu, measured.node_exporter, cpu / measured.node_exporter, 0.5);
  std::printf("| … memory it took at its peak | %.1f MiB | ≤ 2 MiB at any number | %s |\n", grown_mib,
              verdict(grown_mib <= 2));
  return 0;
}

}  // namespace
}  // namespace tcpdiag::bench

int main(int argc, char** argv) {
  if (argc == 2) return tcpdiag::bench::run(argv[1]);
  std::fprintf(stderr, "usage: dump NODE_EXPORTER\n");
  return 2;
}
