// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/file_descriptor.h"

namespace tcpdiag {

/// Where this process may enter network namespaces, as root in the foreground may, it gives that right to a
/// child that does nothing else (daemon/netns_doorkeeper/server.h) and gives it up itself, for good. Returns
/// the connection to the child, which ends with it. Empty: this process may not enter namespaces, or cannot
/// have a child; it then keeps what it has. To be called before there are threads.
std::optional<FileDescriptor> give_entering_to_a_child();

}  // namespace tcpdiag
