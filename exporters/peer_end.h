// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tcpdiag {

/// What there is to read of what the peer of a TCP socket has sent; its end when it has closed or reset the
/// connection and all before that has been read.
enum class Unread { nothing, something, end };

/// Does not wait. recv(2)
Unread unread_of(int fd);

inline bool has_ended(int fd) { return unread_of(fd) == Unread::end; }

}  // namespace tcpdiag
