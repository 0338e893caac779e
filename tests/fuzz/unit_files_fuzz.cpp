// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "collectors/unit_files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto limit = tcpdiag::parse_file_limit("a.service", text);
  const auto kept = tcpdiag::only_file_limits(text);
  const auto again = tcpdiag::parse_file_limit("a.service", kept);
  if (limit.has_value() != again.has_value()) std::abort();
  if (limit && (limit->line != again->line || limit->value != again->value)) std::abort();
  (void)tcpdiag::unit_file_names(text);
  (void)tcpdiag::drop_in_directory_names(text);
  return 0;
}
