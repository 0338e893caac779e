// SPDX-License-Identifier: Apache-2.0
// containers NAMESPACES LISTENERS PROGRAM [ARGUMENT...]: runs a program beside so many network namespaces,
// each of which holds that many listening sockets and a process that does nothing. The environment variable
// CONTAINER names one of these processes: at SIGUSR1 it fills the accept queue of its first listener, port
// 8000, from which nothing is taken, and goes on knocking at it. Needs root. All of it ends with the program.
#include <fcntl.h>
#include <linux/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/file_descriptor.h"
#include "tests/bench/child_process.h"

namespace tcpdiag::bench {
namespace {

constexpr std::uint16_t kFirstPort = 8000;
constexpr int kBacklog = 8;
constexpr int kClients = 3 * kBacklog;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_in address_of(std::uint16_t port) {
  return {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

void enter_new_namespace() {
  if (::unshare(CLONE_NEWNET) != 0) die("containers: unshare (this needs root)");
  const FileDescriptor any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(any.get(), SIOCSIFFLAGS, &loopback) != 0) die("containers: lo up");
}

FileDescriptor listen_at(std::uint16_t port) {
  FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = address_of(port);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    die("containers: bind");
  if (::listen(listener.get(), kBacklog) != 0) die("containers: listen");
  return listener;
}

// More than the queue holds: the kernel repeats the SYN of those that it turns away.
void knock(std::vector<FileDescriptor>& clients) {
  const auto address = address_of(kFirstPort);
  for (int i = 0; i < kClients; ++i) {
    auto& client = clients.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
}

/// A process in a namespace of its own, until its parent ends.
[[noreturn]] void live(std::size_t listeners, const FileDescriptor& ready, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) std::exit(1);  // it was gone before we could ask to go with it
  enter_new_namespace();
  std::vector<FileDescriptor> held;
  for (std::size_t i = 0; i < listeners; ++i)
    held.push_back(listen_at(static_cast<std::uint16_t>(kFirstPort + i)));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  if (::write(ready.get(), "", 1) != 1) std::exit(1);
  for (;;) {
    int signal = 0;
    if (::sigwait(&signals, &signal) == 0) knock(held);
  }
}

int run(int argc, char** argv) {
  const auto namespaces = argc < 4 ? 0 : std::strtoul(argv[1], nullptr, 10);
  const auto listeners = argc < 4 ? 0 : std::strtoul(argv[2], nullptr, 10);
  if (namespaces < 1 || namespaces > 1000 || listeners < 1 || listeners > 1000) {
    std::fprintf(stderr, "usage: containers NAMESPACES LISTENERS PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) die("containers: pipe");
  const FileDescriptor ready(ends[0]);
  FileDescriptor tell(ends[1]);
  const auto parent = ::getpid();
  pid_t last = -1;
  for (std::size_t i = 0; i < namespaces; ++i) {
    last = ::fork();
    if (last < 0) die("containers: fork");
    if (last == 0) live(listeners, tell, parent);
  }
  tell = FileDescriptor();
  for (std::size_t told = 0; told < namespaces; ++told) {
    char byte = 0;
    if (::read(ready.get(), &byte, 1) != 1) die("containers: a process in a namespace ended");
  }
  ::setenv("CONTAINER", std::to_string(last).c_str(), 1);
  return wait_for(start(argv + 3)).code;
}

}  // namespace
}  // namespace tcpdiag::bench

int main(int argc, char** argv) { return tcpdiag::bench::run(argc, argv); }
