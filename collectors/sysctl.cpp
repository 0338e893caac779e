// SPDX-License-Identifier: Apache-2.0
#include "collectors/sysctl.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "core/ephemeral_ports.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

std::string path_of(const SysctlSpec& spec) {
  auto path = "/proc/sys/" + std::string(spec.name);
  std::ranges::replace(path, '.', '/');
  return path;
}

// A number beyond 2^63, such as fs.file-max where systemd 240 to 242 wrote ULONG_MAX, is as good as 2^63 - 1.
std::optional<std::int64_t> parse_number(std::string_view word) {
  if (const auto number = to_number<std::int64_t>(word)) return number;
  if (to_number<std::uint64_t>(word)) return std::numeric_limits<std::int64_t>::max();
  return std::nullopt;
}

std::optional<std::vector<std::int64_t>> parse_numbers(std::string_view text, std::size_t count) {
  std::vector<std::int64_t> numbers;
  for (auto word = next_word(text); !word.empty(); word = next_word(text)) {
    const auto number = parse_number(word);
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
      const auto ports = parse_port_list(text);
      if (!ports) return malformed("not a list of ports");
      sysctl.values = {static_cast<std::int64_t>(ports->count())};
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

Result<void> shortfall(const Settings& settings) {
  if (settings.unread.empty()) return {};
  auto error = settings.unread.front().error;
  if (const auto others = settings.unread.size() - 1; others > 0)
    error.detail += " (and " + std::to_string(others) + " more)";
  return tl::unexpected<Error>(std::move(error));
}

Result<Settings> SettingsReader::operator()(const Reading& reading) const {
  return read_settings(reading.source,
                       reading.netns_id == NetnsId::host ? SysctlScope::machine : SysctlScope::netns);
}

}  // namespace tcpdiag
