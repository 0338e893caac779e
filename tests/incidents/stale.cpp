// SPDX-License-Identifier: Apache-2.0
// What is left of the past, or of another namespace: a limit, a line in the kernel log, counters.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <thread>

#include "core/file_descriptor.h"
#include "tests/incidents/clients.h"
#include "tests/incidents/flood.h"
#include "tests/incidents/namespaces.h"
#include "tests/incidents/server.h"
#include "tests/incidents/stage.h"
#include "tests/incidents/visits.h"
#include "tests/links.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000;
constexpr std::uint16_t kFloodedPort = 5025;  // no other scenario's, so that its line can be told

// net.core.somaxconn is raised, but the server has called listen() before.
void raised_too_late(Stage& stage) {
  std::optional<Server> server(ServerPlan{.port = kPort, .backlog = 1024});
  auto& kernel = stage.kernel();
  std::this_thread::sleep_for(2s);  // for the daemon to see the listener as it is
  stage.sysctl("net.core.somaxconn", "4096");
  stage.evidence("a limit of 128", [&] { return kernel.listener(kPort)->fullest().queue_limit == 128; });
  stage.until_found();
  stage.observe("limit", kernel.listener(kPort)->fullest().queue_limit, 128, 128);
  server.reset();
  server.emplace(ServerPlan{.port = kPort, .backlog = 1024});
  stage.observe("limit after a restart", kernel.listener(kPort)->fullest().queue_limit, 1024, 1024);
  stage.until_closed();
}

// The kernel log from now on.
class KernelLogTail {
 public:
  KernelLogTail() : file_(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    if (!file_ || ::lseek(file_.get(), 0, SEEK_END) < 0) throw NotStaged("/dev/kmsg cannot be read");
  }
  // Whether a line with both texts came since the last call.
  bool shows(std::string_view text, std::string_view other) {
    std::array<char, 8192> record{};
    bool found = false;
    for (;;) {
      const auto length = ::read(file_.get(), record.data(), record.size());
      if (length < 0 && errno == EPIPE) continue;  // overrun: it goes on with the oldest there is
      if (length <= 0) return found;
      const std::string_view line(record.data(), static_cast<std::size_t>(length));
      found = found || (line.find(text) != line.npos && line.find(other) != line.npos);
    }
  }

 private:
  FileDescriptor file_;
};

// A flood in the peer's namespace, on a port of the same number as a quiet one at home. The kernel names the
// port only, once for each listener, and not at all while it has too much to say.
void flood_elsewhere(Stage& stage) {
  KernelLogTail log;
  const Server quiet({.port = kFloodedPort, .backlog = 64});
  const Visits visits({.to = {{"127.0.0.1", kFloodedPort}}, .apart = 100ms});
  std::optional<Server> flooded;
  Flood syns(kFloodedPort, false);
  inside(Side::peer, [] { add_link_to_nowhere(); });
  stage.evidence("the line in the log", [&] {
    flooded.reset();
    flooded.emplace(ServerPlan{.comm = "nginx", .netns = "peer", .port = kFloodedPort, .backlog = 64});
    inside(Side::peer, [&] { syns.send(1000); });
    std::this_thread::sleep_for(200ms);
    return log.shows("SYN flooding on port", std::to_string(kFloodedPort) + ".");
  });
  inside(Side::peer, [&] { syns.go_on(200); });
  stage.until_found();
  std::this_thread::sleep_for(5s);
  stage.observe("cookies sent at home", stage.kernel().increase(&TcpCounters::syncookies_sent), 0, 0);
  stage.observe("cookies sent elsewhere", stage.peer().increase(&TcpCounters::syncookies_sent), 900);
  stage.observe("visits at home", visits.made(), 10);
  syns.stop();
  stage.until_closed();
}

void overflow_before(Stage& stage) {
  const Server stuck({.port = kPort, .backlog = 4, .stuck = true});
  const Clients clients({.port = kPort, .count = 40});
  auto& kernel = stage.kernel();
  stage.await("an overflow", [&] { return kernel.increase(&TcpCounters::listen_overflows) >= 35; });
  stage.observe("overflows before the daemon", kernel.increase(&TcpCounters::listen_overflows), 35);
}

void nothing_new(Stage& stage) {
  const Server server({.port = kPort, .backlog = 4});
  const Visits visits({.apart = 50ms});
  stage.until_found();
  stage.observe("overflows since", stage.kernel().increase(&TcpCounters::listen_overflows), 0, 0);
  stage.observe("visits", visits.made(), 20);
}

}  // namespace

std::vector<Scenario> stale_scenarios() {
  return {{.id = "24",
           .name = "somaxconn-raised-too-late",
           .play = raised_too_late,
           .expected = {{.id = "listener-backlog-stale",
                         .port = kPort,
                         .process = "gunicorn",
                         .limit = "backlog",
                         .limit_value = 128,
                         .severity = "info"}},
           .look_alikes = {"accept-queue-*", "listener-exit"},
           .allowed = {{.id = "sysctl-*", .why = "128 is below the kernel's own default"}},
           .before_daemon = [](Stage& stage) { stage.sysctl("net.core.somaxconn", "128"); }},
          {.id = "25",
           .name = "flood-in-another-namespace",
           .play = flood_elsewhere,
           .expected = {{.id = "syn-flood-suspected",
                         .port = kFloodedPort,
                         .process = "nginx",
                         .side = Side::peer,
                         .within = 5s}},
           .look_alikes = {"syn-*"},
           .peer = true},
          {.id = "26",
           .name = "overflow-before-the-daemon",
           .play = nothing_new,
           .look_alikes = {"accept-*", "listener-*"},
           .before_daemon = overflow_before}};
}

}  // namespace tcpdiag::incidents
