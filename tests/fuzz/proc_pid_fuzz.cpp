// SPDX-License-Identifier: Apache-2.0
#include "collectors/proc_pid.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)tcpdiag::parse_pid_stat(text);
  (void)tcpdiag::parse_fd_limits(text);
  (void)tcpdiag::parse_wait_channel(text);
  (void)tcpdiag::parse_socket_link(text);
  return 0;
}
