// SPDX-License-Identifier: Apache-2.0
#include "collectors/kmsg.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <cerrno>

namespace tcpdiag {
namespace {

constexpr auto kPath = "/dev/kmsg";

tl::unexpected<Error> failure() {
  auto error = system_error(errno, kPath);
  if (error.code == Errc::denied) error.detail += " (needs root or CAP_SYSLOG)";
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace

// Containers put /dev/null or a console in its place. Either would look like a log in which nothing happens.
Result<FileDescriptor> Kmsg::open() {
  FileDescriptor file(::open(kPath, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return failure();
  if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 11))
    return unexpected(Errc::missing, std::string(kPath) + ": is not the kernel's log");
  return file;
}

Result<KernelLogRecords> Kmsg::read() {
  if (!file_) {
    auto opened = open();
    if (!opened) return tl::unexpected<Error>(opened.error());
    file_ = std::move(*opened);
  }

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
      if (!log.records.empty()) break;  // they are read and gone; the error comes again with the next look
      return failure();
    }
  }
  log.more = true;
  return log;
}

}  // namespace tcpdiag
