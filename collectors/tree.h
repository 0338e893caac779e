// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/file_descriptor.h"
#include "core/result.h"

namespace tcpdiag {

/// A directory and the files below it, which are reached without following a link. Paths are relative to it.
/// Errors name the whole path.
class Tree {
 public:
  /// One that is there.
  static Result<Tree> open(const std::filesystem::path& directory);
  /// A new one, or one that is empty: made for its owner alone (0700). Errors: it is a link, is not empty,
  /// does not belong to `owner`, or others may write into it: they could put links and files where ours will
  /// be; or others could lead the way to it elsewhere (open_ancestors).
  static Result<Tree> create(std::filesystem::path directory, uid_t owner);

  /// The content of a regular file, at most `most` bytes (too_large). Devices and FIFOs are not even opened.
  [[nodiscard]] Result<std::string> read(const std::string& path, std::size_t most) const;

  enum class How { whole, append };
  /// Writes a file, and makes it (0600) and the directories above it (0700) where they are not there.
  [[nodiscard]] Result<void> write(const std::string& path, std::string_view content, How how) const;
  void remove(const std::string& path) const;
  /// How many files and directories write() would make.
  [[nodiscard]] std::size_t missing(const std::string& path) const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Tree(FileDescriptor directory, std::string path)
      : directory_(std::move(directory)), path_(std::move(path)) {}

  [[nodiscard]] std::string whole(const std::string& path) const { return path_ + "/" + path; }

  FileDescriptor directory_;
  std::string path_;
};

}  // namespace tcpdiag
