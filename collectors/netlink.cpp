// SPDX-License-Identifier: Apache-2.0
#include "collectors/netlink.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cstring>

namespace tcpdiag {
namespace {

constexpr auto kWhere = "sock_diag dump";

tl::unexpected<Error> malformed(const char* what) {
  return unexpected(Errc::malformed, std::string(kWhere) + ": " + what);
}

// NLMSG_ERROR and NLMSG_DONE both begin with an int: 0 or a negative errno, of which there are 4095.
Result<int> status_of(std::span<const std::byte> payload) {
  int status = 0;
  if (payload.size() < sizeof status) return malformed("an error message without its number");
  std::memcpy(&status, payload.data(), sizeof status);
  if (status < -4095 || status > 0) return malformed("an error message with an impossible number");
  return status;
}

}  // namespace

Result<DumpProgress> parse_dump(std::span<const std::byte> datagram, std::uint32_t sequence,
                                const Source::OnMessage& on_message) {
  while (!datagram.empty()) {
    nlmsghdr header{};
    if (datagram.size() < sizeof header) return malformed("a message header is cut off");
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size())
      return malformed("a message's length does not fit its datagram");
    const auto payload = datagram.subspan(sizeof header, header.nlmsg_len - sizeof header);
    datagram = datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
    if (header.nlmsg_seq != sequence) continue;

    switch (header.nlmsg_type) {
      case NLMSG_NOOP: break;
      case NLMSG_OVERRUN: return unexpected(Errc::failed, std::string(kWhere) + ": the kernel lost messages");
      case NLMSG_ERROR:
      case NLMSG_DONE: {
        const auto status = status_of(payload);
        if (!status) return tl::unexpected<Error>(status.error());
        if (*status < 0) return tl::unexpected<Error>(system_error(-*status, kWhere));
        if (header.nlmsg_type == NLMSG_DONE) return DumpProgress::done;
        break;
      }
      default: on_message(payload);
    }
  }
  return DumpProgress::more;
}

}  // namespace tcpdiag
