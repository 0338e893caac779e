// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "collectors/source.h"
#include "core/snapshot.h"

namespace tcpdiag {

/// Parses /proc/net/stat/nf_conntrack, a line of names and a line of hexadecimal numbers for each CPU: drops
/// and failed insertions of all CPUs together. `entries` and `limit` are in other files and stay empty.
Result<Conntrack> parse_conntrack_stat(std::string_view text);

/// Connection tracking in the source's namespace. Where nf_conntrack is not loaded everything is empty, which
/// is no error.
Result<Conntrack> read_conntrack(Source& source);

}  // namespace tcpdiag
