// SPDX-License-Identifier: Apache-2.0
// Pages as gzip files (RFC 1952), made and read piece by piece.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace tcpdiag {

/// Makes a gzip file of a text that comes in pieces, at the fastest level. Throws when there is no memory.
class Gzip {
 public:
  Gzip();
  void add(std::string_view text);
  /// The file; to be called once, at the end.
  std::string finish();

 private:
  struct Stream;
  struct End {
    void operator()(Stream* stream) const;
  };
  void deflate(std::string_view text, int flush);

  std::unique_ptr<Stream, End> stream_;
  std::string compressed_;
};

/// `text` as a gzip file.
std::string gzip(std::string_view text);

/// Reads what is in a gzip file, piece by piece, in some 40 KiB of memory.
class Gunzip {
 public:
  explicit Gunzip(std::shared_ptr<const std::string> file);
  /// Writes the next bytes to `to`, at most `most`; returns how many. 0: this is the end. Throws when the
  /// file is damaged.
  std::size_t read(char* to, std::size_t most);

 private:
  struct Stream;
  struct End {
    void operator()(Stream* stream) const;
  };

  std::shared_ptr<const std::string> file_;
  std::unique_ptr<Stream, End> stream_;
};

}  // namespace tcpdiag
