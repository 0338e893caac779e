// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/wanted_settings.h"

#include <algorithm>
#include <bit>

#include "core/saturating.h"
#include "diagnosis/setting_facts.h"

namespace tcpdiag {

std::uint64_t larger_backlog(std::uint64_t limit) {
  constexpr std::uint64_t kMost = 65536;
  return std::bit_ceil(std::clamp<std::uint64_t>(std::min(limit, kMost) * 4, 1024, kMost));
}

std::int64_t wanted_somaxconn(std::int64_t now) {
  constexpr std::int64_t kKernels = 4096;
  return std::max(kKernels, static_cast<std::int64_t>(larger_backlog(saturating_cast<std::uint64_t>(now))));
}

Result<std::optional<std::int64_t>> half_of_connection_table(const Window& window) {
  using Number = std::optional<std::int64_t>;
  return number_if_any(window, "net.ipv4.tcp_ehash_entries").map([](const Number& entries) {
    return entries ? Number(saturating_abs(*entries) / 2) : Number();
  });
}

std::int64_t wanted_time_wait_buckets(const Window& window, std::int64_t now) {
  constexpr std::int64_t kUsual = 262144, kMost = 1 << 30;
  const auto table = half_of_connection_table(window);
  const auto kernels = table && *table ? **table : kUsual;
  if (now < kernels) return kernels;
  return std::min(saturating_multiply<std::int64_t>(now, 2), kMost);
}

std::optional<PortRange> wanted_port_range(PortRange now) {
  constexpr PortRange kKernels{32768, 60999}, kWide{10240, 65535}, kWidest{1024, 65535};
  const auto ports = [](PortRange range) { return range.last - range.first + 1; };
  for (const auto wider : {kKernels, kWide})
    if (ports(wider) * 2 >= ports(now) * 3) return wider;
  return ports(kWidest) > ports(now) ? std::optional(kWidest) : std::nullopt;
}

std::string sysctl_text(PortRange range) {
  return std::to_string(range.first) + " " + std::to_string(range.last);
}

}  // namespace tcpdiag
