// SPDX-License-Identifier: Apache-2.0
// What more than one collector reads of /proc/PID.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/section.h"

namespace tcpdiag {

class Source;

/// "/proc/PID".
std::string pid_directory(std::int32_t pid);

/// The processes that /proc lists; ordered.
Result<std::vector<std::int32_t>> read_pids(Source& source);

/// The numbers of a process's open descriptors (/proc/PID/fd); ordered.
Result<std::vector<std::uint32_t>> read_fds(Source& source, std::int32_t pid);

/// The fields of /proc/PID/stat that matter here (proc_pid_stat(5)).
struct PidStat {
  std::string comm;                ///< at most 15 bytes, any of them: blanks, parentheses and newlines too
  char state = 0;                  ///< of the main thread: 'R', 'S', 'D', 'T' ...
  bool kernel_thread = false;      ///< PF_KTHREAD: it has no descriptors
  bool exiting = false;            ///< PF_EXITING: it may look as if it were in no control group
  std::uint64_t user_ticks = 0;    ///< CPU time in user space, in clock ticks (sysconf(_SC_CLK_TCK) a second)
  std::uint64_t system_ticks = 0;  ///< CPU time in the kernel, in clock ticks
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;  ///< since boot, in clock ticks; with the pid, the process's identity
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_pages = 0;
};

/// Parses /proc/PID/stat. An error's detail does not name the file: the caller knows the pid.
Result<PidStat> parse_pid_stat(std::string_view text);

/// Parses /proc/PID/wchan: the kernel function that the main thread sleeps in. Empty: it runs, or whoever
/// reads may not know, or it is no such name.
std::string parse_wait_channel(std::string_view text);

/// The inode in what a link of /proc/PID/fd says: "socket:[123]". Empty for everything else.
std::optional<std::uint32_t> parse_socket_link(std::string_view text);

/// "Max open files" of a process (RLIMIT_NOFILE). Empty: unlimited.
struct FdLimits {
  Count soft, hard;
};

/// The real user in /proc/PID/status. Empty: the text is not such a file, or it is cut off before that.
std::optional<std::uint32_t> parse_pid_user(std::string_view text);

/// The parent in /proc/PID/status. Empty: the text is not such a file, or it is cut off before that.
std::optional<std::int32_t> parse_pid_parent(std::string_view text);

/// Parses /proc/PID/limits. An error's detail does not name the file.
Result<FdLimits> parse_fd_limits(std::string_view text);

}  // namespace tcpdiag
