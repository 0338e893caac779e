// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_wire.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

namespace tcpdiag {
namespace {

constexpr auto kWhere = "tcpdiagd-netns";
constexpr auto kMostFiles = kNetnsItems.size();

struct Request {
  std::uint32_t version = kNetnsWireVersion;
  std::uint32_t number = 0;
};

/// errno values, as system_error() takes them; 0: done.
struct Answer {
  std::uint32_t version = kNetnsWireVersion;
  std::uint32_t number = 0;
  std::int32_t entering = 0;
  std::array<std::int32_t, kMostFiles> opening{};
};

tl::unexpected<Error> failed(int errno_value) {
  if (errno_value == EPIPE || errno_value == ECONNRESET)
    return unexpected(Errc::failed, std::string(kWhere) + " has ended");
  return tl::unexpected<Error>(system_error(errno_value, kWhere));
}

/// The errno that stands for an error on the wire. What errors say beyond it is known to either side.
std::int32_t errno_of(Errc code) {
  switch (code) {
    case Errc::denied: return EPERM;
    case Errc::missing:
    case Errc::no_netns: return ENOENT;
    case Errc::timed_out: return ETIMEDOUT;
    default: return EIO;
  }
}

template <class Message>
Result<void> send_message(int connection, const Message& message, std::span<const int> files) {
  iovec part{.iov_base = const_cast<Message*>(&message), .iov_len = sizeof message};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFiles * sizeof(int))> control{};
  msghdr header{.msg_iov = &part, .msg_iovlen = 1};
  if (!files.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(files.size_bytes());
    auto* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(files.size_bytes());
    std::memcpy(CMSG_DATA(rights), files.data(), files.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(connection, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return failed(errno);
  return {};
}

/// Takes every descriptor out of the control messages, so that none stays open by mistake.
std::vector<FileDescriptor> files_of(msghdr& header) {
  std::vector<FileDescriptor> files;
  for (auto* each = CMSG_FIRSTHDR(&header); each != nullptr; each = CMSG_NXTHDR(&header, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    const auto count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t at = 0; at < count; ++at) {
      int file = -1;
      std::memcpy(&file, CMSG_DATA(each) + at * sizeof(int), sizeof file);
      files.emplace_back(file);
    }
  }
  return files;
}

template <class Message>
struct WithFiles {
  Message message;
  std::vector<FileDescriptor> files;
};

template <class Message>
Received<WithFiles<Message>> receive_message(int connection) {
  WithFiles<Message> got;
  iovec part{.iov_base = &got.message, .iov_len = sizeof got.message};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFiles * sizeof(int))> control{};
  msghdr header{
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.data(), .msg_controllen = control.size()};
  ssize_t received = 0;
  do {
    received = ::recvmsg(connection, &header, MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return failed(errno);
  got.files = files_of(header);
  if (received == 0 && got.files.empty()) return std::nullopt;
  if ((header.msg_flags & MSG_CTRUNC) != 0)  // more came than there may be, or our limit of open files
    return unexpected(Errc::failed,
                      std::string(kWhere) + ": not all descriptors of a message could be taken");
  const bool is_whole = received == sizeof got.message && (header.msg_flags & MSG_TRUNC) == 0;
  if (!is_whole || got.message.version != kNetnsWireVersion)
    return unexpected(Errc::malformed,
                      std::string(kWhere) + ": not of the same version; restart both after an update");
  return got;
}

}  // namespace

Result<void> send_netns_request(int connection, std::uint32_t number, int netns) {
  return send_message(connection, Request{.number = number}, std::array{netns});
}

Received<NetnsRequest> receive_netns_request(int connection) {
  auto got = receive_message<Request>(connection);
  if (!got) return tl::unexpected<Error>(got.error());
  if (!*got) return std::nullopt;
  if ((*got)->files.size() != 1)
    return unexpected(Errc::malformed, std::string(kWhere) + ": a request without its one namespace");
  return NetnsRequest{.number = (*got)->message.number, .netns = std::move((*got)->files.front())};
}

Result<void> send_netns_answer(int connection, const NetnsAnswer& answer) {
  Answer message{.number = answer.number};
  std::vector<int> files;
  if (!answer.door) {
    message.entering = errno_of(answer.door.error().code);
    return send_message(connection, message, files);
  }
  for (std::size_t at = 0; at < kMostFiles; ++at) {
    const auto& item = answer.door->items()[at];
    if (item)
      files.push_back(item->get());
    else
      message.opening[at] = errno_of(item.error().code);
  }
  return send_message(connection, message, files);
}

Received<NetnsAnswer> receive_netns_answer(int connection) {
  auto got = receive_message<Answer>(connection);
  if (!got) return tl::unexpected<Error>(got.error());
  if (!*got) return std::nullopt;
  const Answer& message = (*got)->message;
  auto& files = (*got)->files;
  if (message.entering != 0)
    return NetnsAnswer{.number = message.number,
                       .door = tl::unexpected<Error>(
                           system_error(message.entering, std::string(kWhere) + ": entering the namespace"))};
  NetnsDoor::Items items;
  auto next = files.begin();
  for (std::size_t at = 0; at < kMostFiles; ++at) {
    if (message.opening[at] != 0)
      items[at] = tl::unexpected<Error>(system_error(message.opening[at], kNetnsItems[at].path));
    else if (next != files.end())
      items[at] = std::move(*next++);
    else
      return unexpected(Errc::malformed, std::string(kWhere) + ": fewer descriptors than it says");
  }
  return NetnsAnswer{.number = message.number, .door = NetnsDoor(std::move(items))};
}

}  // namespace tcpdiag
