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

/// `text` as every face shows it: one line of valid UTF-8 in which nothing is hidden and nothing changes how
/// the rest is seen. This is the one rule for names and other bytes that somebody else chose:
///
/// - a newline is `\n`, a tab `\t`;
/// - another control character below U+0080, and a byte that is not part of valid UTF-8, is `\xNN`;
/// - another character that is not seen is `\u{NNNN}`: U+0080 to U+009F, line and paragraph separators, marks
///   that change the direction of writing, characters without a width, and noncharacters.
///
/// All else stays as it is, backslashes too, so what was shown once is not changed by being shown again.
/// Faces apply it when they render; collectors and rules keep the bytes that the kernel gave.
std::string one_line(std::string_view text);

/// Whether one_line() leaves `text` as it is.
bool is_one_line(std::string_view text);

/// Like one_line(), but newlines stay: for commands, of which each line is copied by itself.
std::string many_lines(std::string_view text);

/// one_line() as the inside of a string of JSON, and of logfmt: quotes and backslashes have a backslash
/// before them.
std::string escaped(std::string_view text);

}  // namespace tcpdiag
