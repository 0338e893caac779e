// SPDX-License-Identifier: Apache-2.0
#include "collectors/processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>

#include "collectors/connections.h"
#include "collectors/listeners.h"
#include "collectors/sockstat.h"
#include "tests/catch.h"
#include "tests/kernel/testbed.h"

using namespace tcpdiag;

namespace {

// A child process that lives until this ends.
class Child {
 public:
  explicit Child(const std::function<void()>& first) {
    int ready[2];
    if (::pipe2(ready, O_CLOEXEC) != 0) FAIL("pipe2");
    const FileDescriptor ours(ready[0]);
    FileDescriptor theirs(ready[1]);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      first();
      if (::write(theirs.get(), "", 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    theirs = FileDescriptor();
    char byte = 0;
    if (pid_ < 0 || ::read(ours.get(), &byte, 1) != 1) FAIL("the child did not start");
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

const Process* find(const Processes& processes, pid_t pid) {
  const auto found = std::find_if(processes.processes.begin(), processes.processes.end(),
                                  [&](const Process& process) { return process.pid == pid; });
  return found == processes.processes.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("a process is told with the descriptors and limits that /proc shows, and the listeners it holds") {
  FreshNetns netns;
  auto listener = listen_on("127.0.0.1", 0);
  const Child child([] {
    const rlimit limit{.rlim_cur = 64, .rlim_max = 128};
    // What the tests were started with may have numbers beyond the limit.
    if (::close_range(64, ~0U, 0) != 0 || ::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(1);
    while (::dup(0) >= 0) {
    }
  });
  const auto source = live_source();
  Snapshot snapshot{.namespaces = {NetnsView{.name = "test"}}};
  ListenersReader listeners;
  auto seen = look(listeners, *source);
  REQUIRE(seen);
  const auto inode = seen->listeners.at(0).sockets.at(0).inode;
  snapshot.namespaces[0].listeners.value = std::make_shared<const Listeners>(std::move(*seen));

  ProcessesReader reader;
  const auto processes = reader(Reading{.source = *source, .now = now(), .previous = snapshot});
  REQUIRE(processes);
  const auto* process = find(*processes, child.pid());
  REQUIRE(process != nullptr);
  CHECK(process->open_fds == 64U);
  CHECK(process->soft_limit == 64U);
  CHECK(process->hard_limit == 128U);
  CHECK(process->fd_ratio() == 1.0);
  CHECK(process->listener_inodes == std::vector{inode});
  const auto proc = "/proc/" + std::to_string(child.pid());
  CHECK(run("ls " + proc + "/fd | wc -l") == "64\n");
  CHECK(process->comm + "\n" == run("cat " + proc + "/comm"));
  const auto* self = find(*processes, ::getpid());
  REQUIRE(self != nullptr);  // we hold the listener too
  CHECK(self->listener_inodes == std::vector{inode});
}

TEST_CASE("the process that does not close what its peers have closed is told with these sockets") {
  FreshNetns netns;
  const auto listener = listen_on("127.0.0.1", 0);
  std::vector<FileDescriptor> held;  // the server's side of three connections, the client's of one
  for (int each = 0; each < 3; ++each) {
    const auto client = connect_to("127.0.0.1", port_of(listener));
    held.push_back(accept_from(listener));
  }
  held.push_back(connect_to("127.0.0.1", port_of(listener)));
  {
    const auto accepted = accept_from(listener);
  }
  const Child child([] {});
  held.clear();  // now the child alone holds them
  wait_until("four sockets in CLOSE_WAIT", [] { return ss_in_state("CLOSE-WAIT").size() == 4; });

  const auto source = live_source();
  Snapshot snapshot{.namespaces = {NetnsView{.name = "test"}}};
  ConnectionsReader connections;
  for (int dump = 0; dump < 2; ++dump) {
    auto seen = look(connections, *source);
    REQUIRE(seen);
    snapshot.namespaces[0].connections = {std::make_shared<const Connections>(std::move(*seen)), now()};
  }
  ProcessesReader reader;
  const auto processes = reader(Reading{.source = *source, .now = now(), .previous = snapshot});
  REQUIRE(processes);
  const auto* process = find(*processes, child.pid());
  REQUIRE(process != nullptr);
  std::vector<std::uint32_t> expected;
  for (const auto& socket : ss_in_state("CLOSE-WAIT")) expected.push_back(socket.inode);
  std::sort(expected.begin(), expected.end());
  CHECK(process->close_wait_inodes == expected);
  CHECK(process->state == 'S');
  const auto* self = find(*processes, ::getpid());
  CHECK((self == nullptr || self->close_wait_inodes.empty()));
}

TEST_CASE("an owner that does not take the connections in its queue is told with what it waits in") {
  FreshNetns netns;
  auto listener = listen_on("127.0.0.1", 0);
  const auto port = port_of(listener);
  const Child stuck([] {});
  listener = FileDescriptor();
  const auto client = connect_to("127.0.0.1", port);
  const auto source = live_source();
  ListenersReader listeners;
  Snapshot snapshot{.namespaces = {NetnsView{.name = "test"}}};
  wait_until("a connection in the queue", [&] {
    auto seen = look(listeners, *source);
    const bool waits = seen && seen->listeners.at(0).fullest().queue_length == 1;
    if (seen) snapshot.namespaces[0].listeners.value = std::make_shared<const Listeners>(std::move(*seen));
    return waits;
  });
  ProcessesReader reader;
  const auto processes = reader(Reading{.source = *source, .now = now(), .previous = snapshot});
  REQUIRE(processes);
  const auto* process = find(*processes, stuck.pid());
  REQUIRE(process != nullptr);
  CHECK(process->state == 'S');
  const auto oracle = run("cat /proc/" + std::to_string(stuck.pid()) + "/wchan");
  CHECK(process->wait_channel == (oracle == "0" ? "" : oracle));
}

TEST_CASE("sockets that a process still holds after a reset are told, those in use are not") {
  FreshNetns netns;
  auto listener = listen_on("::", 0);
  std::vector<FileDescriptor> clients, accepted;
  for (int each = 0; each < 40; ++each) {
    clients.push_back(connect_to(each % 2 == 0 ? "127.0.0.1" : "::1", port_of(listener)));
    accepted.push_back(accept_from(listener));
    const linger reset{.l_onoff = 1, .l_linger = 0};
    REQUIRE(::setsockopt(clients.back().get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
  }
  const Child server([&] {
    for (const auto& client : clients) ::close(client.get());
  });
  listener = FileDescriptor();
  accepted.clear();    // now the child alone holds them
  clients.resize(10);  // the others reset their connections

  const auto source = live_source();
  const auto seen_at = [&](TimePoint at, ProcessesReader& reader) {
    Snapshot snapshot{.namespaces = {NetnsView{.name = "test"}}};
    auto& test = snapshot.namespaces[0];
    ListenersReader listeners;
    ConnectionsReader connections;
    auto listening = look(listeners, *source);
    auto connected = look(connections, *source);
    auto usage = read_socket_usage(*source);
    REQUIRE((listening && connected && usage));
    test.listeners.value = std::make_shared<const Listeners>(std::move(*listening));
    test.connections = {std::make_shared<const Connections>(std::move(*connected)), at};
    test.sockets.value = std::make_shared<const SocketUsage>(*usage);
    auto processes = reader(Reading{.source = *source, .now = at, .previous = snapshot});
    REQUIRE(processes);
    const auto* process = find(*processes, server.pid());
    REQUIRE(process != nullptr);
    return *process;
  };
  wait_until("ten connections", [] { return ss_in_state("ESTAB").size() == 20; });
  CHECK(ss_in_state("CLOSE-WAIT").empty());
  ProcessesReader reader;
  const auto start = now();
  CHECK_FALSE(seen_at(start, reader).closed_sockets);
  const auto process = seen_at(start + std::chrono::seconds(4), reader);
  CHECK(process.closed_sockets == 30U);
  CHECK(process.close_wait_inodes.empty());
}
