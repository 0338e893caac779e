// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/file_descriptor.h"
#include "core/result.h"

namespace tcpdiag {

/// A socket (SOCK_SEQPACKET) that listens at `path`, mode 0660. A socket that lies there, left by a process
/// that was killed, is replaced; anything else is not. Errors: not possible, and why.
Result<FileDescriptor> listen_at(const std::string& path);

/// The socket that systemd has opened for this process (sd_listen_fds(3)). Errors: there is not exactly one,
/// or it is of another type.
Result<FileDescriptor> listener_of_systemd();

}  // namespace tcpdiag
