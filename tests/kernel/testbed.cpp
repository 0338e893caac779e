// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/testbed.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <sstream>

#include "collectors/live_source.h"
#include "tests/catch.h"

namespace tcpdiag {
namespace {

void require(bool done, const std::string& what) {
  if (!done) FAIL(what << ": " << std::strerror(errno));
}

void split_endpoint(const std::string& text, std::string& address, std::uint16_t& port) {
  const auto colon = text.rfind(':');
  address = text.substr(0, colon);
  const auto number = text.substr(colon + 1);
  port = number == "*" ? std::uint16_t{0} : static_cast<std::uint16_t>(std::stoul(number));
}

// The number behind `name` in a line of ss; 0 when it is not there.
std::uint64_t number_after(const std::string& line, const std::string& name, int base) {
  const auto at = line.find(name);
  return at == std::string::npos ? 0 : std::stoull(line.substr(at + name.size()), nullptr, base);
}

}  // namespace

FreshNetns::FreshNetns() : home_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
  require(static_cast<bool>(home_), "opening our own network namespace");
  if (::unshare(CLONE_NEWNET) != 0)
    skip(std::string("a network namespace of its own: ") + std::strerror(errno));
  bring_up_loopback();
}

FreshNetns::~FreshNetns() {
  if (::setns(home_.get(), CLONE_NEWNET) != 0)
    std::abort();  // no test after this one would be where it thinks
}

FreshNames::FreshNames()
    : home_(::open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC)),
      directory_(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  if (::unshare(CLONE_NEWNS) != 0) skip(std::string("a mount namespace of its own: ") + std::strerror(errno));
  run("mount --make-rprivate / && mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns");
}

FreshNames::~FreshNames() {
  // A thread that was joined can still be on its way out of the kernel, and setns() refuses who shares a
  // directory with one.
  if (::unshare(CLONE_FS) != 0 || ::setns(home_.get(), CLONE_NEWNS) != 0 || ::fchdir(directory_.get()) != 0)
    std::abort();
}

void in_netns(const std::string& command) { run("ip netns exec test " + command); }

void skip(const std::string& why) {
  std::cerr << "skipped: " << why << std::endl;
  std::_Exit(77);
}

std::unique_ptr<Source> live_source(const std::string& netns) {
  return make_live_source({.netns = netns, .clock = now});
}

std::vector<SsSocket> ss(const std::string& options) {
  std::vector<SsSocket> sockets;
  std::istringstream lines(run("ss -HtnOe " + options));
  for (std::string line; std::getline(lines, line);) {
    SsSocket socket;
    std::string local, remote;
    std::istringstream words(line);
    words >> socket.state >> socket.receive_queue >> socket.send_queue >> local >> remote;
    if (!words) FAIL("ss says: " << line);
    split_endpoint(local, socket.local_address, socket.local_port);
    std::string remote_address;
    split_endpoint(remote, remote_address, socket.remote_port);
    socket.inode = static_cast<std::uint32_t>(number_after(line, " ino:", 10));
    socket.cookie = number_after(line, " sk:", 16);
    socket.drops = static_cast<std::uint32_t>(number_after(line, ",d", 10));
    sockets.push_back(socket);
  }
  return sockets;
}

std::vector<SsSocket> ss_in_state(const std::string& state) {
  auto sockets = ss("-a");
  std::erase_if(sockets, [&](const SsSocket& socket) { return socket.state != state; });
  return sockets;
}

}  // namespace tcpdiag
