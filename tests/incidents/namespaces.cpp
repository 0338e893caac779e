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

// Each end knows the other's hardware address, so that no packet waits for an answer to ARP.
void join_peer() {
  run("ip netns add peer && ip link add name to-peer address 02:00:00:00:00:01 type veth peer name to-home "
      "address 02:00:00:00:00:02 netns peer");
  const auto join = [](const std::string& ip, const std::string& device, const std::string& host,
                       const std::string& other) {
    const auto neighbour = " lladdr 02:00:00:00:00:0" + other + " nud permanent dev " + device;
    run(ip + " link set lo up && " + ip + " link set " + device + " up && " + ip + " address add 10.0.0." +
        host + "/24 dev " + device + " && " + ip + " address add fd00::" + host + "/64 nodad dev " + device +
        " && " + ip + " neigh add 10.0.0." + other + neighbour + " && " + ip + " neigh add fd00::" + other +
        neighbour);
  };
  join("ip", "to-peer", "1", "2");
  join("ip -n peer", "to-home", "2", "1");
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
