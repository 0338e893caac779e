// SPDX-License-Identifier: Apache-2.0
#include "collectors/proc_pid.h"

#include <algorithm>

#include "collectors/source.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

// Takes `count` words that do not matter; some of them are negative numbers.
void skip_words(std::string_view& text, int count) {
  for (; count > 0; --count) next_word(text);
}

template <class T>
bool take(std::string_view& text, T& into) {
  const auto value = to_number<T>(next_word(text));
  if (value) into = *value;
  return value.has_value();
}

template <class Number>
Result<std::vector<Number>> read_numbers(Source& source, const std::string& directory) {
  return source.list(directory).map([](const std::vector<std::string>& names) {
    std::vector<Number> numbers;
    for (const auto& name : names)
      if (const auto number = to_number<Number>(name); number && *number >= 0) numbers.push_back(*number);
    std::ranges::sort(numbers);
    return numbers;
  });
}

}  // namespace

std::string pid_directory(std::int32_t pid) { return "/proc/" + std::to_string(pid); }

Result<std::vector<std::int32_t>> read_pids(Source& source) {
  return read_numbers<std::int32_t>(source, "/proc");
}

Result<std::vector<std::uint32_t>> read_fds(Source& source, std::int32_t pid) {
  return read_numbers<std::uint32_t>(source, pid_directory(pid) + "/fd");
}

Result<PidStat> parse_pid_stat(std::string_view text) {
  const auto malformed = [] { return unexpected(Errc::malformed, "stat: not as documented"); };
  // A name may hold ") S 1", but nothing after it holds a parenthesis.
  const auto open = text.find(" (");
  const auto close = text.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2 ||
      !text.ends_with('\n'))
    return malformed();

  PidStat stat;
  stat.comm = text.substr(open + 2, close - open - 2);
  auto rest = text.substr(close + 2);
  const auto state = next_word(rest);
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  if (state.size() != 1 || !is_letter(state.front())) return malformed();
  stat.state = state.front();
  constexpr std::uint32_t kKernelThread = 0x00200000, kExiting = 0x4;  // PF_..., include/linux/sched.h
  skip_words(rest, 5);                                                 // ppid .. tpgid
  std::uint32_t flags = 0;
  if (!take(rest, flags)) return malformed();
  stat.kernel_thread = (flags & kKernelThread) != 0;
  stat.exiting = (flags & kExiting) != 0;
  skip_words(rest, 4);  // minflt .. cmajflt
  if (!take(rest, stat.user_ticks) || !take(rest, stat.system_ticks)) return malformed();
  skip_words(rest, 4);  // cutime .. nice
  if (!take(rest, stat.threads)) return malformed();
  skip_words(rest, 1);  // itrealvalue
  if (!take(rest, stat.start_ticks) || !take(rest, stat.virtual_bytes) || !take(rest, stat.resident_pages))
    return malformed();
  return stat;
}

std::string parse_wait_channel(std::string_view text) {
  constexpr std::size_t kLongest =
      128;  // KSYM_NAME_LEN was that for long, and no name of a function is longer
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  const auto name = next_word(text);
  if (name == "0" || name.size() > kLongest || !next_word(text).empty() ||
      name.find_first_not_of(kLetters) != std::string_view::npos)
    return {};
  return std::string(name);
}

std::optional<std::uint32_t> parse_pid_user(std::string_view text) {
  constexpr std::string_view kName = "Uid:";
  while (!text.empty()) {
    auto line = next_line(text);
    if (!line.starts_with(kName)) continue;
    line.remove_prefix(kName.size());
    const auto real = next_word(line);
    // Behind it stand the effective one and two more: so it is whole.
    return line.empty() ? std::nullopt : to_number<std::uint32_t>(real);
  }
  return std::nullopt;
}

std::optional<std::int32_t> parse_pid_parent(std::string_view text) {
  constexpr std::string_view kName = "PPid:";
  while (text.find('\n') != std::string_view::npos) {  // a line without its end may be cut off
    auto line = next_line(text);
    if (!line.starts_with(kName)) continue;
    line.remove_prefix(kName.size());
    return to_number<std::int32_t>(trimmed(line, " \t"));
  }
  return std::nullopt;
}

std::optional<std::uint32_t> parse_socket_link(std::string_view text) {
  constexpr std::string_view kBefore = "socket:[";
  if (!text.starts_with(kBefore) || !text.ends_with(']')) return std::nullopt;
  return to_number<std::uint32_t>(text.substr(kBefore.size(), text.size() - kBefore.size() - 1));
}

Result<FdLimits> parse_fd_limits(std::string_view text) {
  constexpr std::string_view kName = "Max open files ";
  while (!text.empty()) {
    const bool whole = text.find('\n') != std::string_view::npos;
    auto line = next_line(text);
    if (!line.starts_with(kName)) continue;
    line.remove_prefix(kName.size());
    FdLimits limits;
    for (auto* limit : {&limits.soft, &limits.hard}) {
      const auto word = next_word(line);
      if (word == "unlimited") continue;
      *limit = to_number<std::uint64_t>(word);
      if (!*limit) return unexpected(Errc::malformed, "limits: bad value for 'Max open files'");
    }
    if (!whole || next_word(line) != "files") break;
    return limits;
  }
  return unexpected(Errc::malformed, "limits: no whole line 'Max open files'");
}

}  // namespace tcpdiag
