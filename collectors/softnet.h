// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "collectors/source.h"
#include "core/snapshot.h"

namespace tcpdiag {

/// Parses /proc/net/softnet_stat: a line of hexadecimal columns for each CPU that is online. The CPU's number
/// is column 13; kernels before 5.10 have none, and there it is the line's, which is wrong when a CPU is off.
Result<Softnet> parse_softnet(std::string_view text);

/// What each CPU received, dropped and left for later.
Result<Softnet> read_softnet(Source& source);

}  // namespace tcpdiag
