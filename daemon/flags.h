// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tcpdiag {

/// A flag that the command line may have.
struct FlagSpec {
  std::string name;  ///< "--log.level"
  bool takes_value = false;
  bool repeatable = false;
};

/// The flags that were given, each with its values in their order; without values: a flag that takes none.
/// What belongs to no flag is under kOperands.
using GivenFlags = std::map<std::string, std::vector<std::string>, std::less<>>;

inline constexpr std::string_view kOperands;

/// Takes "--flag value" and "--flag=value", and up to `operands` arguments that belong to no flag. A value
/// that begins with "--" needs the second form, in which none is empty. The detail of an error is the whole
/// line for the user.
Result<GivenFlags> parse_flags(std::span<const std::string> arguments, std::span<const FlagSpec> known,
                               std::size_t operands = 0);

}  // namespace tcpdiag
