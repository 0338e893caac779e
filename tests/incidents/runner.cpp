// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <deque>

#include "core/file_descriptor.h"
#include "tests/incidents/heartbeat.h"
#include "tests/incidents/namespaces.h"
#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr auto kTimeLimit = 180s;
constexpr unsigned kMaxPlays = 3;

// What is to be played, and what came of it when it was played before.
struct Due {
  std::size_t index = 0;
  std::vector<std::string> earlier;
};

// A scenario at work in its own process, which sends lines: "what it does", and in the end its outcome.
struct Running {
  Due due;
  pid_t pid = -1;
  FileDescriptor lines;
  std::string received;
  TimePoint started;
  std::chrono::milliseconds standstill{0};  // the longest while it was at work

  [[nodiscard]] bool disturbed() const { return standstill > Heartbeat::kTolerable; }
  [[nodiscard]] bool in_time() const { return now() < started + (disturbed() ? 2 * kTimeLimit : kTimeLimit); }
};

void send_line(int pipe, const std::string& line) {
  for (std::string_view rest = line; !rest.empty();) {
    const auto sent = ::write(pipe, rest.data(), rest.size());
    if (sent <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  (void)!::write(pipe, "\n", 1);
}

Running start(Due due, const Scenario& scenario, const PlayOptions& options) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const FileDescriptor writing(ends[1]);
  Running running{.due = std::move(due), .lines = FileDescriptor(ends[0]), .started = now()};
  running.pid = fork_into_new_namespaces(scenario.peer, [&] {
    const auto outcome =
        play(scenario, options, [&](const std::string& step) { send_line(writing.get(), step); });
    send_line(writing.get(), to_json(outcome));
    return 0;
  });
  return running;
}

// False when nothing more will come.
bool receive(Running& running) {
  std::array<char, 65536> bytes{};
  const auto length = ::read(running.lines.get(), bytes.data(), bytes.size());
  if (length > 0) running.received.append(bytes.data(), static_cast<std::size_t>(length));
  return length > 0;
}

Outcome end(const Running& running, const Scenario& scenario, bool in_time) {
  ::kill(running.pid, SIGKILL);
  ::waitpid(running.pid, nullptr, 0);
  auto text = running.received;
  if (text.ends_with('\n')) text.pop_back();
  const auto last_line = text.substr(text.rfind('\n') + 1);
  if (auto outcome = parse_outcome(last_line)) return std::move(*outcome);
  return {
      .id = scenario.id,
      .name = scenario.name,
      .failures = {(in_time ? "its process died; last step: " : "not over after three minutes; last step: ") +
                   last_line},
      .seconds = std::chrono::duration<double>(now() - running.started).count()};
}

// Why a scenario is played again: its failure may be the machine's. Empty: it is not.
std::string why_again(const Outcome& outcome, const Running& running) {
  if (outcome.verdict == Outcome::Verdict::passed || !running.disturbed()) return {};
  if (running.due.earlier.size() + 1 >= kMaxPlays) return {};
  return fmt::format("played again, because the machine stood still for {:.1f} s; it had failed with: {}",
                     std::chrono::duration<double>(running.standstill).count(), outcome.failures.front());
}

// Waits until something comes, at most half a second, and notes how the machine stood still meanwhile.
std::vector<pollfd> wait(std::deque<Running>& running, const Heartbeat& heartbeat) {
  constexpr std::chrono::milliseconds kLongest{500};
  std::vector<pollfd> polled;
  for (const auto& each : running) polled.push_back({.fd = each.lines.get(), .events = POLLIN});
  const auto before = now();
  ::poll(polled.data(), polled.size(), kLongest.count());
  const auto overslept = std::chrono::duration_cast<std::chrono::milliseconds>(now() - before) - kLongest;
  for (auto& each : running)
    each.standstill = std::max({each.standstill, overslept, heartbeat.standing_still()});
  return polled;
}

}  // namespace

std::vector<Outcome> play_all(const std::vector<Scenario>& scenarios, const PlayOptions& options,
                              unsigned jobs, const std::function<void(const Outcome&)>& on_end) {
  const Heartbeat heartbeat;
  std::vector<Outcome> outcomes(scenarios.size());
  std::deque<Due> due;
  for (std::size_t index = 0; index < scenarios.size(); ++index) due.push_back({.index = index});
  std::deque<Running> running;
  while (!due.empty() || !running.empty()) {
    for (; !due.empty() && running.size() < jobs; due.pop_front())
      running.push_back(start(due.front(), scenarios[due.front().index], options));
    const auto polled = wait(running, heartbeat);
    for (std::size_t at = polled.size(); at-- > 0;) {
      auto& each = running[at];
      if (each.in_time() && (polled[at].revents == 0 || receive(each))) continue;
      const auto index = each.due.index;
      auto outcome = end(each, scenarios[index], each.in_time());
      outcome.earlier = each.due.earlier;
      if (const auto why = why_again(outcome, each); !why.empty()) {
        each.due.earlier.push_back(why);
        due.push_back(each.due);
      } else {
        on_end(outcome);
        outcomes[index] = std::move(outcome);
      }
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
  return outcomes;
}

}  // namespace tcpdiag::incidents
