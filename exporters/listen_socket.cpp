// SPDX-License-Identifier: Apache-2.0
#include "exporters/listen_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tcpdiag {
namespace {

// Hundreds who come at once fit in, so that nobody has to send a second SYN; net.core.somaxconn may be less.
constexpr int kBacklog = 4096;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

SocketAddress socket_address(const IpAddress& address, std::uint16_t port) {
  SocketAddress result;
  if (address.v6) {
    sockaddr_in6 in6{.sin6_family = AF_INET6, .sin6_port = htons(port)};
    std::memcpy(&in6.sin6_addr, address.bytes.data(), sizeof in6.sin6_addr);
    std::memcpy(&result.storage, &in6, result.length = sizeof in6);
  } else {
    sockaddr_in in4{.sin_family = AF_INET, .sin_port = htons(port)};
    std::memcpy(&in4.sin_addr, address.bytes.data(), sizeof in4.sin_addr);
    std::memcpy(&result.storage, &in4, result.length = sizeof in4);
  }
  return result;
}

/// -1: the socket has no such option, or there is no socket
int option_of(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
}

/// 0, or the errno of the step that failed.
int bind_and_listen(int fd, const IpAddress& address, std::uint16_t port, bool v6_only) {
  const int on = 1, only = v6_only ? 1 : 0;
  const auto bound = socket_address(address, port);
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return errno;
  if (address.v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0) return errno;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&bound.storage), bound.length) != 0) return errno;
  if (listen(fd, kBacklog) != 0) return errno;
  return 0;
}

}  // namespace

ListenSocket::~ListenSocket() {
  if (fd_ >= 0) close(fd_);
}

Result<ListenSocket> ListenSocket::open(const ListenAddress& wanted) {
  const bool both_families = !wanted.address;
  const auto address = wanted.address.value_or(IpAddress{.v6 = true});
  ListenSocket opened(socket(address.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int error =
      opened.fd() < 0 ? errno : bind_and_listen(opened.fd(), address, wanted.port, !both_families);
  if (error == 0) return opened;

  const bool no_ipv6 = error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
  if (both_families && no_ipv6) {
    auto ipv4 = open({IpAddress{}, wanted.port});
    if (ipv4) return ipv4;
    return unexpected(ipv4.error().code, to_string(wanted) + " as " + ipv4.error().detail);
  }
  return tl::unexpected<Error>(system_error(error, to_string(wanted)));
}

Result<ListenSocket> ListenSocket::adopt(int fd) {
  const auto what = "inherited socket " + std::to_string(fd);
  const int family = option_of(fd, SOL_SOCKET, SO_DOMAIN);
  if ((family != AF_INET && family != AF_INET6) || option_of(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
      option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) != 1)
    return unexpected(Errc::malformed, what + ": not a TCP socket that listens");
  ListenSocket adopted(fd);
  if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
    return tl::unexpected<Error>(system_error(errno, what));
  return adopted;
}

ListenAddress ListenSocket::address() const {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  IpAddress address{.v6 = storage.ss_family == AF_INET6};
  sockaddr_in in4{};
  sockaddr_in6 in6{};
  std::memcpy(&in4, &storage, sizeof in4);
  std::memcpy(&in6, &storage, sizeof in6);
  if (!address.v6) {
    std::memcpy(address.bytes.data(), &in4.sin_addr, sizeof in4.sin_addr);
    return {address, ntohs(in4.sin_port)};
  }
  std::memcpy(address.bytes.data(), &in6.sin6_addr, sizeof in6.sin6_addr);
  if (address == IpAddress{.v6 = true} && option_of(fd_, IPPROTO_IPV6, IPV6_V6ONLY) == 0)
    return {std::nullopt, ntohs(in6.sin6_port)};
  return {address, ntohs(in6.sin6_port)};
}

std::string to_string(const ListenAddress& address) {
  auto port = ":" + std::to_string(address.port);
  if (!address.address) return port;
  const auto host = to_string(*address.address);
  return (address.address->v6 ? "[" + host + "]" : host) + port;
}

}  // namespace tcpdiag
