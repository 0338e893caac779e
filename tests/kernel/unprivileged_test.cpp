// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <sstream>

#include "collectors/connections.h"
#include "collectors/kernel_log.h"
#include "collectors/listeners.h"
#include "collectors/netstat.h"
#include "collectors/processes.h"
#include "collectors/sockstat.h"
#include "collectors/sysctl.h"
#include "tests/catch.h"
#include "tests/kernel/testbed.h"

using namespace tcpdiag;

namespace {

constexpr uid_t kNobody = 65534;

// What `work` returns in a process of nobody without any privilege.
std::string as_nobody(const std::function<std::string()>& work) {
  if (::geteuid() != 0) skip("becoming another user");
  int result[2];
  if (::pipe2(result, O_CLOEXEC) != 0) FAIL("pipe2");
  const FileDescriptor ours(result[0]);
  FileDescriptor theirs(result[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool dropped = ::setgroups(0, nullptr) == 0 && ::setresgid(kNobody, kNobody, kNobody) == 0 &&
                         ::setresuid(kNobody, kNobody, kNobody) == 0;
    const auto said = dropped ? work() : "not dropped";
    ::_exit(::write(theirs.get(), said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  theirs = FileDescriptor();
  std::string said;
  char buffer[4096];
  for (ssize_t length = 0; (length = ::read(ours.get(), buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<std::size_t>(length));
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0)
    FAIL("the child ended with " << status);
  return said;
}

template <class T>
std::string word(const Result<T>& result) {
  return result ? "ok" : std::string(to_string(result.error().code));
}

}  // namespace

TEST_CASE("without any privilege the sockets, counters and settings are known") {
  FreshNetns netns;
  const auto listener = listen_on("127.0.0.1", 0, {.backlog = 0});
  const auto client = connect_to("127.0.0.1", port_of(listener));
  const auto dropped = connect_to("127.0.0.1", port_of(listener));
  const auto inode = ss("-l").at(0).inode;
  const auto said = as_nobody([] {
    const auto source = live_source();
    ListenersReader listeners;
    ConnectionsReader connections;
    const auto seen = look(listeners, *source);
    std::ostringstream words;
    words << word(read_tcp_counters(*source)) << ' ' << word(read_socket_usage(*source)) << ' '
          << word(read_settings(*source, SysctlScope::netns)) << ' ' << word(look(connections, *source))
          << ' ' << word(seen);
    if (seen && seen->listeners.size() == 1) {
      const auto& socket = seen->listeners[0].sockets[0];
      words << ' ' << socket.queue_length << ' ' << socket.inode << ' ' << (socket.drops > 0U);
    }
    return words.str();
  });
  CHECK(said == "ok ok ok ok ok 1 " + std::to_string(inode) + " 1");
}

TEST_CASE("without any privilege the kernel log is denied where dmesg_restrict says so") {
  const auto said = as_nobody([] {
    KernelLogReader reader;
    return word(look(reader, *live_source()));
  });
  CHECK(said == (run("cat /proc/sys/kernel/dmesg_restrict") == "1\n" ? "denied" : "ok"));
}

TEST_CASE("without any privilege another namespace is denied") {
  // Our own namespace by a path: entering even that takes CAP_SYS_ADMIN.
  const auto said = as_nobody([] {
    ListenersReader reader;
    const auto source = live_source("/proc/self/ns/net");
    return word(look(reader, *source)) + " " + word(read_tcp_counters(*source));
  });
  CHECK(said == "denied denied");
}

TEST_CASE(
    "without any privilege other users' processes are counted as unreadable, not as without listeners") {
  FreshNetns netns;
  const auto listener = listen_on("127.0.0.1", 0);
  const auto said = as_nobody([&] {
    ::close(listener.get());  // or the child would be an owner that it can read
    const auto source = live_source();
    Snapshot snapshot{.namespaces = {NetnsView{.name = "test"}}};
    ListenersReader listeners;
    auto seen = look(listeners, *source);
    if (!seen) return word(seen);
    snapshot.namespaces[0].listeners.value = std::make_shared<const Listeners>(std::move(*seen));
    ProcessesReader reader;
    const auto processes = reader(Reading{.source = *source, .now = now(), .previous = snapshot});
    if (!processes) return word(processes);
    const bool owner_known = std::any_of(processes->processes.begin(), processes->processes.end(),
                                         [](const auto& each) { return !each.listener_inodes.empty(); });
    return std::string(processes->unreadable > 0 ? "unreadable" : "all read") +
           (owner_known ? ", owner known" : ", owner unknown") +
           (processes->uncounted > 0 ? ", not all counted" : ", counted");
  });
  const auto own = live_source()->size("/proc/self/fd");  // from Linux 6.2 on, for everybody
  const bool counts = own && *own > 0;
  CHECK(said == std::string("unreadable, owner unknown") + (counts ? ", counted" : ", not all counted"));
}

TEST_CASE("the protocol of a socket is told to whoever may look at the descriptor") {
  FreshNetns netns;
  const auto v4 = listen_on("127.0.0.1", 0), v6 = listen_on("::1", 0);
  const auto directory = "/proc/" + std::to_string(::getpid()) + "/fd/";
  const auto source = live_source();
  CHECK(source->socket_protocol(directory + std::to_string(v4.get())) == "TCP");
  CHECK(source->socket_protocol(directory + std::to_string(v6.get())) == "TCPv6");
  const FileDescriptor unconnected(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto of_unix = source->socket_protocol(directory + std::to_string(unconnected.get()));
  REQUIRE(of_unix);
  CHECK(of_unix->starts_with("UNIX"));
  const FileDescriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(source->socket_protocol(directory + std::to_string(file.get())).error().code == Errc::failed);
  CHECK(source->socket_protocol(directory + "99999").error().code == Errc::missing);

  const auto said = as_nobody([&] {
    const auto as_nobody = live_source();
    const auto own = as_nobody->socket_protocol("/proc/self/fd/" + std::to_string(v6.get()));
    return own.value_or(word(own)) + " " +
           word(as_nobody->socket_protocol(directory + std::to_string(v6.get())));
  });
  CHECK(said == "TCPv6 denied");
}
