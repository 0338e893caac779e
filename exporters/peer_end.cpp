// SPDX-License-Identifier: Apache-2.0
#include "exporters/peer_end.h"

#include <sys/socket.h>

#include <cerrno>

namespace tcpdiag {

bool has_ended(int fd) {
  char byte = 0;
  // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): MSG_DONTWAIT does not block
  const auto length = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR);
}

}  // namespace tcpdiag
