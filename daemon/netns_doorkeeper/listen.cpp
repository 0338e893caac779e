// SPDX-License-Identifier: Apache-2.0
#include "daemon/netns_doorkeeper/listen.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "daemon/socket_activation.h"

namespace tcpdiag {

Result<FileDescriptor> listen_at(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX};
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return unexpected(Errc::failed, "--listen takes a path of 1 to 107 bytes");
  std::memcpy(address.sun_path, path.data(), path.size());
  FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  struct stat there{};
  if (::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)) ::unlink(path.c_str());
  constexpr mode_t kNotForOthers = 0117;
  const auto umask_before = ::umask(kNotForOthers);
  const bool bound =
      socket && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int failure = errno;
  ::umask(umask_before);
  if (!bound) return tl::unexpected<Error>(system_error(failure, path));
  if (::listen(socket.get(), SOMAXCONN) != 0) return tl::unexpected<Error>(system_error(errno, path));
  return socket;
}

Result<FileDescriptor> listener_of_systemd() {
  const auto sockets = sockets_of_this_process();
  if (sockets.size() != 1)
    return unexpected(Errc::failed, "nowhere to listen; give --listen=PATH or start tcpdiagd-netns.socket");
  FileDescriptor socket(sockets.front());
  int type = 0;
  socklen_t length = sizeof type;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_SEQPACKET)
    return unexpected(Errc::failed, "the socket is not of the type SOCK_SEQPACKET (ListenSequentialPacket=)");
  ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  return socket;
}

}  // namespace tcpdiag
