// SPDX-License-Identifier: Apache-2.0
// What the values of the commands' flags may be. The detail of an error is the whole line for the user.
#pragma once

#include <charconv>
#include <chrono>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/daemon_answer.h"
#include "core/result.h"
#include "daemon/flags.h"
#include "daemon/option_value.h"

namespace tcpdiag {

inline constexpr std::string_view kNetns = "--netns";

/// "--netns NETNS", several times.
FlagSpec netns_flag();

tl::unexpected<Error> refused(std::string line);

/// Seconds, or a number with a unit: from 100 ms to a day.
Result<std::chrono::milliseconds> parse_duration(const std::string& text);

/// What --netns is given: names as they are shown, patterns and paths. None: it is not there.
Result<std::vector<std::string>> parse_namespaces(const GivenFlags& given);

/// What runs with these options, once --netns and, where they have one, --duration are taken into them.
template <class Options>
Result<Action> run_where_given(const GivenFlags& given, int (*run)(const Options&), Options options) {
  if constexpr (requires { options.duration; }) {
    if (const auto flag = given.find("--duration"); flag != given.end()) {
      const auto duration = parse_duration(flag->second.front());
      if (!duration) return tl::unexpected<Error>(duration.error());
      options.duration = *duration;
    }
  }
  auto namespaces = parse_namespaces(given);
  if (!namespaces) return tl::unexpected<Error>(namespaces.error());
  options.namespaces = std::move(*namespaces);
  return Run<Options>{run, std::move(options)};
}

inline constexpr std::string_view kHttpConfigFile = "--http.config.file";

/// The daemon that --url names, with --http.config.file; none: it is not there. It looks all the time, so
/// --duration and --netns are refused beside it.
Result<DaemonAddress> parse_daemon(const GivenFlags& given);

/// The directory that `command` is given.
Result<std::filesystem::path> parse_directory(const GivenFlags& given, const std::string& command);

/// A whole number from 1 to the type's largest.
template <class Number>
Result<Number> parse_number(const std::string& name, const std::string& text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1)
    return refused(name + " is " + quote(text) + "; allowed: 1 to " +
                   std::to_string(std::numeric_limits<Number>::max()));
  return number;
}

}  // namespace tcpdiag
