// SPDX-License-Identifier: Apache-2.0
#include "collectors/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace tcpdiag {

namespace {

tl::unexpected<Error> failed(const std::string& path) {
  return tl::unexpected<Error>(system_error(errno, path));
}

}  // namespace

Result<FileDescriptor> open_file(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return failed(path);
  return file;
}

Result<std::string> read_whole(const FileDescriptor& file, const std::string& path, std::size_t most) {
  constexpr std::size_t kFirst = 16384;
  std::string content(std::min(kFirst, most + 1), '\0');
  std::size_t length = 0;
  for (;;) {
    const auto got =
        ::pread(file.get(), content.data() + length, content.size() - length, static_cast<off_t>(length));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(path);
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
    if (length > most)
      return unexpected(Errc::too_large, path + ": longer than " + std::to_string(most) + " bytes");
    if (length < content.size()) continue;
    // Files of /proc/sys show only what one read from their beginning holds, and nothing further on.
    if (static_cast<std::size_t>(got) == length) length = 0;
    content.resize(std::min(4 * content.size(), most + 1));
  }
  content.resize(length);
  return content;
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  constexpr std::size_t kMaxNames = 1 << 20;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return failed(path);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const auto* entry = ::readdir(directory.get());
    if (entry == nullptr && errno != 0) return failed(path);
    if (entry == nullptr) return names;
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names.size() == kMaxNames) return unexpected(Errc::too_large, path + ": more than 1048576 names");
    names.push_back(std::move(name));
  }
}

Result<std::string> read_link(const std::string& path) {
  char target[PATH_MAX];
  const auto length = ::readlink(path.c_str(), target, sizeof(target));
  if (length < 0) return failed(path);
  return std::string(target, static_cast<std::size_t>(length));
}

Result<std::string> read_socket_protocol(const std::string& path) {
  char name[64];  // struct proto has 32
  const auto length = ::getxattr(path.c_str(), "system.sockprotoname", name, sizeof name);
  if (length < 0) return failed(path);
  return std::string(name, ::strnlen(name, static_cast<std::size_t>(length)));  // it may end with a zero byte
}

Result<std::uint64_t> file_size(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return failed(path);
  return static_cast<std::uint64_t>(status.st_size);
}

Result<std::uint32_t> file_owner(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return failed(path);
  return status.st_uid;
}

Result<NetnsFile> netns_in_file(const std::string& path) {
  return open_file(path).and_then([&](const FileDescriptor& file) { return netns_in_file(file, path); });
}

Result<NetnsFile> netns_in_file(const FileDescriptor& file, const std::string& path) {
  struct statfs system{};
  struct stat status{};
  if (::fstatfs(file.get(), &system) != 0 || ::fstat(file.get(), &status) != 0) return failed(path);
  const bool is_namespace = system.f_type == NSFS_MAGIC;
  const auto type = is_namespace ? ::ioctl(file.get(), NS_GET_NSTYPE) : 0;
  const bool is_untold = type < 0;  // before Linux 4.11
  if (!is_namespace || (!is_untold && type != CLONE_NEWNET))
    return unexpected(Errc::malformed, path + ": no network namespace");
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return NetnsFile{.inode = status.st_ino,
                   .made_ns = status.st_ctim.tv_sec * kNanoseconds + status.st_ctim.tv_nsec};
}

}  // namespace tcpdiag
