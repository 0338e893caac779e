// SPDX-License-Identifier: Apache-2.0
#include "collectors/meminfo.h"

#include <limits>
#include <string>

#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr auto kPath = "/proc/meminfo";

/// What stands behind the name of a line, "16384256 kB", in bytes.
Count parse_bytes(std::string_view rest) {
  constexpr std::uint64_t kUnit = 1024;
  const auto number = to_number<std::uint64_t>(next_word(rest));
  const bool kilobytes = next_word(rest) == "kB" && next_word(rest).empty();
  if (!number || !kilobytes || *number > std::numeric_limits<std::uint64_t>::max() / kUnit)
    return std::nullopt;
  return *number * kUnit;
}

}  // namespace

Result<MemoryInfo> parse_meminfo(std::string_view text) {
  const auto malformed = [](std::string_view what) {
    return unexpected(Errc::malformed, std::string(kPath) + ": " + std::string(what));
  };
  if (!text.ends_with('\n')) return malformed("cut off: no newline at its end");
  MemoryInfo memory;
  while (!text.empty()) {
    auto line = next_line(text);
    const auto name = next_word(line);
    auto* const field = name == "MemTotal:"       ? &memory.total_bytes
                        : name == "MemAvailable:" ? &memory.available_bytes
                                                  : nullptr;
    if (field == nullptr) continue;
    *field = parse_bytes(line);
    if (!*field) return malformed("bad value of " + std::string(name.substr(0, name.size() - 1)));
  }
  if (!memory.total_bytes) return malformed("no MemTotal");
  return memory;
}

Result<MemoryInfo> read_meminfo(Source& source) {
  const auto text = source.read(kPath);
  if (!text) return tl::unexpected<Error>(text.error());
  return parse_meminfo(*text);
}

}  // namespace tcpdiag
