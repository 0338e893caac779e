// SPDX-License-Identifier: Apache-2.0
// hold_listeners ADDRESS LISTENERS FULL: holds so many listening sockets, each at a port of its own from 2000
// on, of which the last FULL have a full queue that nobody accepts from. Says "held" when it has them, and
// ends with its parent. One process holds no more descriptors than it may, so there are several.
#include <arpa/inet.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr int kFirstPort = 2000;
constexpr int kDaemonsPort = 10180;
constexpr int kListenersOfOne = 6000;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

void hold(const char* address, int port, bool full) {
  sockaddr_in endpoint{.sin_family = AF_INET, .sin_port = htons(static_cast<std::uint16_t>(port))};
  if (::inet_pton(AF_INET, address, &endpoint.sin_addr) != 1) die(address);
  const auto* at = reinterpret_cast<const sockaddr*>(&endpoint);
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  if (listener < 0 || ::bind(listener, at, sizeof endpoint) != 0 || ::listen(listener, 0) != 0) die("listen");
  if (!full) return;
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  if (client < 0 || ::connect(client, at, sizeof endpoint) != 0) die("connect");
}

[[noreturn]] void hold_some(const char* address, int begin, int end, int first_full, int ready) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int i = begin; i < end; ++i)
    if (kFirstPort + i != kDaemonsPort) hold(address, kFirstPort + i, i >= first_full);
  if (::write(ready, "", 1) != 1) std::exit(1);
  for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int listeners = std::atoi(argv[2]), first_full = listeners - std::atoi(argv[3]);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  int ready[2];
  if (::pipe(ready) != 0) die("pipe");
  int processes = 0;
  for (int begin = 0; begin < listeners; begin += kListenersOfOne, ++processes) {
    const int end = std::min(begin + kListenersOfOne, listeners);
    if (const auto child = ::fork(); child == 0)
      hold_some(argv[1], begin, end, first_full, ready[1]);
    else if (child < 0)
      die("fork");
  }
  ::close(ready[1]);
  for (char byte = 0; processes > 0; --processes)
    if (::read(ready[0], &byte, 1) != 1) die("a process that holds sockets ended");
  std::puts("held");
  std::fflush(stdout);
  while (::wait(nullptr) > 0) {
  }
}
