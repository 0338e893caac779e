// SPDX-License-Identifier: Apache-2.0
#include "daemon/flags.h"

#include <algorithm>

#include "daemon/nearest_name.h"
#include "daemon/option_value.h"

namespace tcpdiag {
namespace {

tl::unexpected<Error> refused(std::string line) { return unexpected(Errc::malformed, std::move(line)); }

tl::unexpected<Error> unknown(const std::string& flag, std::span<const FlagSpec> known) {
  std::vector<std::string> names;
  for (const auto& spec : known) names.push_back(spec.name);
  const auto nearest = nearest_name(flag, names);
  return refused(
      "unknown flag " + quote(flag) +
      (nearest.empty() ? "; --help shows the known ones" : "; did you mean " + quote(nearest) + "?"));
}

}  // namespace

Result<GivenFlags> parse_flags(std::span<const std::string> arguments, std::span<const FlagSpec> known,
                               std::size_t operands) {
  GivenFlags given;
  for (auto argument = arguments.begin(); argument != arguments.end(); ++argument) {
    if (!argument->starts_with('-')) {
      if (operands == 0) return refused("unexpected argument " + quote(*argument));
      --operands;
      given[std::string(kOperands)].push_back(*argument);
      continue;
    }
    const auto equals = argument->find('=');
    const auto name = argument->substr(0, equals);
    const auto flag = std::ranges::find(known, name, &FlagSpec::name);
    if (flag == known.end()) return unknown(name, known);
    auto& values = given[name];
    if (!flag->takes_value) {
      if (equals != std::string::npos) return refused(name + " takes no value");
      continue;
    }
    if (!flag->repeatable && !values.empty()) return refused(name + " is given more than once");
    const auto next = argument + 1;
    const bool is_next = equals == std::string::npos && next != arguments.end() && !next->starts_with("--");
    if (!is_next && equals >= argument->size() - 1) return refused(name + " needs a value");
    values.push_back(is_next ? *++argument : argument->substr(equals + 1));
  }
  return given;
}

}  // namespace tcpdiag
