// SPDX-License-Identifier: Apache-2.0
#include "daemon/notify.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <filesystem>

#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

/// Stands where systemd would.
class ListeningManager {
 public:
  explicit ListeningManager(bool abstract) {
    socket_ = FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    std::array<char, 32> pattern{"/tmp/tcpdiag-notify-XXXXXX"};
    directory_ = ::mkdtemp(pattern.data());
    name_ = (abstract ? "@" : "") + directory_ + "/socket";
    sockaddr_un address{.sun_family = AF_UNIX};
    std::memcpy(address.sun_path, name_.data(), name_.size());
    if (abstract) address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0);
  }
  ListeningManager(const ListeningManager&) = delete;
  ListeningManager& operator=(const ListeningManager&) = delete;
  ~ListeningManager() { std::filesystem::remove_all(directory_); }

  [[nodiscard]] const std::string& name() const { return name_; }

  /// The next message; "nothing" when there is none.
  [[nodiscard]] std::string heard() const {
    std::array<char, 4096> text{};
    const auto size = ::recv(socket_.get(), text.data(), text.size(), 0);
    return size < 0 ? "nothing" : std::string(text.data(), static_cast<std::size_t>(size));
  }

 private:
  FileDescriptor socket_;
  std::string directory_, name_;
};

constexpr TimePoint at(std::chrono::milliseconds since_boot) { return TimePoint(since_boot); }

}  // namespace

TEST_CASE("the service manager hears how the daemon is, at a path and at an abstract name") {
  const bool abstract = GENERATE(false, true);
  const ListeningManager systemd(abstract);
  ServiceManager manager(systemd.name());
  manager.ready();
  CHECK(systemd.heard() == "READY=1");
  manager.reloading(at(12345678ms));
  CHECK(systemd.heard() == "RELOADING=1\nMONOTONIC_USEC=12345678000");
  manager.stopping();
  CHECK(systemd.heard() == "STOPPING=1");
  CHECK(systemd.heard() == "nothing");
}

TEST_CASE("a status is told when it changes") {
  const ListeningManager systemd(false);
  ServiceManager manager(systemd.name());
  manager.status("no finding");
  CHECK(systemd.heard() == "STATUS=no finding");
  manager.status("no finding");
  CHECK(systemd.heard() == "nothing");
  manager.status("1 finding");
  CHECK(systemd.heard() == "STATUS=1 finding");
}

TEST_CASE("the watchdog hears of ticks twice within its time, and nothing from a loop that stands") {
  const ListeningManager systemd(false);
  ServiceManager manager(systemd.name(), 10s);
  manager.ticked(at(1000ms));
  CHECK(systemd.heard() == "WATCHDOG=1");
  manager.ticked(at(5900ms));
  CHECK(systemd.heard() == "nothing");
  manager.ticked(at(6000ms));
  CHECK(systemd.heard() == "WATCHDOG=1");
}

TEST_CASE("what a full socket did not take is told again with the next tick") {
  const ListeningManager systemd(false);
  ServiceManager manager(systemd.name(), 10s), another(systemd.name());
  const auto fill = [&] {
    for (int i = 0; i < 1000; ++i) another.stopping();
  };
  const auto empty = [&] {
    while (systemd.heard() == "STOPPING=1") {
    }
  };
  fill();
  manager.ready();
  manager.status("no finding");
  manager.ticked(at(1000ms));
  empty();
  manager.ticked(at(1100ms));
  CHECK(systemd.heard() == "READY=1");
  CHECK(systemd.heard() == "WATCHDOG=1");
  manager.status("no finding");
  CHECK(systemd.heard() == "STATUS=no finding");
  manager.status("no finding");
  manager.ticked(at(1200ms));
  CHECK(systemd.heard() == "nothing");
}

TEST_CASE("a READY that is late is not told once the daemon reloads or stops") {
  const ListeningManager systemd(false);
  ServiceManager manager(systemd.name());
  for (int i = 0; i < 1000; ++i) manager.status(std::to_string(i));
  manager.ready();
  while (systemd.heard() != "nothing") {
  }
  const bool stops = GENERATE(false, true);
  if (stops) manager.stopping();
  if (!stops) manager.reloading(at(1ms));
  CHECK(systemd.heard().starts_with(stops ? "STOPPING" : "RELOADING"));
  manager.ticked(at(1000ms));
  CHECK(systemd.heard() == "nothing");
}

TEST_CASE("without a watchdog ticks are not told") {
  const ListeningManager systemd(false);
  ServiceManager manager(systemd.name());
  manager.ticked(at(1000ms));
  CHECK(systemd.heard() == "nothing");
}

TEST_CASE("without a service manager, or one that is gone, nobody is told and nobody waits") {
  const auto name = GENERATE(std::string(), std::string("@"), std::string("vsock:2:1234"),
                             std::string("/nonexistent/socket"), std::string(200, '/'));
  ServiceManager manager(name, 1s);
  CHECK_NOTHROW(manager.ready());
  CHECK_NOTHROW(manager.ticked(at(1000ms)));
  CHECK_NOTHROW(manager.stopping());
}

TEST_CASE("the watchdog's time is for the process that it names, and a number") {
  CHECK(parse_watchdog("10000000", nullptr, 812) == 10s);
  CHECK(parse_watchdog("10000000", "812", 812) == 10s);
  CHECK_FALSE(parse_watchdog("10000000", "813", 812));
  CHECK_FALSE(parse_watchdog("10000000", "", 812));
  CHECK_FALSE(parse_watchdog(nullptr, "812", 812));
  for (const auto* usec : {"", "0", "-1", "10s", "99999999999999999999"})
    CHECK_FALSE(parse_watchdog(usec, nullptr, 812));
}
