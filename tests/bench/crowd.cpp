// SPDX-License-Identifier: Apache-2.0
// crowd [--calm] SOCKETS LISTENERS PROGRAM [ARGUMENT...]: runs a program in a new network namespace that
// holds so many TCP sockets, LISTENERS of them listening. One in twenty sockets is in TIME_WAIT, the others
// are the two ends of connections on the loopback device: all of them accepted in a calm crowd, otherwise one
// in four and the rest waiting in accept queues. Needs root. One process holds no more descriptors than it
// may, so the sockets are held by several. They and the namespace end with the program.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <vector>

#include "core/file_descriptor.h"
#include "tests/bench/child_process.h"

namespace tcpdiag::bench {
namespace {

constexpr int kBacklog = 65535;
constexpr std::size_t kOneAcceptedOf = 4;
constexpr std::size_t kOneTimeWaitOf = 20;
constexpr std::uint16_t kFirstPort = 2000;  // below the ports that connect() may choose

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

void write_sysctl(const char* path, const char* value) {
  const FileDescriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), value, std::strlen(value)) < 0) die(path);
}

void enter_new_namespace() {
  if (::unshare(CLONE_NEWNET) != 0) die("crowd: unshare (this needs root)");
  const FileDescriptor any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(any.get(), SIOCSIFFLAGS, &loopback) != 0) die("crowd: lo up");
  write_sysctl("/proc/sys/net/core/somaxconn", "65535");
  write_sysctl("/proc/sys/net/ipv4/ip_local_port_range", "10000 65535");
  write_sysctl("/proc/sys/net/ipv4/ip_local_reserved_ports", "10180");  // where the daemon will listen
  write_sysctl("/proc/sys/net/ipv4/tcp_tw_reuse", "0");
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur);
}

struct Address {
  sockaddr_storage bytes{};
  socklen_t length = 0;

  Address(std::uint32_t host, std::uint16_t port) : length(sizeof(sockaddr_in)) {
    const sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(host)}};
    std::memcpy(&bytes, &v4, sizeof v4);
  }
  Address(const in6_addr& host, std::uint16_t port) : length(sizeof(sockaddr_in6)) {
    const sockaddr_in6 v6{.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = host};
    std::memcpy(&bytes, &v6, sizeof v6);
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

/// Every fourth listener is an IPv6 one.
Address address_of_listener(std::size_t number) {
  const auto port = static_cast<std::uint16_t>(kFirstPort + number);
  if (number % 4 == 3) return {in6addr_loopback, port};
  return {INADDR_LOOPBACK + static_cast<std::uint32_t>(number % 200), port};
}

FileDescriptor tcp_socket(const Address& address) {
  FileDescriptor socket(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) die("crowd: socket");
  return socket;
}

FileDescriptor listen_at(const Address& address) {
  auto listener = tcp_socket(address);
  if (::bind(listener.get(), address.get(), address.length) != 0) die("crowd: bind");
  if (::listen(listener.get(), kBacklog) != 0) die("crowd: listen");
  return listener;
}

FileDescriptor connect_to(const Address& address) {
  auto client = tcp_socket(address);
  if (::connect(client.get(), address.get(), address.length) != 0) die("crowd: connect");
  return client;
}

FileDescriptor accept_from(const FileDescriptor& listener) {
  FileDescriptor accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!accepted) die("crowd: accept");
  return accepted;
}

/// What one process holds.
struct Share {
  std::size_t first_listener = 0, listeners = 0;
  std::vector<std::size_t> connections;  // of each listener
  std::size_t one_accepted_of = 1;
  std::size_t descriptors = 0;
};

[[noreturn]] void hold(const Share& share, const FileDescriptor& ready, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) std::exit(1);  // it was gone before we could ask to go with it
  std::vector<FileDescriptor> held;
  held.reserve(share.descriptors);
  for (std::size_t i = 0; i < share.listeners; ++i) {
    const auto address = address_of_listener(share.first_listener + i);
    const auto listener = held.size();
    held.push_back(listen_at(address));
    for (std::size_t made = 0; made < share.connections[i]; ++made) {
      held.push_back(connect_to(address));
      if (made % share.one_accepted_of == 0) held.push_back(accept_from(held[listener]));
    }
  }
  if (::write(ready.get(), "", 1) != 1) std::exit(1);
  for (;;) ::pause();
}

