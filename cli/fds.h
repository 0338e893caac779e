// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/netns_choice.h"
#include "cli/terminal.h"
#include "collectors/source.h"
#include "core/facts/processes.h"
#include "core/report.h"

namespace tcpdiag {

/// What `tcpdiag fds` shall do.
struct FdsOptions {
  std::optional<std::int32_t> pid;      ///< empty: those that use most of their limit
  std::vector<std::string> namespaces;  ///< as parse_namespaces()
  bool json = false;
};

/// In which network namespaces processes live, by pid.
using NetnsOfProcess = std::map<std::int32_t, std::string>;

/// Of the processes that the report shows, as far as they may be asked: the name of each one's namespace.
NetnsOfProcess netns_of_processes(const Report& report, Source& source);

/// Leaves of the processes those that live in a namespace that was chosen.
void narrow_processes(Report& report, const NetnsChoice& choice, const NetnsOfProcess& netns);

/// The processes that use most of their limit of open files, the fullest first, as a table; with the names of
/// their namespaces where one lives elsewhere than this program.
std::string fds_text(const Report& report, const NetnsOfProcess& netns, const TextStyle& style);

/// A descriptor of a process that is a socket.
struct ProcessSocket {
  std::uint32_t inode = 0;
  std::optional<bool> is_tcp;  ///< empty: the kernel does not say
};

/// What the descriptors of one process are.
struct ProcessFds {
  Process process;                             ///< number, name, unit, descriptors and limits
  std::map<std::string, std::uint64_t> kinds;  ///< descriptors by kind, see fd_kind()
  Result<void> listed;                         ///< why kinds is empty, or has only a part
  std::vector<ProcessSocket> sockets{};        ///< its descriptors that are sockets
  /// Of these the TCP ones by state (to_string(TcpState)); "closed": the socket table does not have them.
  /// Where the kernel does not say which protocol a socket speaks, only those that the table has are counted.
  std::map<std::string, std::uint64_t> tcp_states{};
  Result<void> tcp_known{};  ///< why tcp_states is empty, or has only a part
};

/// The kind of what a link in /proc/PID/fd says (proc_pid_fd(5)): "socket", "pipe", "file", "deleted file",
/// "device", "memfd", "namespace", "eventpoll" and other anonymous inodes by their own names, "other".
std::string fd_kind(std::string_view link);

/// Looks at one process. Errors: there is no such process, or not even its name may be read.
Result<ProcessFds> read_process_fds(Source& source, std::int32_t pid);

/// Counts the states of its TCP sockets. `sockets` is a source in the network namespace of the process.
void add_tcp_states(ProcessFds& fds, Source& sockets);

/// What is known, as a line about the limit, a table of kinds, and one of the states of its TCP sockets.
std::string to_text(const ProcessFds& fds, const TextStyle& style);

/// The same as JSON, docs/reference/api.md.
std::string to_json_text(const ProcessFds& fds);

}  // namespace tcpdiag
