// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <deque>

#include "collectors/file_descriptor.h"
#include "tests/incidents/namespaces.h"
#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr auto kTimeLimit = 120s;

// A scenario at work in its own process, which sends lines: "what it does", and in the end its outcome.
struct Running {
  std::size_t index = 0;
  pid_t pid = -1;
  FileDescriptor lines;
  std::string received;
  TimePoint started;
};

void send_line(int pipe, const std::string& line) {
  for (std::string_view rest = line; !rest.empty();) {
    const auto sent = ::write(pipe, rest.data(), rest.size());
    if (sent <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  (void)!::write(pipe, "\n", 1);
}

Running start(std::size_t index, const Scenario& scenario, const PlayOptions& options) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const FileDescriptor writing(ends[1]);
  Running running{.index = index, .lines = FileDescriptor(ends[0]), .started = now()};
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
      .failures = {(in_time ? "its process died; last step: " : "not over after two minutes; last step: ") +
                   last_line},
      .seconds = std::chrono::duration<double>(now() - running.started).count()};
}

}  // namespace

std::vector<Outcome> play_all(const std::vector<Scenario>& scenarios, const PlayOptions& options,
                              unsigned jobs, const std::function<void(const Outcome&)>& on_end) {
  std::vector<Outcome> outcomes(scenarios.size());
  std::deque<Running> running;
  for (std::size_t next = 0; next < scenarios.size() || !running.empty();) {
    while (next < scenarios.size() && running.size() < jobs) {
      running.push_back(start(next, scenarios[next], options));
      ++next;
    }
    std::vector<pollfd> polled;
    for (const auto& each : running) polled.push_back({.fd = each.lines.get(), .events = POLLIN});
    ::poll(polled.data(), polled.size(), 500);
    for (std::size_t at = polled.size(); at-- > 0;) {
      auto& each = running[at];
      const bool in_time = now() < each.started + kTimeLimit;
      if (in_time && (polled[at].revents == 0 || receive(each))) continue;
      auto& outcome = outcomes[each.index];
      outcome = end(each, scenarios[each.index], in_time);
      on_end(outcome);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
  return outcomes;
}

}  // namespace tcpdiag::incidents
