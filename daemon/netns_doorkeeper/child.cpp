// SPDX-License-Identifier: Apache-2.0
#include "daemon/netns_doorkeeper/child.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "collectors/netns.h"
#include "daemon/netns_doorkeeper/server.h"

namespace tcpdiag {
namespace {

constexpr std::uint32_t kSysAdmin = 1U << CAP_SYS_ADMIN;  // among the first 32
using Capabilities = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

/// Leaves this thread, the only one yet, those of its capabilities that are in `mask`.
bool keep_capabilities(const std::array<std::uint32_t, _LINUX_CAPABILITY_U32S_3>& mask) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  Capabilities capabilities{};
  if (::syscall(SYS_capget, &header, capabilities.data()) != 0) return false;
  for (std::size_t at = 0; at < mask.size(); ++at) {
    capabilities[at].effective &= mask[at];
    capabilities[at].permitted &= mask[at];
    capabilities[at].inheritable &= mask[at];
  }
  return ::syscall(SYS_capset, &header, capabilities.data()) == 0;
}

[[noreturn]] void be_the_child(FileDescriptor connection, pid_t parent) {
  ::prctl(PR_SET_NAME, "tcpdiagd-netns");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const bool is_orphan = ::getppid() != parent;
  if (!is_orphan && keep_capabilities({kSysAdmin, 0})) {
    // Ctrl-C is for the parent, whose end this one sees.
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGHUP, SIG_IGN);
    serve_connection(connection);
  }
  ::_exit(0);
}

}  // namespace

std::optional<FileDescriptor> give_entering_to_a_child() {
  if (!may_enter_netns()) return std::nullopt;
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return std::nullopt;
  FileDescriptor ours(ends[0]), childs(ends[1]);
  const auto parent = ::getpid();
  const auto child = ::fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    ours = FileDescriptor();
    be_the_child(std::move(childs), parent);
  }
  ::prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN);  // so that no program that it may start has it again
  keep_capabilities({~kSysAdmin, ~0U});
  return ours;
}

}  // namespace tcpdiag
