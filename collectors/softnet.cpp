// SPDX-License-Identifier: Apache-2.0
#include "collectors/softnet.h"

#include <string>

#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr auto kPath = "/proc/net/softnet_stat";
constexpr std::size_t kCpuColumn = 12;  // counted from 0
constexpr std::size_t kMinColumns = 9;  // Linux 2.6

// One line; its columns may be more than we know. Empty when a column is no number.
std::optional<SoftnetCpu> parse_cpu(std::string_view line, std::size_t line_index) {
  SoftnetCpu cpu{.cpu = static_cast<std::uint32_t>(line_index)};
  std::size_t column = 0;
  for (auto word = next_word(line); !word.empty(); word = next_word(line), ++column) {
    const auto value = to_number<std::uint32_t>(word, 16);
    if (!value) return std::nullopt;
    switch (column) {
      case 0: cpu.processed = *value; break;
      case 1: cpu.dropped = *value; break;
      case 2: cpu.time_squeezed = *value; break;
      case kCpuColumn: cpu.cpu = *value; break;
      default: break;
    }
  }
  if (column < kMinColumns) return std::nullopt;
  return cpu;
}

}  // namespace

Result<Softnet> parse_softnet(std::string_view text) {
  if (!text.ends_with('\n'))
    return unexpected(Errc::malformed, std::string(kPath) + ": cut off: no newline at its end");
  Softnet softnet;
  while (!text.empty()) {
    const auto cpu = parse_cpu(next_line(text), softnet.cpus.size());
    if (!cpu)
      return unexpected(
          Errc::malformed,
          std::string(kPath) + ": line " + std::to_string(softnet.cpus.size() + 1) + " is not as documented");
    softnet.cpus.push_back(*cpu);
  }
  return softnet;
}

Result<Softnet> SoftnetReader::operator()(const Reading& reading) {
  const auto text = reading.source.read(kPath);
  if (!text) return tl::unexpected<Error>(text.error());
  auto softnet = parse_softnet(*text);
  if (!softnet) return softnet;
  const auto count_on = [](WrappingCounter& counter, std::uint64_t& value) {
    value = counter.advance(static_cast<std::uint32_t>(value));
  };
  for (auto& cpu : softnet->cpus) {
    auto& counters = cpus_[cpu.cpu];
    count_on(counters.processed, cpu.processed);
    count_on(counters.dropped, cpu.dropped);
    count_on(counters.time_squeezed, cpu.time_squeezed);
  }
  return softnet;
}

}  // namespace tcpdiag
