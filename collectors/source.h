// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/facts/connections.h"
#include "core/result.h"

namespace tcpdiag {

/// Which sockets a dump shall show.
struct SocketDump {
  std::uint32_t states = 0;                  ///< bit n: TcpState n
  bool socket_memory = false;                ///< ask for INET_DIAG_SKMEMINFO, which holds a listener's drops
  bool tcp_info = false;                     ///< ask for INET_DIAG_INFO: struct tcp_info
  std::vector<std::uint16_t> local_ports{};  ///< only sockets with one of these; empty: all
};

/// One bit of SocketDump::states.
constexpr std::uint32_t state_bit(TcpState state) { return 1U << static_cast<unsigned>(state); }

/// What one look into the kernel log brought.
struct KernelLogRecords {
  std::vector<std::string> records;  ///< raw, as read() of /dev/kmsg gives them, oldest first
  /// The ring overwrote records before they were read; the sequence numbers tell how many.
  bool overrun = false;
  bool more = false;  ///< the bound of one look was reached; the rest comes with the next one
};

/// A network namespace that a file holds.
struct NetnsFile {
  std::uint64_t inode = 0;  ///< the number in "net:[4026532281]"; free for another one when this one is gone
  /// When the kernel made the inode, on the wall clock. While the file stays mounted it does not change, so
  /// another time under an equal number is another namespace.
  std::int64_t made_ns = 0;

  bool operator==(const NetnsFile&) const = default;
};

/// The only door to the kernel and to the configuration of its host: a live one, or a recording of one. A
/// source belongs to one network namespace and one thread. Every failure is an Error whose detail names the
/// path or the request.
class Source {
 public:
  using OnMessage = std::function<void(std::span<const std::byte> payload)>;

  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  /// The whole content of a kernel file or of one of the host's configuration files (/etc, /run, /usr/lib),
  /// at most kMaxFileBytes. An absolute path.
  virtual Result<std::string> read(const std::string& path) = 0;
  /// The names in a directory, without "." and "..", in no particular order.
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  /// What a symbolic link says.
  virtual Result<std::string> link(const std::string& path) = 0;
  /// Which protocol the socket behind a link of /proc/PID/fd speaks, as the kernel calls it: "TCP", "TCPv6",
  /// "UNIX-STREAM" ... (the extended attribute system.sockprotoname). Errors: no socket, or a kernel that
  /// does not tell (failed).
  virtual Result<std::string> socket_protocol(const std::string& path) = 0;
  /// st_size of a file or directory.
  virtual Result<std::uint64_t> size(const std::string& path) = 0;
  /// The user who owns a file or directory.
  virtual Result<std::uint32_t> owner(const std::string& path) = 0;
  /// The network namespace that a file holds: one that is mounted there, as `ip netns add` does. What is left
  /// of it after an unmount, an empty file, is an error (malformed), and so is a namespace of another type.
  virtual Result<NetnsFile> netns_at(const std::string& path) = 0;

  /// Shows every TCP socket of both families that the request asks for, as the payload (struct inet_diag_msg
  /// and attributes) of one netlink message each, straight from the receive buffer. A dump that fails
  /// half-way has shown a part.
  virtual Result<void> dump_sockets(const SocketDump& request, const OnMessage& on_message) = 0;

  /// The records of /dev/kmsg since the last call; the first call begins at the oldest one that the ring
  /// holds.
  virtual Result<KernelLogRecords> read_kernel_log() = 0;

  /// Which of the namespaces that have borne the source's name is read: another number, another namespace. It
  /// may change with any read, so it is asked for after the read whose result is judged by it.
  virtual std::uint64_t generation() = 0;

  /// Bytes per page of the machine that was read.
  virtual std::uint64_t page_size() = 0;

  static constexpr std::size_t kMaxFileBytes = 4 << 20;
};

}  // namespace tcpdiag
