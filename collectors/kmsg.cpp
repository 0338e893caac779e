// SPDX-License-Identifier: Apache-2.0
#include "collectors/kmsg.h"

#include <fcntl.h>

#include <array>
#include <cerrno>

namespace tcpdiag {
namespace {

constexpr auto kPath = "/dev/kmsg";

}  // namespace

Result<KernelLogRecords> Kmsg::read() {
  if (!file_) file_ = FileDescriptor(::open(kPath, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file_) return tl::unexpected<Error>(system_error(errno, kPath));

  KernelLogRecords log;
  std::array<char, 16384>
      buffer;  // a record that does not fit would be lost; the kernel's bound is 8192 and less
  while (log.records.size() < kMaxRecords) {
    const auto length = ::read(file_.get(), buffer.data(), buffer.size());
    if (length > 0) {
      log.records.emplace_back(buffer.data(), static_cast<std::size_t>(length));
    } else if (length < 0 && errno == EPIPE) {
      log.overrun = true;
    } else if (length == 0 || errno == EAGAIN) {
      return log;
    } else if (errno != EINTR) {
      return tl::unexpected<Error>(system_error(errno, kPath));
    }
  }
  log.more = true;
  return log;
}

}  // namespace tcpdiag
