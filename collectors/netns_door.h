// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "collectors/netns.h"
#include "core/file_descriptor.h"
#include "core/result.h"

namespace tcpdiag {

/// What is opened inside of a network namespace to be used from outside of it: the kernel ties each of these
/// to the namespace in which it was opened. The order is that of the wire (collectors/netns_wire.h).
struct NetnsItem {
  enum class Kind {
    netlink,    ///< a socket for dumps, sock_diag(7)
    file,       ///< opened for reading
    directory,  ///< O_PATH: what is below it is opened from outside
  };
  Kind kind;
  std::string_view path;  ///< as Source is asked for it; "sock_diag" for the socket
};

/// All that collectors read of a namespace. Not /proc/sys/net itself: which of its directories one sees is
/// decided again with each look into it.
inline constexpr std::array<NetnsItem, 13> kNetnsItems = {{
    {NetnsItem::Kind::netlink, "sock_diag"},
    {NetnsItem::Kind::file, "/proc/net/dev"},
    {NetnsItem::Kind::file, "/proc/net/fib_trie"},
    {NetnsItem::Kind::file, "/proc/net/if_inet6"},
    {NetnsItem::Kind::file, "/proc/net/netstat"},
    {NetnsItem::Kind::file, "/proc/net/snmp"},
    {NetnsItem::Kind::file, "/proc/net/sockstat"},
    {NetnsItem::Kind::file, "/proc/net/sockstat6"},
    {NetnsItem::Kind::file, "/proc/net/stat/nf_conntrack"},
    {NetnsItem::Kind::directory, "/proc/sys/net/core"},
    {NetnsItem::Kind::directory, "/proc/sys/net/ipv4"},
    {NetnsItem::Kind::directory, "/proc/sys/net/ipv6"},
    {NetnsItem::Kind::directory, "/proc/sys/net/netfilter"},
}};

/// A network namespace as far as it is open from outside: of each item the descriptor or why there is none.
/// That a namespace has no IPv6 or no conntrack leaves the other items as they are.
class NetnsDoor {
 public:
  using Items = std::array<Result<FileDescriptor>, kNetnsItems.size()>;

  explicit NetnsDoor(Items items) : items_(std::move(items)) {}

  /// As Source::read, of what is among the items or below one. Errors: why the item is not open; `missing`
  /// for any other path.
  [[nodiscard]] Result<std::string> read(const std::string& path, std::size_t most) const;
  /// The netlink socket, which this no longer has: dumps of two owners would be mixed up.
  Result<FileDescriptor> take_sock_diag();
  [[nodiscard]] const Items& items() const { return items_; }

 private:
  Items items_;
};

/// Opens the items in the namespace of the calling thread.
NetnsDoor open_door_here();
/// Opens the items inside of `netns` by entering it. Errors: that is not allowed (setns(2)).
Result<NetnsDoor> open_door_inside(const Netns& netns);
/// Nothing is open, for that reason.
NetnsDoor closed_door(const Error& why);
/// What of a namespace needs no right to enter it: its files by /proc/PID/net of a process that lives in it.
/// The other items are not open for the reason `why`.
NetnsDoor open_door_of_process(const std::string& proc_pid, const Error& why);

/// How doors of other namespaces are opened, by one that may be waited for so long. For several threads.
using OpenDoor = std::function<Result<NetnsDoor>(const Netns& netns, std::chrono::milliseconds patience)>;

}  // namespace tcpdiag