std::vector<Share> distribute(std::size_t connections, std::size_t listeners, std::size_t one_accepted_of,
                              std::size_t most_descriptors) {
  std::vector<Share> shares;
  for (std::size_t i = 0; i < listeners; ++i) {
    const auto here = connections / listeners + (i < connections % listeners ? 1 : 0);
    const auto descriptors = 1 + here + (here + one_accepted_of - 1) / one_accepted_of;
    if (shares.empty() || shares.back().descriptors + descriptors > most_descriptors)
      shares.push_back({.first_listener = i, .one_accepted_of = one_accepted_of});
    auto& share = shares.back();
    ++share.listeners;
    share.connections.push_back(here);
    share.descriptors += descriptors;
  }
  return shares;
}

/// The end that closes first stays in TIME_WAIT, for 60 seconds. A destination whose ports are half used up
/// is slow to connect to, so there are several.
void leave_time_waits(const FileDescriptor& listener, std::uint16_t port, std::size_t count) {
  constexpr std::size_t kToOneDestination = 10000;
  for (std::size_t i = 0; i < count; ++i) {
    const auto host = INADDR_LOOPBACK + static_cast<std::uint32_t>(i / kToOneDestination);
    const auto client = connect_to({host, port});
    const auto server = accept_from(listener);
    ::shutdown(client.get(), SHUT_RDWR);
  }
}

/// Gives back the one listener that no other process holds.
FileDescriptor fill_namespace(std::size_t sockets, std::size_t listeners, std::size_t one_accepted_of,
                              std::size_t most_descriptors) {
  const auto time_waits = (sockets - listeners) / kOneTimeWaitOf + (sockets - listeners) / kOneTimeWaitOf % 2;
  const auto connections = (sockets - listeners - time_waits) / 2;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) die("crowd: pipe");
  FileDescriptor ready(ends[0]), tell(ends[1]);
  const auto shares = distribute(connections, listeners - 1, one_accepted_of, most_descriptors);
  const auto parent = ::getpid();
  for (const auto& share : shares) {
    const pid_t child = ::fork();
    if (child < 0) die("crowd: fork");
    if (child == 0) hold(share, tell, parent);
  }
  tell = FileDescriptor();
  for (std::size_t told = 0; told < shares.size(); ++told) {
    char byte = 0;
    if (::read(ready.get(), &byte, 1) != 1) die("crowd: a process that holds sockets ended");
  }
  // These come last, because they do not last. Nothing connects to their listener before.
  const auto port = static_cast<std::uint16_t>(kFirstPort + listeners - 1);
  auto listener = listen_at({INADDR_ANY, port});
  leave_time_waits(listener, port, sockets - listeners - 2 * connections);
  return listener;
}

int run(int argc, char** argv) {
  const bool calm = argc > 1 && std::strcmp(argv[1], "--calm") == 0;
  if (calm) --argc, ++argv;
  const auto sockets = argc < 4 ? 0 : std::strtoul(argv[1], nullptr, 10);
  const auto listeners = argc < 4 ? 0 : std::strtoul(argv[2], nullptr, 10);
  if (listeners < 2 || listeners > 5000 || sockets < 2 * listeners) {
    std::fprintf(stderr, "usage: crowd [--calm] SOCKETS LISTENERS PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  const auto most_descriptors = raise_descriptor_limit() - 100;
  enter_new_namespace();
  const auto listener = fill_namespace(sockets, listeners, calm ? 1 : kOneAcceptedOf, most_descriptors);
  return wait_for(start(argv + 3)).code;
}

}  // namespace
}  // namespace tcpdiag::bench

int main(int argc, char** argv) { return tcpdiag::bench::run(argc, argv); }
