// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "collectors/unit_files.h"
#include "core/file_limit.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto limits = tcpdiag::parse_file_limits("a.service", text);
  const auto kept = tcpdiag::only_file_limits(text);
  const auto again = tcpdiag::parse_file_limits("a.service", kept);
  if (limits.size() != again.size()) std::abort();
  for (std::size_t i = 0; i < limits.size(); ++i) {
    if (limits[i].line != again[i].line || limits[i].value != again[i].value) std::abort();
    const auto limit = tcpdiag::parse_file_limit_value(limits[i].value);
    if (limit && !tcpdiag::parse_file_limit_value(tcpdiag::readable_file_limit(limits[i].value)))
      std::abort();
  }
  (void)tcpdiag::parse_default_file_limits(text);
  (void)tcpdiag::unit_file_names(text);
  (void)tcpdiag::drop_in_directory_names(text);
  return 0;
}
