// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tcpdiag {

/// A flag that is no option of the file.
struct PlainFlag {
  std::string_view flag;  ///< "--config.file=FILE"
  std::string_view help;
};
std::span<const PlainFlag> plain_flags();

/// What --help prints, without the last newline.
std::string options_help();

}  // namespace tcpdiag
