// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tcpdiag {

/// Gives this process as many descriptors as it may have (the hard RLIMIT_NOFILE): the soft limit is for
/// programs that use select(), which this one does not. Returns how many; 0: not known.
std::uint64_t raise_open_files_limit();

}  // namespace tcpdiag
