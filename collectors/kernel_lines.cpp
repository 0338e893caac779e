// SPDX-License-Identifier: Apache-2.0
// Matched by hand: std::regex recurses once for each character, and a line can be thousands long.
//
// Any user chooses parts of some lines: "COMM[PID]: segfault at 0 ip ... in FILE[...]". Each form is
// therefore matched from the line's beginning, up to behind what no name can hold, and where it has an end,
// up to that.
#include "collectors/kernel_lines.h"

#include <algorithm>
#include <string>

#include "core/text.h"

namespace tcpdiag {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_name(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Takes `literal` off the front of `text`, or leaves `text` alone.
bool take(std::string_view& text, std::string_view literal) {
  if (!text.starts_with(literal)) return false;
  text.remove_prefix(literal.size());
  return true;
}

// Takes the longest run of such characters off the front; it may be empty.
template <class Predicate>
std::string_view take_while(std::string_view& text, Predicate wanted) {
  const auto end = std::ranges::find_if_not(text, wanted);
  const auto taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

bool take_number(std::string_view& text) { return !take_while(text, is_digit).empty(); }

// Takes a name of any characters, as processes and devices have them, and the literal that follows it.
bool take_name(std::string_view& text, std::string_view literal) {
  constexpr std::size_t kMaxBytes = 16;
  for (std::size_t length = 1; length <= kMaxBytes && length < text.size(); ++length) {
    if (!text.substr(length).starts_with(literal)) continue;
    text.remove_prefix(length + literal.size());
    return true;
  }
  return false;
}

// "[2001:db8::1]:443", "10.0.0.1:443", and before 6.2 the port alone.
bool take_endpoint(std::string_view& text, KernelEvent& event) {
  constexpr std::size_t kMaxAddress = 45;  // INET6_ADDRSTRLEN less its terminator
  if (take(text, "[")) {
    event.address = take_while(text, [](char c) { return is_hex(c) || c == ':' || c == '.'; });
    if (event.address.empty() || event.address.size() > kMaxAddress || !take(text, "]:")) return false;
  } else if (auto rest = text; !take_while(rest, [](char c) { return is_digit(c) || c == '.'; }).empty() &&
                               rest.starts_with(':')) {
    const auto address = text.substr(0, text.size() - rest.size());
    if (std::ranges::count(address, '.') != 3) return false;
    for (auto octets = address; !octets.empty();) {
      const auto octet = take_while(octets, is_digit);
      if (octet.empty() || octet.size() > 3 || (!octets.empty() && !take(octets, "."))) return false;
    }
    if (address.ends_with('.')) return false;
    event.address = address;
    text = rest.substr(1);
  }
  const auto port = to_number<std::uint16_t>(take_while(text, is_digit));
  if (!port) return false;
  event.port = *port;
  return true;
}

// Since 2.6, with changing prefixes: the protocol's name, later that of its request sockets.
bool is_syn_flood(std::string_view text, KernelEvent& event) {
  take(text, "TCP: ");
  if (auto rest = text; take(rest, "request_sock_")) {
    if (take_while(rest, is_name).empty() || !take(rest, ": ")) return false;
    text = rest;
  } else if (!take(text, "TCP: ")) {
    take(text, "TCPv6: ");
  }
  if (!take(text, "Possible") && !take(text, "possible")) return false;
  if (!take(text, " SYN flooding on port ") || !take_endpoint(text, event) || !take(text, ".")) return false;
  if (take(text, " Sending cookies."))
    event.cookies = true;
  else if (take(text, " Dropping request."))
    event.cookies = false;
  if (take(text, " ")) {
    take(text, " ");
    if (!take(text, "Check SNMP counters.")) return false;
  }
  return text.empty();
}

bool is_tcp_memory(std::string_view text, KernelEvent&) {
  take(text, "TCP: ");
  return text == "out of memory -- consider tuning tcp_mem" || text == "Out of socket memory";
}

bool is_orphans(std::string_view text, KernelEvent&) {
  take(text, "TCP: ");
  return text == "too many orphaned sockets" || text == "too many of orphaned sockets";
}

// Up to 2.6; "(CT101)" names a container of Virtuozzo.
bool is_time_wait_overflow(std::string_view text, KernelEvent&) {
  if (!take(text, "TCP: time wait bucket table overflow")) return false;
  return text.empty() || (take(text, " (CT") && take_number(text) && text == ")");
}

bool is_conntrack_full(std::string_view text, KernelEvent&) {
  if (take(text, "nf_conntrack: ")) {
    take(text, "nf_conntrack: ");
    take(text, "ip_conntrack: ");
    if (!take(text, "table full")) return false;
    if (take(text, " in netns ") && !take_number(text)) return false;
  } else if (!take(text, "ip_conntrack: table full")) {
    return false;
  }
  return text == ", dropping packet" || text == ", dropping packet.";
}

bool is_conntrack_expectations_full(std::string_view text, KernelEvent&) {
  if (!take(text, "nf_conntrack: ")) return false;
  take(text, "nf_conntrack: ");
  return text == "expectation table full";
}

bool is_file_max(std::string_view text, KernelEvent&) {
  return take(text, "VFS: file-max limit ") && take_number(text) && text == " reached";
}

bool is_neighbour_table(std::string_view text, KernelEvent&) {
  for (const auto* family : {"ipv4", "ipv6", "IPv4", "IPv6"})
    if (auto rest = text; take(rest, family) && take(rest, ": Neighbour table overflow"))
      return rest.empty() || rest == ".";
  if (text == "Neighbour table overflow.") return true;
  take(text, "neighbour: ");
  return !take_while(text, is_name).empty() && text == ": neighbor table overflow!";
}

bool is_open_request_dropped(std::string_view text, KernelEvent&) {
  return take(text, "TCP: drop open request from ") &&
         !take_while(text, [](char c) { return is_hex(c) || c == '.' || c == ':'; }).empty() &&
         take(text, "/") && take_number(text) && text.empty();
}

// Up to 2.6 with another name.
bool is_messages_suppressed(std::string_view text, KernelEvent&) {
  return (take(text, "net_ratelimit: ") || take(text, "__ratelimit: ")) && take_number(text) &&
         text == " callbacks suppressed";
}

bool is_window_scaling(std::string_view text, KernelEvent&) {
  if (!take(text, "TCP: tcp_parse_options: Illegal window scaling value ") || !take_number(text))
    return false;
  take(text, " ");
  if (!take(text, ">")) return false;
  take(text, " ");
  return take_number(text) && text == " received";
}

// Up to 2.6 with a full stop in its middle.
bool is_page_allocation(std::string_view text, KernelEvent&) {
  return (take_name(text, ": page allocation failure: order:") ||
          take_name(text, ": page allocation failure. order:")) &&
         take_number(text) && take(text, ", mode:0x") && !text.empty() && is_hex(text.front());
}

bool is_out_of_memory_kill(std::string_view text, KernelEvent&) {
  if (!take(text, "Memory cgroup out of memory") && !take(text, "Out of memory")) return false;
  take(text, " (oom_kill_allocating_task)");
  if (!take(text, ": Killed process ") && !take(text, ": Kill process ") && !take(text, ": kill process "))
    return false;
  return take_number(text) && take(text, " (") && take_name(text, ")");
}

bool is_suspect_gro(std::string_view text, KernelEvent&) {
  return take(text, "TCP: ") &&
         take_name(text, ": Driver has suspect GRO implementation, TCP performance may be compromised.") &&
         text.empty();
}

bool is_word(char c) { return c != ' '; }

// "e1000e 0000:00:1f.6 eth0: ", since 6.10; a device without a parent has its own name alone.
bool take_device(std::string_view& text) {
  constexpr int kMaxWords = 3;
  for (int words = 1; words <= kMaxWords; ++words) {
    const auto word = take_while(text, is_word);
    if (!take(text, " ") || word.empty()) return false;
    if (word.ends_with(':')) return word.size() > 1;
  }
  return false;
}

// How long it waited is said since 6.2.
bool is_netdev_watchdog(std::string_view text, KernelEvent&) {
  if (take(text, "NETDEV WATCHDOG: ")) {
    if (take_while(text, is_word).empty() || !take(text, " (")) return false;
    take_while(text, [](char c) { return c != ' ' && c != ')'; });  // the driver, where it is known
    if (!take(text, ")")) return false;
  } else if (!take_device(text) || !take(text, "NETDEV WATCHDOG: CPU: ") || !take_number(text)) {
    return false;
  }
  if (!take(text, ": transmit queue ") || !take_number(text) || !take(text, " timed out")) return false;
  return text.empty() || (take(text, " ") && take_number(text) && text == " ms");
}

// "COMM[PID]: segfault at ...": about a process, and after its name come others that users chose.
bool is_about_process(std::string_view text) {
  constexpr std::size_t kMaxBytes = 32;
  const auto begin = text.substr(0, kMaxBytes);
  for (auto end = begin.find("]: "); end != std::string_view::npos; end = begin.find("]: ", end + 1)) {
    const auto before = begin.substr(0, end);
    const auto name = before.substr(0, before.find_last_not_of("0123456789") + 1);
    if (name.size() < before.size() && name.ends_with('[')) return true;
  }
  return false;
}

struct Line {
  KernelEventKind kind;
  bool (*matches)(std::string_view text, KernelEvent& event);
};

constexpr Line kLines[] = {
    {KernelEventKind::syn_flood, is_syn_flood},
    {KernelEventKind::tcp_memory, is_tcp_memory},
    {KernelEventKind::orphans, is_orphans},
    {KernelEventKind::time_wait_overflow, is_time_wait_overflow},
    {KernelEventKind::conntrack_full, is_conntrack_full},
    {KernelEventKind::conntrack_expectations_full, is_conntrack_expectations_full},
    {KernelEventKind::file_max, is_file_max},
    {KernelEventKind::neighbour_table, is_neighbour_table},
    {KernelEventKind::open_request_dropped, is_open_request_dropped},
    {KernelEventKind::messages_suppressed, is_messages_suppressed},
    {KernelEventKind::window_scaling, is_window_scaling},
    {KernelEventKind::page_allocation, is_page_allocation},
    {KernelEventKind::out_of_memory_kill, is_out_of_memory_kill},
    {KernelEventKind::suspect_gro, is_suspect_gro},
    {KernelEventKind::netdev_watchdog, is_netdev_watchdog},
};
static_assert(std::size(kLines) == kKernelEventKinds);

}  // namespace

std::optional<KernelEvent> classify_kernel_line(std::string_view line) {
  if (is_about_process(line)) return std::nullopt;
  for (const auto& candidate : kLines) {
    KernelEvent event{.kind = candidate.kind};
    if (candidate.matches(line, event)) return event;
  }
  return std::nullopt;
}

}  // namespace tcpdiag
