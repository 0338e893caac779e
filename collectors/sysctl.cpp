// SPDX-License-Identifier: Apache-2.0
#include "collectors/sysctl.h"

#include <algorithm>
#include <bitset>
#include <memory>
#include <string>

#include "collectors/text.h"

namespace tcpdiag {
namespace {

std::string path_of(const SysctlSpec& spec) {
  auto path = "/proc/sys/" + std::string(spec.name);
  std::ranges::replace(path, '.', '/');
  return path;
}

std::optional<std::vector<std::int64_t>> parse_numbers(std::string_view text, std::size_t count) {
  std::vector<std::int64_t> numbers;
  for (auto word = next_word(text); !word.empty(); word = next_word(text)) {
    const auto number = to_number<std::int64_t>(word);
    if (!number || numbers.size() == count) return std::nullopt;
    numbers.push_back(*number);
  }
  if (numbers.size() != count) return std::nullopt;
  return numbers;
}

bool is_word(std::string_view text) {
  constexpr std::size_t kMaxBytes = 64;
  return !text.empty() && text.size() <= kMaxBytes &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

// How many ports "8080,9000-9010" names; one that it names twice counts once.
std::optional<std::int64_t> count_ports(std::string_view list) {
  std::bitset<65536> ports;
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto range = list.substr(0, comma);
    const auto dash = range.find('-');
    const auto first = to_number<std::uint16_t>(range.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : to_number<std::uint16_t>(range.substr(dash + 1));
    if (!first || !last || *first > *last) return std::nullopt;
    for (std::size_t port = *first; port <= *last; ++port) ports.set(port);
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
    if (list.empty()) return std::nullopt;  // ends with a comma
  }
  return static_cast<std::int64_t>(ports.count());
}

Result<void> outcome_of(const Result<Settings>& settings) {
  if (!settings) return tl::unexpected<Error>(settings.error());
  if (settings->unread.empty()) return {};
  auto error = settings->unread.front().error;
  if (const auto others = settings->unread.size() - 1; others > 0)
    error.detail += " (and " + std::to_string(others) + " more)";
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace

Result<Sysctl> parse_sysctl(const SysctlSpec& spec, std::string_view text) {
  const auto malformed = [&](std::string_view what) {
    return unexpected(Errc::malformed, path_of(spec) + ": " + std::string(what));
  };
  if (!text.ends_with('\n')) return malformed("cut off: no newline at its end");
  text.remove_suffix(1);
  Sysctl sysctl{.name = spec.name};
  switch (spec.form) {
    case SysctlForm::numbers: {
      auto numbers = parse_numbers(text, spec.fields.size());
      if (!numbers) return malformed("not " + std::to_string(spec.fields.size()) + " numbers");
      sysctl.values = std::move(*numbers);
      break;
    }
    case SysctlForm::word:
      if (!is_word(text)) return malformed("not one word");
      break;
    case SysctlForm::ports: {
      const auto ports = count_ports(text);
      if (!ports) return malformed("not a list of ports");
      sysctl.values = {*ports};
      break;
    }
  }
  sysctl.text = text;
  return sysctl;
}

Result<Settings> read_settings(Source& source, SysctlScope widest) {
  Settings settings;
  for (const auto& spec : sysctl_table()) {
    if (spec.scope == SysctlScope::machine && widest == SysctlScope::netns) continue;
    auto sysctl = source.read(path_of(spec)).and_then([&](const std::string& text) {
      return parse_sysctl(spec, text);
    });
    if (sysctl)
      settings.sysctls.push_back(std::move(*sysctl));
    else if (sysctl.error().code != Errc::missing)
      settings.unread.push_back({spec.name, std::move(sysctl.error())});
  }
  if (!settings.sysctls.empty()) return settings;
  if (!settings.unread.empty()) return tl::unexpected<Error>(settings.unread.front().error);
  return unexpected(Errc::missing, "/proc/sys: none of the sysctls is there");
}

Collector make_settings_collector(std::size_t netns_index) {
  const auto widest = netns_index == 0 ? SysctlScope::machine : SysctlScope::netns;
  const auto store_in = [netns_index](Snapshot& snapshot, Section<Settings> section) {
    snapshot.namespaces[netns_index].settings = std::move(section);
  };
  return {.run = [store_in, widest](const Reading& reading) -> Collected {
            auto settings = read_settings(reading.source, widest);
            auto outcome = outcome_of(settings);
            Result<std::shared_ptr<const Settings>> share = std::move(settings).map(
                [](Settings&& value) { return std::make_shared<const Settings>(std::move(value)); });
            auto store = [store_in, share = std::move(share), at = reading.now](Snapshot& snapshot) {
              store_in(snapshot, {share, at});
            };
            return {std::move(store), std::move(outcome)};
          },
          .forget = [store_in](Snapshot& snapshot) { store_in(snapshot, {}); }};
}

}  // namespace tcpdiag
