// SPDX-License-Identifier: Apache-2.0
#include "collectors/inet_diag.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)tcpdiag::parse_inet_diag(std::as_bytes(std::span(data, size)));
  (void)tcpdiag::parse_last_data_sent(std::as_bytes(std::span(data, size)));
  (void)tcpdiag::parse_last_data_received(std::as_bytes(std::span(data, size)));
  return 0;
}
