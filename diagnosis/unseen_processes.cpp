// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/unseen_processes.h"

#include <string>

#include "core/number_text.h"

namespace tcpdiag {
namespace {

Error cannot_be_read(std::string_view files, std::uint64_t unseen, std::uint64_t all) {
  return {Errc::denied, std::string(files) + ": unreadable for " + std::to_string(unseen) + " of " +
                            std::to_string(all) +
                            " processes (needs root, or CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)"};
}

}  // namespace

std::optional<Error> unseen_processes(const Processes& processes) {
  if (processes.some_hidden)
    return Error{Errc::denied,
                 "/proc: hides processes of other users, as hidepid= and ProtectProc= ask for (needs root or "
                 "CAP_SYS_PTRACE)"};
  if (processes.uncounted > 0)
    return cannot_be_read("/proc/PID/fd, /proc/PID/limits", processes.uncounted, processes.total);
  return std::nullopt;
}

std::optional<Error> unseen_processes(const Processes& processes, double ratio) {
  if (auto unseen = unseen_processes(processes)) return unseen;
  if (processes.fullest_cut == 0 || processes.fullest_cut_ratio < ratio) return std::nullopt;
  return Error{Errc::too_large, "processes: only each user's fullest are looked at; " +
                                    std::to_string(processes.fullest_cut) + " more that use up to " +
                                    percent_text(processes.fullest_cut_ratio) + " of their limit are not"};
}

std::optional<Error> unseen_closed_sockets(const Processes& processes, std::uint64_t many) {
  if (processes.closed_sockets_at_most && *processes.closed_sockets_at_most < many) return std::nullopt;
  if (auto unseen = unseen_processes(processes)) return unseen;
  if (processes.closed_sockets_denied > 0)
    return cannot_be_read("/proc/PID/fd", processes.closed_sockets_denied, processes.total);
  return std::nullopt;
}

}  // namespace tcpdiag
