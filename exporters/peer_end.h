// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tcpdiag {

/// Whether the peer of a TCP socket has closed or reset the connection, and all that it sent before has been
/// read. Does not wait. recv(2)
bool has_ended(int fd);

}  // namespace tcpdiag
