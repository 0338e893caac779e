// SPDX-License-Identifier: Apache-2.0
#include "collectors/ancestors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <string>
#include <string_view>

namespace tcpdiag {
namespace {

namespace fs = std::filesystem;

constexpr int kOnTheWay = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr mode_t kOurDirectory = 0700;
constexpr int kMostLinks = 40;  // as the kernel follows

tl::unexpected<Error> failed(const fs::path& where) {
  return tl::unexpected<Error>(system_error(errno, where.string()));
}

tl::unexpected<Error> refused(const fs::path& what, std::string_view why) {
  return unexpected(Errc::failed, (what.empty() ? "." : what.string()) + ": " + std::string(why));
}

class Way {
 public:
  Way() { ::stat("/", &root_); }

  Result<FileDescriptor> follow(FileDescriptor at, fs::path where, const fs::path& path) {
    if (path.is_absolute()) {
      at = FileDescriptor(::open("/", kOnTheWay));
      where = "/";
    }
    if (!at) return failed(where);
    for (const auto& name : path.relative_path()) {
      if (name.empty() || name == ".") continue;
      auto next = enter(at, where, name);
      if (!next) return next;
      at = std::move(*next);
      where /= name;
    }
    return at;
  }

 private:
  Result<FileDescriptor> enter(const FileDescriptor& above, const fs::path& where, const fs::path& name) {
    const auto whole = where / name;
    struct stat directory{}, entry{};
    if (::fstat(above.get(), &directory) != 0) return failed(where);
    if (!is_trusted(directory))
      return refused(where, "user " + std::to_string(directory.st_uid) + " may rename what is in it");
    const bool is_shared = is_writable_by_strangers(directory);
    if (is_shared && (directory.st_mode & S_ISVTX) == 0)
      return refused(where, "others may rename what is in it");

    if (::mkdirat(above.get(), name.c_str(), kOurDirectory) != 0 && errno != EEXIST) return failed(whole);
    if (::fstatat(above.get(), name.c_str(), &entry, AT_SYMLINK_NOFOLLOW) != 0) return failed(whole);
    const bool is_link = S_ISLNK(entry.st_mode);
    if ((is_shared || is_link) && !is_trusted(entry))
      return refused(whole, (is_link ? "a link of user " : "belongs to user ") +
                                std::to_string(entry.st_uid) + ", who could lead it anywhere");
    if (is_link) return follow_link(above, where, name);
    FileDescriptor opened(::openat(above.get(), name.c_str(), kOnTheWay));
    if (!opened) return failed(whole);
    return opened;
  }

  Result<FileDescriptor> follow_link(const FileDescriptor& above, const fs::path& where,
                                     const fs::path& name) {
    std::array<char, PATH_MAX> target{};
    const auto length = ::readlinkat(above.get(), name.c_str(), target.data(), target.size() - 1);
    if (length < 0) return failed(where / name);
    if (++links_ > kMostLinks) {
      errno = ELOOP;
      return failed(where / name);
    }
    return follow(FileDescriptor(::openat(above.get(), ".", kOnTheWay)), where, target.data());
  }

  // Whoever has the root directory is root, who looks like somebody else from within a user namespace.
  [[nodiscard]] bool is_trusted(const struct stat& status) const {
    return status.st_uid == 0 || status.st_uid == ::geteuid() || status.st_uid == root_.st_uid;
  }

  // A group of one's own is usual (umask 002).
  static bool is_writable_by_strangers(const struct stat& directory) {
    const bool is_our_group = directory.st_gid == 0 || directory.st_gid == ::getegid();
    return (directory.st_mode & (is_our_group ? S_IWOTH : S_IWGRP | S_IWOTH)) != 0;
  }

  struct stat root_{};
  int links_ = 0;
};

}  // namespace

Result<FileDescriptor> open_ancestors(const fs::path& path) {
  return Way().follow(FileDescriptor(::open(".", kOnTheWay)), {}, path);
}

}  // namespace tcpdiag
