// SPDX-License-Identifier: Apache-2.0
#include "collectors/sockstat.h"

#include <limits>
#include <string>

#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr auto kSockstat = "/proc/net/sockstat";
constexpr auto kSockstat6 = "/proc/net/sockstat6";

struct Field {
  std::string_view name;
  Count SocketUsage::* member;
};

constexpr Field kFields[] =
    {
        {"inuse", &SocketUsage::tcp_in_use}, {"orphan", &SocketUsage::orphans},
        {"tw", &SocketUsage::time_wait},     {"alloc", &SocketUsage::allocated},
        {"mem", &SocketUsage::memory_bytes},  // in pages until the end of parse_socket_usage
};
constexpr Field kFields6[] = {{"inuse", &SocketUsage::tcp6_in_use}};

Result<void> parse_into(std::string_view where, std::string_view text, std::string_view group,
                        std::span<const Field> fields, SocketUsage& usage) {
  const auto malformed = [&](std::string_view what) {
    return unexpected(Errc::malformed, std::string(where) + ": " + std::string(what));
  };
  if (!text.ends_with('\n')) return malformed("cut off: no newline at its end");
  while (!text.empty()) {
    auto line = next_line(text);
    if (next_word(line) != group) continue;
    for (auto name = next_word(line); !name.empty(); name = next_word(line)) {
      const auto word = next_word(line);
      const auto value = to_number<std::uint64_t>(word);
      if (!value) return malformed("bad value '" + std::string(word) + "' for " + std::string(name));
      for (const auto& field : fields)
        if (field.name == name) usage.*field.member = value;
    }
    return {};
  }
  return malformed("no line '" + std::string(group) + "'");
}

}  // namespace

Result<SocketUsage> parse_socket_usage(std::string_view sockstat, std::string_view sockstat6,
                                       std::uint64_t page_size) {
  SocketUsage usage;
  if (auto parsed = parse_into(kSockstat, sockstat, "TCP:", kFields, usage); !parsed)
    return tl::unexpected<Error>(parsed.error());
  if (!sockstat6.empty())
    if (auto parsed = parse_into(kSockstat6, sockstat6, "TCP6:", kFields6, usage); !parsed)
      return tl::unexpected<Error>(parsed.error());
  if (usage.memory_bytes) {
    if (page_size == 0 || *usage.memory_bytes > std::numeric_limits<std::uint64_t>::max() / page_size)
      return unexpected(Errc::malformed, std::string(kSockstat) + ": more memory than there can be");
    *usage.memory_bytes *= page_size;
    usage.page_bytes = page_size;
  }
  return usage;
}

Result<SocketUsage> read_socket_usage(Source& source) {
  const auto sockstat = source.read(kSockstat);
  if (!sockstat) return tl::unexpected<Error>(sockstat.error());
  auto sockstat6 = source.read(kSockstat6);
  if (!sockstat6 && sockstat6.error().code != Errc::missing) return tl::unexpected<Error>(sockstat6.error());
  if (sockstat6 && sockstat6->empty())
    return unexpected(Errc::malformed, std::string(kSockstat6) + ": empty");
  return parse_socket_usage(*sockstat, sockstat6 ? std::string_view(*sockstat6) : "", source.page_size());
}

}  // namespace tcpdiag
