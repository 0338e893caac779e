// SPDX-License-Identifier: Apache-2.0
#include "collectors/file_handles.h"

#include <string>

#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr auto kPath = "/proc/sys/fs/file-nr";

}  // namespace

Result<FileHandles> parse_file_handles(std::string_view text) {
  const bool whole = text.ends_with('\n');
  const auto allocated = to_number<std::uint64_t>(next_word(text));
  const auto unused = to_number<std::uint64_t>(next_word(text));
  const auto max = to_number<std::uint64_t>(next_word(text));
  if (!whole || !allocated || !unused || !max || !next_word(text).empty() || *unused > *allocated)
    return unexpected(Errc::malformed, std::string(kPath) + ": not three numbers as documented");
  return FileHandles{.open = *allocated - *unused, .max = *max};
}

Result<FileHandles> read_file_handles(Source& source) {
  const auto text = source.read(kPath);
  if (!text) return tl::unexpected<Error>(text.error());
  return parse_file_handles(*text);
}

}  // namespace tcpdiag
