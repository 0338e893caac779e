// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "collectors/sysctl_files.h"
#include "core/sysctls.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = tcpdiag::parse_sysctl_file("/etc/sysctl.conf", text, 8);
  const auto shown = tcpdiag::without_secrets(text);
  const auto again = tcpdiag::parse_sysctl_file("/etc/sysctl.conf", shown, 8);
  if (file.lines.size() > 8 || again.lines.size() != file.lines.size() ||
      again.ignored.size() != file.ignored.size())
    std::abort();
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    (void)tcpdiag::sysctl_path(file.lines[i].name);
    for (const auto& spec : tcpdiag::sysctl_table()) (void)tcpdiag::taken_value(spec, file.lines[i].value);
    if (file.lines[i].line != again.lines[i].line || file.lines[i].value != again.lines[i].value)
      std::abort();
  }
  return 0;
}
