// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "collectors/files.h"
#include "collectors/listeners.h"
#include "collectors/live_source.h"
#include "collectors/netns_doorkeeper.h"
#include "collectors/netns_wire.h"
#include "collectors/netstat.h"
#include "daemon/netns_doorkeeper/server.h"
#include "tests/catch.h"
#include "tests/kernel/testbed.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

// A doorkeeper on a thread of ours, and one who asks it.
struct Doorkeeper {
  Doorkeeper() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    connection = FileDescriptor(ends[0]);
    asker = std::make_shared<NetnsDoorkeeper>(FileDescriptor(::dup(connection.get())), now);
    thread = std::thread([theirs = FileDescriptor(ends[1])] { serve_connection(theirs); });
  }
  ~Doorkeeper() {
    ::shutdown(connection.get(), SHUT_RDWR);
    thread.join();
  }

  FileDescriptor connection;
  std::shared_ptr<NetnsDoorkeeper> asker;
  std::thread thread;
};

std::unique_ptr<Source> source_by(OpenDoor open_door, NetnsPlace place) {
  auto paths = std::make_shared<NetnsPaths>();
  paths->set("test", std::move(place));
  return make_live_source({.netns = "test", .paths = paths, .open_door = std::move(open_door), .clock = now});
}

// A process that lives in the namespace "test".
struct Sleeper {
  Sleeper() : pid(std::stoi(run("nsenter --net=/run/netns/test sleep 600 >/dev/null 2>&1 & echo $!"))) {
    wait_until("it lives there", [&] {
      const auto held = netns_in_file("/proc/" + std::to_string(pid) + "/ns/net");
      return held && held->inode == netns_in_file("/run/netns/test")->inode;
    });
  }
  ~Sleeper() { ::kill(pid, SIGKILL); }

  pid_t pid;
};

NetnsPlace place_of_test() {
  return {.path = "/run/netns/test", .inode = netns_in_file("/run/netns/test")->inode};
}

}  // namespace

TEST_CASE("what the doorkeeper hands over shows the other namespace, whoever uses it") {
  const FreshNames names;
  run("ip netns add test && ip netns exec test sysctl -qw net.ipv4.tcp_syncookies=0 net.core.somaxconn=77");
  in_netns("ip link set lo up");
  FileDescriptor listener;
  REQUIRE(Netns::open("test").value().run_inside([&] { listener = listen_on("127.0.0.1", 81); }));
  const Doorkeeper doorkeeper;
  const auto source = source_by(
      [&](const Netns& netns, std::chrono::milliseconds) { return doorkeeper.asker->open(netns, 30s); },
      place_of_test());
  ListenersReader reader;
  const auto listeners = look(reader, *source).value().listeners;
  REQUIRE(listeners.size() == 1);
  CHECK(listeners[0].endpoint.port == 81);
  CHECK(read_tcp_counters(*source).has_value());
  CHECK(source->read("/proc/sys/net/core/somaxconn").value() == "77\n");
  CHECK(source->read("/proc/sys/net/ipv4/tcp_syncookies").value() == "0\n");
  CHECK(source->read("/proc/sys/net/ipv4/conf/lo/rp_filter").has_value());
  CHECK(source->read("/proc/net/dev").value().find("lo:") != std::string::npos);
  CHECK(source->read("/proc/sys/net/core/none").error().code == Errc::missing);
  CHECK(source->read("/proc/net/softnet_stat").error().code == Errc::missing);
}

TEST_CASE("a descriptor that holds no network namespace opens nothing, and the doorkeeper goes on") {
  const FreshNames names;
  run("ip netns add test");
  const Doorkeeper doorkeeper;
  for (const auto* path : {"/proc/self/ns/mnt", "/proc/version", "/"}) {
    INFO(path);
    const FileDescriptor file(::open(path, O_RDONLY | O_CLOEXEC));
    REQUIRE(send_netns_request(doorkeeper.connection.get(), 1, file.get()));
    const auto answer = receive_netns_answer(doorkeeper.connection.get());
    CHECK_FALSE((**answer).door.has_value());
  }
  CHECK(doorkeeper.asker->open(Netns::open("test").value(), 30s).has_value());
}

TEST_CASE("ten thousand doors leave nothing open") {
  const FreshNames names;
  run("ip netns add test");
  const Doorkeeper doorkeeper;
  const auto netns = Netns::open("test").value();
  const auto open_files = [] { return list_directory("/proc/self/fd").value().size(); };
  const auto before = open_files();
  for (int i = 0; i < 10000; ++i) REQUIRE(doorkeeper.asker->open(netns, 30s).has_value());
  wait_until("the doorkeeper has closed what it opened last", [&] { return open_files() == before; });
}

TEST_CASE(
    "without the right to enter it a namespace shows its counters alone, and the rest once it may be entered") {
  const FreshNames names;
  run("ip netns add test");
  in_netns("ip link set lo up");
  const Sleeper sleeper;
  TimePoint time = now();
  bool denied = true;
  auto paths = std::make_shared<NetnsPaths>();
  auto place = place_of_test();
  place.pid = sleeper.pid;
  paths->set("test", place);
  const auto source =
      make_live_source({.netns = "test",
                        .paths = paths,
                        .open_door =
                            [&](const Netns& netns, std::chrono::milliseconds) {
                              if (!denied) return open_door_inside(netns);
                              return Result<NetnsDoor>(unexpected(Errc::denied, "nobody opens"));
                            },
                        .clock = [&] { return time; }});
  ListenersReader listeners;
  CHECK(read_tcp_counters(*source).has_value());
  CHECK(look(listeners, *source).error().detail == "nobody opens");
  CHECK(source->read("/proc/sys/net/core/somaxconn").error().code == Errc::denied);
  denied = false;
  CHECK_FALSE(look(listeners, *source).has_value());  // it is not asked each time
  time += 10s;
  CHECK(look(listeners, *source).has_value());
  CHECK(source->read("/proc/sys/net/core/somaxconn").has_value());
}

TEST_CASE("counters are not those of a process that lives elsewhere by now") {
  const FreshNames names;
  run("ip netns add test");
  auto place = place_of_test();
  place.pid = ::getpid();
  const auto source = source_by(
      [](const Netns&, std::chrono::milliseconds) -> Result<NetnsDoor> {
        return unexpected(Errc::denied, "nobody opens");
      },
      place);
  CHECK(read_tcp_counters(*source).error().code == Errc::denied);
}
