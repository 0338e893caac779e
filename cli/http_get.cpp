// SPDX-License-Identifier: Apache-2.0
#include "cli/http_get.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "core/file_descriptor.h"
#include "core/version.h"

namespace tcpdiag {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// How long to go on.
class Deadline {
 public:
  Deadline(std::chrono::milliseconds patience, const Clocks& clocks)
      : clocks_(clocks), end_(clocks.monotonic() + patience) {}

  /// Waits for one of the poll() events; an error when the time is over.
  [[nodiscard]] Result<void> wait(const FileDescriptor& socket, short events) const {
    pollfd waited{.fd = socket.get(), .events = events};
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - clocks_.monotonic());
      const int found = ::poll(&waited, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
      if (found > 0) return {};
      if (found < 0 && errno != EINTR) return tl::unexpected<Error>(system_error(errno, "poll"));
      if (left.count() <= 0) return unexpected(Errc::timed_out, "no answer in time");
    }
  }

 private:
  const Clocks& clocks_;
  TimePoint end_;
};

tl::unexpected<Error> failed() {
  const auto why = system_error(errno, "");
  return unexpected(why.code, why.detail.substr(std::string_view(": ").size()));
}

Result<Addresses> resolve(const HttpUrl& url) {
  const addrinfo wanted{.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &wanted, &found);
  if (failure != 0) return unexpected(Errc::missing, ::gai_strerror(failure));
  return Addresses(found, &::freeaddrinfo);
}

Result<FileDescriptor> connect_to(const addrinfo& address, const Deadline& deadline) {
  FileDescriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return failed();
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return socket;
  if (errno != EINPROGRESS) return failed();
  if (auto waited = deadline.wait(socket, POLLOUT); !waited) return tl::unexpected<Error>(waited.error());
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return failed();
  if (error == 0) return socket;
  errno = error;
  return failed();
}

/// The first address that can be reached.
Result<FileDescriptor> connect_to(const HttpUrl& url, const Deadline& deadline) {
  const auto addresses = resolve(url);
  if (!addresses) return tl::unexpected<Error>(addresses.error());
  Result<FileDescriptor> connected = unexpected(Errc::missing, "no address");
  for (const auto* address = addresses->get(); address != nullptr; address = address->ai_next) {
    connected = connect_to(*address, deadline);
    if (connected) break;
  }
  return connected;
}

Result<void> send_all(const FileDescriptor& socket, std::string_view bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && errno == EAGAIN) {
      if (auto waited = deadline.wait(socket, POLLOUT); !waited) return waited;
    } else if (sent < 0 && errno != EINTR) {
      return failed();
    }
  }
  return {};
}

Result<HttpAnswer> receive(const FileDescriptor& socket, const Deadline& deadline) {
  std::string bytes;
  std::array<char, 65536> buffer;
  for (;;) {
    if (auto waited = deadline.wait(socket, POLLIN); !waited) return tl::unexpected<Error>(waited.error());
    const auto length = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (length < 0) return failed();
    bytes.append(buffer.data(), static_cast<std::size_t>(length));
    auto answer = parse_http_answer(bytes, length == 0);
    if (!answer) return tl::unexpected<Error>(answer.error());
    if (*answer) return std::move(**answer);
    if (bytes.size() > kMaxHttpAnswer) return unexpected(Errc::too_large, "the answer is too large");
  }
}

Result<HttpAnswer> ask(const HttpUrl& url, const std::string& path, const Deadline& deadline) {
  const auto socket = connect_to(url, deadline);
  if (!socket) return tl::unexpected<Error>(socket.error());
  const auto request = "GET " + url.path + path + " HTTP/1.1\r\nHost: " + authority(url) +
                       "\r\nUser-Agent: tcpdiag/" + std::string(version()) +
                       "\r\nAccept: application/json\r\nConnection: close\r\n\r\n";
  if (auto sent = send_all(*socket, request, deadline); !sent) return tl::unexpected<Error>(sent.error());
  return receive(*socket, deadline);
}

}  // namespace

Result<HttpAnswer> http_get(const HttpUrl& url, const std::string& path, std::chrono::milliseconds patience,
                            const Clocks& clocks) {
  auto answer = ask(url, path, Deadline(patience, clocks));
  if (!answer) answer.error().detail = authority(url) + ": " + answer.error().detail;
  return answer;
}

}  // namespace tcpdiag
