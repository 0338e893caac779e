// SPDX-License-Identifier: Apache-2.0
#include "collectors/sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <cerrno>

#include "collectors/netlink.h"

namespace tcpdiag {
namespace {

constexpr auto kWhere = "sock_diag";
constexpr auto kReceiving = "sock_diag: receiving";

tl::unexpected<Error> netlink_error(int libnl_code, std::string_view doing) {
  const auto code = libnl_code == -NLE_PERM || libnl_code == -NLE_NOACCESS ? Errc::denied
                    : libnl_code == -NLE_AGAIN                             ? Errc::timed_out
                                                                           : Errc::failed;
  return unexpected(code, std::string(kWhere) + ": " + std::string(doing) + ": " + nl_geterror(libnl_code));
}

// Lets through what has one of the ports (inet_diag_bc_run() in net/ipv4/inet_diag.c): for each port "at
// least it" and "at most it", which every kernel has, and a jump to the end. What goes beyond the end is left
// out.
std::vector<inet_diag_bc_op> port_filter(const std::vector<std::uint16_t>& ports) {
  constexpr std::size_t kOps = 5;
  constexpr auto kBytes = sizeof(inet_diag_bc_op);
  std::vector<inet_diag_bc_op> filter;
  for (auto left = ports.size(); left > 0; --left) {
    const auto to_next = static_cast<std::uint16_t>((kOps + (left == 1 ? 1 : 0)) * kBytes);
    const auto to_end = static_cast<std::uint16_t>(((left - 1) * kOps + 1) * kBytes);
    const auto port = ports[ports.size() - left];
    filter.push_back({.code = INET_DIAG_BC_S_GE, .yes = 2 * kBytes, .no = to_next});
    filter.push_back({.code = 0, .yes = 0, .no = port});
    filter.push_back({.code = INET_DIAG_BC_S_LE,
                      .yes = 2 * kBytes,
                      .no = static_cast<std::uint16_t>(to_next - 2 * kBytes)});
    filter.push_back({.code = 0, .yes = 0, .no = port});
    filter.push_back({.code = INET_DIAG_BC_JMP, .yes = kBytes, .no = to_end});
  }
  return filter;
}

}  // namespace

void SockDiag::Free::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<SockDiag> SockDiag::use(FileDescriptor opened, std::chrono::milliseconds wait) {
  std::unique_ptr<nl_sock, Free> socket(nl_socket_alloc());
  if (!socket) return netlink_error(-NLE_NOMEM, "opening");
  const timeval timeout{.tv_sec = wait.count() / 1000, .tv_usec = wait.count() % 1000 * 1000};
  if (::setsockopt(opened.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0)
    return tl::unexpected<Error>(system_error(errno, kWhere));
  if (const int code = nl_socket_set_fd(socket.get(), NETLINK_SOCK_DIAG, opened.get()); code < 0)
    return netlink_error(code, "opening");
  static_cast<void>(opened.release());  // the socket of libnl closes it
  return SockDiag(std::move(socket));
}

Result<void> SockDiag::send(const SocketDump& request) {
  // The old form of the request is the one that shows both families in a single walk of the kernel's table.
  inet_diag_req body{};
  body.idiag_states = request.states;
  if (request.socket_memory) body.idiag_ext |= 1U << (INET_DIAG_SKMEMINFO - 1);
  if (request.tcp_info) body.idiag_ext |= 1U << (INET_DIAG_INFO - 1);

  const std::unique_ptr<nl_msg, void (*)(nl_msg*)> message(
      nlmsg_alloc_simple(TCPDIAG_GETSOCK, NLM_F_REQUEST | NLM_F_DUMP), nlmsg_free);
  if (!message || nlmsg_append(message.get(), &body, sizeof body, NLMSG_ALIGNTO) < 0)
    return netlink_error(-NLE_NOMEM, "asking");
  if (const auto filter = port_filter(request.local_ports);
      !filter.empty() && nla_put(message.get(), INET_DIAG_REQ_BYTECODE,
                                 static_cast<int>(filter.size() * sizeof filter.front()), filter.data()) < 0)
    return netlink_error(-NLE_NOMEM, "asking");
  nlmsg_hdr(message.get())->nlmsg_seq = ++sequence_;
  if (const int code = nl_send(socket_.get(), message.get()); code < 0) return netlink_error(code, "asking");
  return {};
}

// As nl_recv(), but always into the same buffer: ten times a second it makes a difference. A thread has many
// sockets, one for each namespace, and reads one answer after the other. The kernel makes no larger datagram.
Result<std::span<const std::byte>> SockDiag::receive() {
  constexpr std::size_t kLargest = 32768;
  thread_local std::vector<std::byte> buffer(kLargest);
  for (;;) {
    sockaddr_nl sender{};
    socklen_t sender_length = sizeof sender;
    const auto length = ::recvfrom(nl_socket_get_fd(socket_.get()), buffer.data(), buffer.size(), MSG_TRUNC,
                                   reinterpret_cast<sockaddr*>(&sender), &sender_length);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return tl::unexpected<Error>(system_error(errno, kReceiving));
    const auto received = static_cast<std::size_t>(length);
    if (received > buffer.size())
      return unexpected(Errc::too_large, std::string(kReceiving) + ": a datagram is cut");
    if (sender.nl_pid != 0) return std::span<const std::byte>();  // only the kernel may answer
    return std::span<const std::byte>(buffer).first(received);
  }
}

Result<void> SockDiag::dump(const SocketDump& request, const Source::OnMessage& on_message,
                            const std::function<Result<void>()>& may_go_on) {
  if (auto sent = send(request); !sent) return sent;
  for (;;) {
    const auto datagram = receive();
    if (!datagram) return tl::unexpected<Error>(datagram.error());
    if (auto may = may_go_on(); !may) return may;
    const auto progress = parse_dump(*datagram, sequence_, on_message);
    if (!progress) return tl::unexpected<Error>(progress.error());
    if (*progress == DumpProgress::done) return {};
  }
}

}  // namespace tcpdiag
