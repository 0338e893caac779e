// SPDX-License-Identifier: Apache-2.0
// Values in commands that people copy into a shell.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tcpdiag {

/// Whether a POSIX shell takes every byte of `text` for itself, inside of quotes and outside: letters, digits
/// and _./:@%+=,- only.
bool is_plain_in_shell(std::string_view text);

/// `text` as one word of a POSIX shell (XCU 2.2): as it is where it is plain, else in single quotes. Empty:
/// what is shown would not be what is copied, because it holds a control character or is not UTF-8.
std::optional<std::string> shell_quoted(std::string_view text);

}  // namespace tcpdiag
