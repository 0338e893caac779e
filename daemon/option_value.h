// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tcpdiag {

/// An object of the configuration file whose members are all true or false, in the file's order.
struct Switches {
  std::vector<std::pair<std::string, bool>> members;
};

/// What no option takes: null, a list of other things than texts, an object of other things than switches.
struct OtherValue {
  std::string shown;
};

/// A value as the file or the command line gives it, before anybody has looked at what it is for.
using OptionValue = std::variant<bool, double, std::string, std::vector<std::string>, Switches, OtherValue>;

/// `text` in double quotes and on one line: escaped, and cut when it is long.
std::string quote(std::string_view text);

/// The value as the file would have it, on one line, cut when it is long.
std::string to_string(const OptionValue& value);

}  // namespace tcpdiag
