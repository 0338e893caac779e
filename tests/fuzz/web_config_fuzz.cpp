// SPDX-License-Identifier: Apache-2.0
#include "exporters/tls_priority.h"
#include "exporters/web_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = tcpdiag::parse_web_config("fuzz", {reinterpret_cast<const char*>(data), size});
  if (config && config->tls) (void)tcpdiag::tls_priority(*config->tls, "ECDHE-RSA");
  return 0;
}
