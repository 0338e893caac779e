// SPDX-License-Identifier: Apache-2.0
#include "exporters/without_capabilities.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

namespace tcpdiag {
namespace {

/// Of the calling thread alone, as the system call does it. Ambient capabilities go with the others.
Result<void> give_up_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0)
    return tl::unexpected<Error>(system_error(errno, "capset"));
  return {};
}

}  // namespace

Result<void> without_capabilities(const std::function<void()>& function) {
  Result<void> outcome;
  std::thread([&] {
    outcome = give_up_capabilities();
    if (outcome) function();
  }).join();
  return outcome;
}

}  // namespace tcpdiag
