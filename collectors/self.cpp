// SPDX-License-Identifier: Apache-2.0
#include "collectors/self.h"

#include <unistd.h>

#include <limits>
#include <string>

#include "collectors/proc_pid.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr auto kFds = "/proc/self/fd";

tl::unexpected<Error> in(std::string_view directory, const Error& error) {
  return unexpected(error.code, std::string(directory) + error.detail);
}

Count count_open_fds(Source& source) {
  const auto size = source.size(kFds);
  if (size && *size > 0) return *size;
  // Before 6.2 the size is 0. The listing shows the descriptor that it is made through, too.
  const auto names = source.list(kFds);
  if (!names || names->empty()) return std::nullopt;
  return names->size() - 1;
}

}  // namespace

Result<std::uint64_t> parse_boot_time(std::string_view text) {
  while (!text.empty()) {
    const bool whole = text.find('\n') != std::string_view::npos;
    auto line = next_line(text);
    if (next_word(line) != "btime") continue;
    const auto seconds = to_number<std::uint64_t>(next_word(line));
    if (!whole || !seconds || !next_word(line).empty()) break;
    return *seconds;
  }
  return unexpected(Errc::malformed, "/proc/stat: no whole line 'btime'");
}

Result<SelfUsage> read_self_usage(Source& source) {
  const auto stat_text = source.read("/proc/self/stat");
  if (!stat_text) return tl::unexpected<Error>(stat_text.error());
  const auto stat = parse_pid_stat(*stat_text);
  if (!stat) return in("/proc/self/", stat.error());
  const auto limits_text = source.read("/proc/self/limits");
  if (!limits_text) return tl::unexpected<Error>(limits_text.error());
  const auto limits = parse_fd_limits(*limits_text);
  if (!limits) return in("/proc/self/", limits.error());
  const auto boot_time = source.read("/proc/stat").and_then(parse_boot_time);
  if (!boot_time) return tl::unexpected<Error>(boot_time.error());
  const auto page_size = source.page_size();
  if (page_size == 0 || stat->resident_pages > std::numeric_limits<std::uint64_t>::max() / page_size)
    return unexpected(Errc::malformed, "/proc/self/stat: more memory than there can be");

  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  SelfUsage usage;
  usage.pid = to_number<std::int32_t>(stat_text->substr(0, stat_text->find(' '))).value_or(0);
  usage.cpu_seconds =
      (static_cast<double>(stat->user_ticks) + static_cast<double>(stat->system_ticks)) / ticks_per_second;
  usage.start_time_seconds =
      static_cast<double>(*boot_time) + static_cast<double>(stat->start_ticks) / ticks_per_second;
  usage.resident_bytes = stat->resident_pages * page_size;
  usage.virtual_bytes = stat->virtual_bytes;
  usage.open_fds = count_open_fds(source);
  usage.max_fds = limits->soft;
  usage.threads = stat->threads;
  return usage;
}

}  // namespace tcpdiag
