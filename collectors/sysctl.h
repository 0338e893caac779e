// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "collectors/collector.h"
#include "collectors/source.h"
#include "core/facts/settings.h"
#include "core/sysctls.h"

namespace tcpdiag {

/// Parses the file of a sysctl: exactly as many numbers as it has fields, or one word, or a list of ports.
Result<Sysctl> parse_sysctl(const SysctlSpec& spec, std::string_view text);

/// The sysctls of the source's namespace, and with SysctlScope::machine the machine's too. One that is denied
/// or garbled is listed as unread and takes no other with it; when none can be read that is an error.
Result<Settings> read_settings(Source& source, SysctlScope widest);

/// Sysctls that could not be read, as an error of the run (see make_collector).
Result<void> shortfall(const Settings& settings);

/// The settings of a namespace; the machine's belong to the first one.
struct SettingsReader {
  Result<Settings> operator()(const Reading& reading) const;
};

}  // namespace tcpdiag
