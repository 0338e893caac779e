// SPDX-License-Identifier: Apache-2.0
#include "exporters/peer_end.h"

#include <sys/socket.h>

#include <cerrno>

namespace tcpdiag {

Unread unread_of(int fd) {
  char byte = 0;
  // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): MSG_DONTWAIT does not block
  const auto length = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (length > 0) return Unread::something;
  return length < 0 && (errno == EAGAIN || errno == EINTR) ? Unread::nothing : Unread::end;
}

}  // namespace tcpdiag
