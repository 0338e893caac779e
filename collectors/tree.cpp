// SPDX-License-Identifier: Apache-2.0
#include "collectors/tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "collectors/ancestors.h"
#include "collectors/files.h"

namespace tcpdiag {
namespace {

namespace fs = std::filesystem;

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr mode_t kOurDirectory = 0700, kOurFile = 0600;

tl::unexpected<Error> failed(const std::string& where) {
  return tl::unexpected<Error>(system_error(errno, where));
}

/// Takes the first name off `path`, with the slash behind it.
std::string take_name(std::string_view& path) {
  const auto name = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(name.size() + 1, path.size()));
  return std::string(name);
}

/// The directory that the file `path` is in, and the file's name. Without a directory errno says why.
struct Place {
  FileDescriptor directory;
  std::string name;
};

/// `make`: directories that are not there.
Place place_of(const FileDescriptor& top, std::string_view path, bool make) {
  Place place{FileDescriptor(::openat(top.get(), ".", kDirectory)), take_name(path)};
  while (place.directory && !path.empty()) {
    const int above = place.directory.get();
    const auto& name = place.name;
    if (name.empty() || name == "." || name == "..") {
      errno = EINVAL;  // none of our own names
      return {};
    }
    if (make && ::mkdirat(above, name.c_str(), kOurDirectory) != 0 && errno != EEXIST) return {};
    place.directory = FileDescriptor(::openat(above, name.c_str(), kDirectory));
    place.name = take_name(path);
  }
  return place;
}

/// A new file, or one of our own that is there.
FileDescriptor open_ours(const Place& place, Tree::How how) {
  const auto* name = place.name.c_str();
  constexpr int kNew = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  FileDescriptor file(::openat(place.directory.get(), name, kNew, kOurFile));
  if (file || errno != EEXIST) return file;
  const int further = how == Tree::How::append ? O_APPEND : 0;
  file = FileDescriptor(
      ::openat(place.directory.get(), name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | further));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return {};
  if (!S_ISREG(status.st_mode) || status.st_nlink != 1) {
    errno = EEXIST;
    return {};
  }
  if (how == Tree::How::whole && ::ftruncate(file.get(), 0) != 0) return {};
  return file;
}

bool write_all(const FileDescriptor& file, std::string_view content) {
  while (!content.empty()) {
    const auto written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Why it is no place for files of `owner`. Empty: it is one.
std::string fault_of(const struct stat& status, uid_t owner) {
  if (status.st_uid != owner)
    return "belongs to user " + std::to_string(status.st_uid) + ", not to user " + std::to_string(owner) +
           ", who writes it";
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  std::array<char, 16> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(status.st_mode & 07777));
  return std::string("others may write into it (mode ") + mode.data() + ")";
}

/// "rec" for "rec/" and "rec/.", which would follow a link `rec`.
fs::path without_end(fs::path directory) {
  while (directory.has_parent_path() && (!directory.has_filename() || directory.filename() == "."))
    directory = directory.parent_path();
  return directory;
}

}  // namespace

Result<Tree> Tree::open(const fs::path& directory) {
  FileDescriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return failed(directory.string());
  return Tree(std::move(opened), directory.string());
}

Result<Tree> Tree::create(fs::path directory, uid_t owner) {
  directory = without_end(std::move(directory));
  auto path = directory.string();
  const auto refuse = [&](std::string_view why) {
    return unexpected(Errc::failed, path + ": " + std::string(why));
  };
  const auto above = open_ancestors(directory.parent_path());
  if (!above) return tl::unexpected<Error>(above.error());
  auto name = directory.filename();
  if (name.empty()) name = ".";  // of the root
  if (::mkdirat(above->get(), name.c_str(), kOurDirectory) != 0 && errno != EEXIST) return failed(path);

  struct stat status{};
  if (::fstatat(above->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode))
    return refuse("a link, which could lead anywhere");
  FileDescriptor opened(::openat(above->get(), name.c_str(), kDirectory));
  if (!opened || ::fstat(opened.get(), &status) != 0) return failed(path);
  if (const auto fault = fault_of(status, owner); !fault.empty()) return refuse(fault);
  const auto names = list_directory("/proc/self/fd/" + std::to_string(opened.get()));
  if (!names) return tl::unexpected<Error>(names.error());
  if (!names->empty()) return refuse("not empty");
  return Tree(std::move(opened), std::move(path));
}

Result<std::string> Tree::read(const std::string& path, std::size_t most) const {
  const auto place = place_of(directory_, path, false);
  struct stat status{};
  if (!place.directory ||
      ::fstatat(place.directory.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return failed(whole(path));
  const auto no_file = unexpected(Errc::malformed, whole(path) + ": not a regular file");
  if (!S_ISREG(status.st_mode)) return no_file;
  const FileDescriptor file(
      ::openat(place.directory.get(), place.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file || ::fstat(file.get(), &status) != 0) return failed(whole(path));
  if (!S_ISREG(status.st_mode)) return no_file;  // it became another one meanwhile
  return read_whole(file, whole(path), most);
}

Result<void> Tree::write(const std::string& path, std::string_view content, How how) const {
  const auto place = place_of(directory_, path, true);
  if (!place.directory) return failed(whole(path));
  const auto file = open_ours(place, how);
  if (!file || !write_all(file, content)) return failed(whole(path));
  return {};
}

void Tree::remove(const std::string& path) const {
  if (const auto place = place_of(directory_, path, false); place.directory)
    ::unlinkat(place.directory.get(), place.name.c_str(), 0);
}

std::size_t Tree::missing(const std::string& path) const {
  std::string_view rest = path;
  FileDescriptor directory(::openat(directory_.get(), ".", kDirectory));
  while (directory && !rest.empty()) {
    const auto left = static_cast<std::size_t>(std::ranges::count(rest, '/')) + 1;
    const auto name = take_name(rest);
    struct stat status{};
    if (::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return left;
    if (!rest.empty()) directory = FileDescriptor(::openat(directory.get(), name.c_str(), kDirectory));
  }
  return 0;
}

}  // namespace tcpdiag
