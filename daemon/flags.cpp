// SPDX-License-Identifier: Apache-2.0
// The only file that includes CLI11: it takes seconds to compile.
#include "daemon/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "daemon/nearest_name.h"
#include "daemon/option_value.h"

namespace tcpdiag {
namespace {

tl::unexpected<Error> refused(std::string line) { return unexpected(Errc::malformed, std::move(line)); }

tl::unexpected<Error> unknown(const std::string& argument, std::span<const FlagSpec> known) {
  if (!argument.starts_with('-')) return refused("unexpected argument " + quote(argument));
  std::vector<std::string> names;
  for (const auto& flag : known) names.push_back(flag.name);
  const auto name = argument.substr(0, argument.find('='));
  const auto nearest = nearest_name(name, names);
  return refused(
      "unknown flag " + quote(name) +
      (nearest.empty() ? "; --help shows the known ones" : "; did you mean " + quote(nearest) + "?"));
}

bool is_value_flag(const std::string& name, std::span<const FlagSpec> known) {
  return std::any_of(known.begin(), known.end(),
                     [&](const FlagSpec& flag) { return flag.name == name && flag.takes_value; });
}

}  // namespace

Result<GivenFlags> parse_flags(const std::vector<std::string>& arguments, std::span<const FlagSpec> known,
                               std::size_t operands) {
  for (const auto& argument : arguments) {
    // CLI11 would take the next argument for the value
    if (argument.ends_with('=') && is_value_flag(argument.substr(0, argument.size() - 1), known))
      return refused(argument.substr(0, argument.size() - 1) + " needs a value");
  }
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::map<std::string, CLI::Option*> options;
  for (const auto& flag : known) {
    auto* option = flag.takes_value ? app.add_option(flag.name) : app.add_flag(flag.name);
    if (flag.takes_value) option->expected(1);  // for each time that it is given
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    options[flag.name] = option;
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    const std::string what = error.what();
    const auto flag = what.substr(0, what.find_first_of(": "));
    return refused(options.contains(flag) ? flag + " needs a value" : what.substr(0, what.find('\n')));
  }

  GivenFlags given;
  for (const auto& argument : app.remaining()) {
    if (argument.starts_with('-') || operands == 0) return unknown(argument, known);
    --operands;
    given[std::string(kOperands)].push_back(argument);
  }
  for (const auto& flag : known) {
    const auto& option = *options[flag.name];
    if (option.count() == 0) continue;
    auto values = option.results();
    if (flag.takes_value && !flag.repeatable && values.size() > 1)
      return refused(flag.name + " is given more than once");
    if (!flag.takes_value && values != std::vector<std::string>(values.size(), "true"))
      return refused(flag.name + " takes no value");
    given[flag.name] = flag.takes_value ? std::move(values) : std::vector<std::string>{};
  }
  return given;
}

}  // namespace tcpdiag
