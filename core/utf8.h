// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tcpdiag {

/// Bytes of the UTF-8 sequence (RFC 3629) at the beginning of `text`, which is not empty; 0 when there is
/// none. Overlong forms, surrogates and what lies beyond U+10FFFF are none.
std::size_t utf8_length(std::string_view text);

/// The beginning of `text`, at most `most` bytes, that does not end inside a sequence.
std::string_view utf8_prefix(std::string_view text, std::size_t most);

/// The inside of a JSON string, on one line: quotes, backslashes and control characters are escaped, bytes
/// that are not UTF-8 become U+FFFD one by one.
std::string escaped(std::string_view text);

/// `text` as one line for people: like escaped(), but quotes and backslashes stay as they are.
std::string one_line(std::string_view text);

}  // namespace tcpdiag
