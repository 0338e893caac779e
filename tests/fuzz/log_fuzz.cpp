// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "daemon/log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const tcpdiag::LogField field("k", text);
  const tcpdiag::LogRecord record{{}, tcpdiag::LogLevel::info, text, {&field, 1}};
  if (tcpdiag::to_logfmt(record).find('\n') != std::string::npos) __builtin_trap();
  if (nlohmann::json::parse(tcpdiag::to_json(record), nullptr, false).is_discarded()) __builtin_trap();
  return 0;
}
