// SPDX-License-Identifier: Apache-2.0
#include "collectors/conmon.h"
#include "collectors/published_ports.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)tcpdiag::parse_docker_proxy(text);
  (void)tcpdiag::parse_conmon_name(text, "x");
  return 0;
}
