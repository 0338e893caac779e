// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_doorkeeper.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "collectors/netns_wire.h"

namespace tcpdiag {
namespace {

Result<void> limit_waiting(const FileDescriptor& socket, std::chrono::microseconds most) {
  const timeval time{.tv_sec = most.count() / 1'000'000, .tv_usec = most.count() % 1'000'000};
  for (const int which : {SO_SNDTIMEO, SO_RCVTIMEO})
    if (::setsockopt(socket.get(), SOL_SOCKET, which, &time, sizeof time) != 0)
      return tl::unexpected<Error>(system_error(errno, "tcpdiagd-netns"));
  return {};
}

Error in_plain_words(Error error) {
  if (error.code == Errc::timed_out) error.detail = "tcpdiagd-netns does not answer";
  return error;
}

}  // namespace

Result<NetnsDoor> NetnsDoorkeeper::open(const Netns& netns, std::chrono::milliseconds patience) {
  const std::lock_guard lock(mutex_);
  if (rests_until_ && clock_() < *rests_until_) return tl::unexpected<Error>(trouble_);
  const bool was_connected = bool(connection_);
  auto answer = ask(netns, patience);
  // Its end shows with the next request only, and by then another one may have been started.
  if (!answer && answer.error().code == Errc::failed && was_connected) answer = ask(netns, patience);
  if (answer) {
    rests_until_.reset();
    return std::move(*answer);
  }
  trouble_ = in_plain_words(std::move(answer.error()));
  rests_until_ = clock_() + kRest;
  return tl::unexpected<Error>(trouble_);
}

Result<void> NetnsDoorkeeper::connect() {
  if (connection_) return {};
  if (path_.empty()) return unexpected(Errc::denied, "tcpdiagd-netns has ended; restart tcpdiagd");
  sockaddr_un address{.sun_family = AF_UNIX};
  if (path_.size() >= sizeof address.sun_path) return unexpected(Errc::failed, path_ + ": too long");
  std::memcpy(address.sun_path, path_.data(), path_.size());
  FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) return tl::unexpected<Error>(system_error(errno, "tcpdiagd-netns"));
  // Where its queue is full, because it hangs, nobody waits for it at all.
  const int flags = ::fcntl(socket.get(), F_GETFL);
  ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    auto error = system_error(errno, "entering takes tcpdiagd-netns, which cannot be asked: " + path_);
    error.code = Errc::denied;  // it is not the namespace that is missing
    return tl::unexpected<Error>(std::move(error));
  }
  ::fcntl(socket.get(), F_SETFL, flags);
  connection_ = std::move(socket);
  return {};
}

Result<Result<NetnsDoor>> NetnsDoorkeeper::ask(const Netns& netns, std::chrono::milliseconds patience) {
  auto answer = connect().and_then([&] { return limit_waiting(connection_, patience); }).and_then([&] {
    return request(netns);
  });
  // One that only was too slow may still answer.
  if (!answer && answer.error().code != Errc::timed_out) connection_ = FileDescriptor();
  return answer;
}

Result<Result<NetnsDoor>> NetnsDoorkeeper::request(const Netns& netns) {
  const auto number = ++asked_;
  if (auto sent = send_netns_request(connection_.get(), number, netns.fd()); !sent)
    return tl::unexpected<Error>(sent.error());
  for (;;) {
    auto answer = receive_netns_answer(connection_.get());
    if (!answer) return tl::unexpected<Error>(answer.error());
    if (!*answer) return unexpected(Errc::failed, "tcpdiagd-netns has ended");
    if ((*answer)->number == number) return std::move((*answer)->door);
  }
}

}  // namespace tcpdiag
