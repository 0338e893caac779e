// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "collectors/source.h"
#include "core/file_descriptor.h"

namespace tcpdiag {

/// Reads /dev/kmsg (Documentation/ABI/testing/dev-kmsg), which is opened with the first read and stays open.
/// Opening it needs CAP_SYSLOG where kernel.dmesg_restrict is 1.
class Kmsg {
 public:
  /// Records of one call at most; the rest is there for the next one.
  static constexpr std::size_t kMaxRecords = 4096;

  /// Errors: denied; missing, where /dev/kmsg is something else, as in some containers.
  Result<KernelLogRecords> read();

 private:
  static Result<FileDescriptor> open();

  FileDescriptor file_;
};

}  // namespace tcpdiag
