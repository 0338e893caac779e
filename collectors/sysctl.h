// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "collectors/collector.h"
#include "collectors/source.h"
#include "core/snapshot.h"
#include "core/sysctls.h"

namespace tcpdiag {

/// Parses the file of a sysctl: exactly as many numbers as it has fields, or one word, or a list of ports.
Result<Sysctl> parse_sysctl(const SysctlSpec& spec, std::string_view text);

/// The sysctls of the source's namespace, and with SysctlScope::machine the machine's too. One that is denied
/// or garbled is listed as unread and takes no other with it; when none can be read that is an error.
Result<Settings> read_settings(Source& source, SysctlScope widest);

/// CollectorSpec::make for NetnsView::settings. The machine's sysctls are read for the first namespace. A run
/// that leaves a sysctl unread stores what it has, and its outcome is an error nevertheless.
Collector make_settings_collector(std::size_t netns_index);

}  // namespace tcpdiag
