// SPDX-License-Identifier: Apache-2.0
#include "collectors/processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>

#include "collectors/listeners.h"
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
  const auto processes =
      reader(Reading{.source = *source, .now = now(), .previous = snapshot, .netns_index = 0});
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
