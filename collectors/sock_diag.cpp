// SPDX-License-Identifier: Apache-2.0
#include "collectors/sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <cstdlib>

#include "collectors/netlink.h"

namespace tcpdiag {
namespace {

constexpr auto kWhere = "sock_diag";
constexpr std::size_t kBuffer = 32768;  // the kernel makes no larger datagram, see docs/adr/0002

tl::unexpected<Error> netlink_error(int libnl_code, std::string_view doing) {
  const auto code = libnl_code == -NLE_PERM || libnl_code == -NLE_NOACCESS ? Errc::denied
                    : libnl_code == -NLE_AGAIN                             ? Errc::timed_out
                                                                           : Errc::failed;
  return unexpected(code, std::string(kWhere) + ": " + std::string(doing) + ": " + nl_geterror(libnl_code));
}

}  // namespace

void SockDiag::Free::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<SockDiag> SockDiag::open() {
  std::unique_ptr<nl_sock, Free> socket(nl_socket_alloc());
  if (!socket) return netlink_error(-NLE_NOMEM, "opening");
  if (const int code = nl_connect(socket.get(), NETLINK_SOCK_DIAG); code < 0)
    return netlink_error(code, "opening");
  nl_socket_set_msg_buf_size(socket.get(), kBuffer);
  nl_socket_disable_msg_peek(socket.get());  // otherwise every datagram is received twice
  const timeval wait{.tv_sec = 1};  // the kernel answers at once; this is for the day when it does not
  if (::setsockopt(nl_socket_get_fd(socket.get()), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0)
    return tl::unexpected<Error>(system_error(errno, kWhere));
  return SockDiag(std::move(socket));
}

Result<void> SockDiag::send(const SocketDump& request) {
  // The old form of the request is the one that shows both families in a single walk of the kernel's table.
  inet_diag_req body{};
  body.idiag_states = request.states;
  if (request.socket_memory) body.idiag_ext = 1U << (INET_DIAG_SKMEMINFO - 1);

  const std::unique_ptr<nl_msg, void (*)(nl_msg*)> message(
      nlmsg_alloc_simple(TCPDIAG_GETSOCK, NLM_F_REQUEST | NLM_F_DUMP), nlmsg_free);
  if (!message || nlmsg_append(message.get(), &body, sizeof body, NLMSG_ALIGNTO) < 0)
    return netlink_error(-NLE_NOMEM, "asking");
  nlmsg_hdr(message.get())->nlmsg_seq = ++sequence_;
  if (const int code = nl_send(socket_.get(), message.get()); code < 0) return netlink_error(code, "asking");
  return {};
}

Result<void> SockDiag::dump(const SocketDump& request, const Source::OnMessage& on_message,
                            const std::function<Result<void>()>& may_go_on) {
  if (auto sent = send(request); !sent) return sent;
  for (;;) {
    sockaddr_nl sender{};
    unsigned char* received = nullptr;
    const int length = nl_recv(socket_.get(), &sender, &received, nullptr);
    const std::unique_ptr<unsigned char, void (*)(void*)> buffer(received, std::free);
    if (length < 0) return netlink_error(length, "receiving");
    if (length == 0) return netlink_error(-NLE_AGAIN, "receiving");
    if (auto may = may_go_on(); !may) return may;
    if (sender.nl_pid != 0) continue;  // only the kernel may answer
    const auto progress = parse_dump(std::as_bytes(std::span(buffer.get(), static_cast<std::size_t>(length))),
                                     sequence_, on_message);
    if (!progress) return tl::unexpected<Error>(progress.error());
    if (*progress == DumpProgress::done) return {};
  }
}

}  // namespace tcpdiag
