// SPDX-License-Identifier: Apache-2.0
#include "daemon/socket_activation.h"

#include <unistd.h>

#include <cstdlib>
#include <numeric>

#include "daemon/environment_number.h"

namespace tcpdiag {
namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
constexpr int kMost = 64;

}  // namespace

std::vector<int> inherited_sockets(const char* fds, const char* pid, long own_pid) {
  const auto count = environment_number(fds);
  if (!count || *count > kMost || environment_number(pid) != own_pid) return {};
  std::vector<int> sockets(static_cast<std::size_t>(*count));
  std::iota(sockets.begin(), sockets.end(), kFirst);
  return sockets;
}

std::vector<int> sockets_of_this_process() {
  return inherited_sockets(std::getenv("LISTEN_FDS"), std::getenv("LISTEN_PID"), ::getpid());
}

}  // namespace tcpdiag
