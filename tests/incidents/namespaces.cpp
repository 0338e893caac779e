// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/namespaces.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <iostream>
#include <stdexcept>

#include "collectors/netns.h"
#include "core/result.h"
#include "tests/links.h"
#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

void mount_over(const char* type, const char* where) {
  if (::mount(type, where, type, 0, nullptr) != 0)
    throw std::runtime_error(system_error(errno, std::string("mounting ") + where).detail);
}

void join_peer() {
  run("ip netns add peer && ip link add to-peer type veth peer name to-home netns peer");
  run("ip address add 10.0.0.1/24 dev to-peer && ip address add fd00::1/64 dev to-peer nodad && "
      "ip link set to-peer up");
  run("ip -n peer address add 10.0.0.2/24 dev to-home && ip -n peer address add fd00::2/64 dev to-home nodad "
      "&& "
      "ip -n peer link set lo up && ip -n peer link set to-home up");
}

void furnish(bool peer) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    throw std::runtime_error("making the mounts private");
  mount_over("proc", "/proc");
  mount_over("tmpfs", "/run");
  bring_up_loopback();
  if (peer) join_peer();
}

[[noreturn]] void live(bool peer, const std::function<int()>& body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    furnish(peer);
    ::_exit(body());
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
  }
  ::_exit(1);
}

}  // namespace

pid_t fork_into_new_namespaces(bool peer, const std::function<int()>& body) {
  constexpr unsigned long kFlags = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | SIGCHLD;
  const auto child = static_cast<pid_t>(::syscall(SYS_clone, kFlags, nullptr, nullptr, nullptr, nullptr));
  if (child == 0) live(peer, body);
  if (child < 0) throw std::runtime_error(system_error(errno, "namespaces of its own").detail);
  return child;
}

void inside(Side side, const std::function<void()>& work) {
  if (side == Side::home) {
    work();
    return;
  }
  const auto peer = Netns::open("peer");
  std::exception_ptr thrown;
  if (!peer || !peer->run_inside([&] {
        try {
          work();
        } catch (...) {
          thrown = std::current_exception();
        }
      }))
    throw std::runtime_error("entering the peer's namespace");
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace tcpdiag::incidents
