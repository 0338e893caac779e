// SPDX-License-Identifier: Apache-2.0
#include "core/sysctls.h"

#include <algorithm>
#include <limits>

#include "core/ephemeral_ports.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kOne[] = {""};
constexpr std::string_view kRange[] = {"low", "high"};
constexpr std::string_view kBuffer[] = {"min", "default", "max"};
constexpr std::string_view kMemory[] = {"low", "pressure", "max"};
constexpr std::string_view kPorts[] = {"ports"};

constexpr auto kNumbers = SysctlForm::numbers;
constexpr auto kNetns = SysctlScope::netns;
constexpr auto kMachine = SysctlScope::machine;

// From the kernel's own tables (net/ipv4/sysctl_net_ipv4.c, net/core/sysctl_net_core.c, fs/file_table.c).
constexpr std::int64_t kMostInt = std::numeric_limits<std::int32_t>::max();
constexpr SysctlBounds kInt = {.least = std::numeric_limits<std::int32_t>::min(), .most = kMostInt};
constexpr SysctlBounds kNotNegative = {.least = 0, .most = kMostInt};
constexpr SysctlBounds kPositive = {.least = 1, .most = kMostInt};
constexpr SysctlBounds kByte = {.least = 0, .most = 255, .since_5_14 = true};
// Kept in ticks, of which a second has 24 (MIPS) to 1024.
constexpr SysctlBounds kSeconds = {.least = kInt.least, .most = kMostInt / 24};

// A new sysctl is one row here. One that became a namespace's own only lately counts as such: an older
// kernel does not show it in other namespaces, and there it is absent.
constexpr SysctlSpec kTable[] = {
    // accept and SYN queues
    {"net.core.somaxconn", kNumbers, kNetns, kOne, "connections",
     "Upper bound of the backlog that listen() gets; a listener keeps the one it got until it calls listen() "
     "again.",
     kNotNegative},
    {"net.ipv4.tcp_max_syn_backlog", kNumbers, kNetns, kOne, "connections",
     "With tcp_syncookies=0, SYNs are dropped from three quarters of it up; no effect otherwise.", kInt},
    {"net.ipv4.tcp_syncookies", kNumbers, kNetns, kOne, "",
     "What happens when a SYN queue is full: 0 drops the SYN, 1 answers with a cookie, 2 always answers with "
     "one.",
     kByte},
    {"net.ipv4.tcp_abort_on_overflow", kNumbers, kNetns, kOne, "",
     "Whether a handshake that finds the accept queue full is reset (1) or left to retry (0).", kByte},
    {"net.ipv4.tcp_synack_retries", kNumbers, kNetns, kOne, "retries",
     "How often an unanswered SYN-ACK is sent again before the kernel gives up on the half-open connection.",
     kByte},
    {"net.ipv4.tcp_migrate_req",
     kNumbers,
     kNetns,
     kOne,
     "",
     "Whether waiting connections of a closed SO_REUSEPORT listener move to another member of its group.",
     {.least = 0, .most = 1}},
    {"net.ipv4.tcp_fastopen", kNumbers, kNetns, kOne, "",
     "TCP Fast Open as a bit mask: 1 as a client, 2 as a server.", kInt},
    // connecting
    {"net.ipv4.tcp_syn_retries",
     kNumbers,
     kNetns,
     kOne,
     "retries",
     "How often an unanswered SYN is sent again before connect() fails.",
     {.least = 1, .most = 127}},
    {"net.ipv4.tcp_syn_linear_timeouts",
     kNumbers,
     kNetns,
     kOne,
     "retries",
     "How many of the first SYN retries are a second apart, before the wait starts to double.",
     {.least = 0, .most = 127}},
    {"net.ipv4.ip_local_port_range",
     kNumbers,
     kNetns,
     kRange,
     "port",
     "First and last of the ports that the kernel picks local ports from.",
     {.least = 1, .most = 65535, .ascending = true}},
    {"net.ipv4.ip_local_reserved_ports", SysctlForm::ports, kNetns, kPorts, "ports",
     "Ports that the kernel never picks as local ports."},
    {"net.ipv4.tcp_tw_reuse",
     kNumbers,
     kNetns,
     kOne,
     "",
     "Whether connect() may take over a port in TIME_WAIT: 0 never, 1 yes, 2 on loopback only; needs "
     "timestamps.",
     {.least = 0, .most = 2}},
    {"net.ipv4.tcp_tw_reuse_delay", kNumbers, kNetns, kOne, "milliseconds",
     "How long a connection must have been in TIME_WAIT before tcp_tw_reuse applies to it.", kPositive},
    {"net.ipv4.tcp_timestamps", kNumbers, kNetns, kOne, "",
     "TCP timestamps (RFC 7323): 0 off, 1 with a random offset for each connection, 2 without.", kByte},
    // keeping and closing
    {"net.ipv4.tcp_keepalive_time", kNumbers, kNetns, kOne, "seconds",
     "Idle time before the first keep-alive probe of a connection with SO_KEEPALIVE.", kSeconds},
    {"net.ipv4.tcp_keepalive_intvl", kNumbers, kNetns, kOne, "seconds",
     "Time between unanswered keep-alive probes.", kSeconds},
    {"net.ipv4.tcp_keepalive_probes", kNumbers, kNetns, kOne, "probes",
     "How many unanswered keep-alive probes end a connection.", kByte},
    {"net.ipv4.tcp_fin_timeout", kNumbers, kNetns, kOne, "seconds",
     "How long a connection that no process holds stays in FIN_WAIT2; TIME_WAIT always lasts 60 s.",
     kSeconds},
    {"net.ipv4.tcp_max_tw_buckets", kNumbers, kNetns, kOne, "sockets",
     "How many sockets may be in TIME_WAIT; connections beyond that close without it.", kInt},
    {"net.ipv4.tcp_ehash_entries", kNumbers, kNetns, kOne, "buckets",
     "Size of the hash table of connections, from which the kernel derives its defaults for "
     "tcp_max_tw_buckets and tcp_max_orphans; negative in a namespace that shares the table of the first "
     "one."},
    {"net.ipv4.tcp_max_orphans", kNumbers, kMachine, kOne, "sockets",
     "How many sockets that no process holds may exist; those beyond that are reset, some from a quarter of "
     "it up.",
     kInt},
    {"net.ipv4.tcp_orphan_retries", kNumbers, kNetns, kOne, "retries",
     "How often a socket that no process holds sends again before the kernel gives up on it; 0 means 8.",
     kByte},
    {"net.ipv4.tcp_retries2", kNumbers, kNetns, kOne, "retries",
     "How often unacknowledged data is sent again before the connection times out.", kByte},
    // memory
    {"net.ipv4.tcp_mem", kNumbers, kMachine, kMemory, "pages",
     "Memory of all TCP buffers: above pressure they shrink until it is below low again; beyond max, sockets "
     "are refused memory."},
    {"net.ipv4.tcp_rmem", kNumbers, kNetns, kBuffer, "bytes",
     "Receive buffer of a TCP socket: what it keeps under pressure, starts with, and can grow to by itself.",
     kPositive},
    {"net.ipv4.tcp_wmem", kNumbers, kNetns, kBuffer, "bytes",
     "Send buffer of a TCP socket: what it keeps under pressure, starts with, and can grow to by itself.",
     kPositive},
    {"net.core.rmem_max", kNumbers, kMachine, kOne, "bytes",
     "Largest receive buffer that SO_RCVBUF can ask for.", kPositive},
    {"net.core.wmem_max", kNumbers, kMachine, kOne, "bytes",
     "Largest send buffer that SO_SNDBUF can ask for.", kPositive},
    {"net.core.rmem_default", kNumbers, kMachine, kOne, "bytes",
     "Receive buffer that sockets of other protocols start with; TCP uses tcp_rmem instead.", kPositive},
    {"net.core.wmem_default", kNumbers, kMachine, kOne, "bytes",
     "Send buffer that sockets of other protocols start with; TCP uses tcp_wmem instead.", kPositive},
    {"net.core.optmem_max", kNumbers, kNetns, kOne, "bytes",
     "Largest memory for control messages and options of a socket.", kInt},
    // the way of a packet
    {"net.core.netdev_max_backlog", kNumbers, kMachine, kOne, "packets",
     "How many received packets may wait on a CPU; any more are dropped.", kInt},
    {"net.core.netdev_budget", kNumbers, kMachine, kOne, "packets",
     "How many packets one round of receiving may handle on a CPU.", kInt},
    {"net.core.netdev_budget_usecs", kNumbers, kMachine, kOne, "microseconds",
     "How long one round of receiving may last on a CPU."},
    {"net.core.default_qdisc",
     SysctlForm::word,
     kMachine,
     {},
     "",
     "Queueing discipline that a new network device gets."},
    // congestion
    {"net.ipv4.tcp_congestion_control",
     SysctlForm::word,
     kNetns,
     {},
     "",
     "Congestion control that a new connection gets."},
    {"net.ipv4.tcp_slow_start_after_idle", kNumbers, kNetns, kOne, "",
     "Whether a connection starts slowly again after being idle (1).", kByte},
    {"net.ipv4.tcp_sack", kNumbers, kNetns, kOne, "", "Selective acknowledgements (RFC 2018): 0 off, 1 on.",
     kByte},
    {"net.ipv4.tcp_window_scaling", kNumbers, kNetns, kOne, "",
     "Window scaling (RFC 7323): 0 off, which limits a window to 64 KiB, 1 on.", kByte},
    {"net.ipv4.tcp_moderate_rcvbuf", kNumbers, kNetns, kOne, "",
     "Whether receive buffers grow by themselves (1).", kByte},
    // connection tracking
    {"net.netfilter.nf_conntrack_max", kNumbers, kMachine, kOne, "entries",
     "How many connections each namespace may track; packets of any more are dropped."},
    {"net.netfilter.nf_conntrack_buckets", kNumbers, kMachine, kOne, "entries",
     "Size of the hash table of tracked connections."},
    {"net.netfilter.nf_conntrack_tcp_timeout_established", kNumbers, kNetns, kOne, "seconds",
     "How long an idle established connection stays tracked."},
    // neighbours
    {"net.ipv4.neigh.default.gc_thresh1", kNumbers, kMachine, kOne, "entries",
     "Number of IPv4 neighbours (ARP) up to which none is removed for being unused.", kNotNegative},
    {"net.ipv4.neigh.default.gc_thresh2", kNumbers, kMachine, kOne, "entries",
     "Number of IPv4 neighbours (ARP) above which unused ones are removed within seconds.", kNotNegative},
    {"net.ipv4.neigh.default.gc_thresh3", kNumbers, kMachine, kOne, "entries",
     "Largest number of IPv4 neighbours (ARP).", kNotNegative},
    {"net.ipv6.neigh.default.gc_thresh1", kNumbers, kMachine, kOne, "entries",
     "Number of IPv6 neighbours (NDP) up to which none is removed for being unused.", kNotNegative},
    {"net.ipv6.neigh.default.gc_thresh2", kNumbers, kMachine, kOne, "entries",
     "Number of IPv6 neighbours (NDP) above which unused ones are removed within seconds.", kNotNegative},
    {"net.ipv6.neigh.default.gc_thresh3", kNumbers, kMachine, kOne, "entries",
     "Largest number of IPv6 neighbours (NDP).", kNotNegative},
    // descriptors
    {"fs.file-max", kNumbers, kMachine, kOne, "files", "How many files may be open on the whole machine."},
    {"fs.nr_open",
     kNumbers,
     kMachine,
     kOne,
     "files",
     "Highest limit on open files that a process can be given.",
     {.least = 32, .most = 2147483584}},
    // the kernel log
    {"net.core.message_cost", kNumbers, kMachine, kOne, "seconds",
     "Time within which the network stack logs at most message_burst lines."},
    {"net.core.message_burst", kNumbers, kMachine, kOne, "messages",
     "How many lines the network stack logs within message_cost seconds; any more are lost."},
    {"kernel.dmesg_restrict", kNumbers, kMachine, kOne, "",
     "Whether reading the kernel log needs CAP_SYSLOG (1)."},
};

std::optional<std::int64_t> parse_number(std::string_view word) {
  const bool negative = word.starts_with('-');
  if (negative) word.remove_prefix(1);
  int base = 10;
  if (word.size() > 1 && word.front() == '0') {
    base = word[1] == 'x' || word[1] == 'X' ? 16 : 8;
    word.remove_prefix(base == 16 ? 2 : 1);
  }
  const auto number = to_number<std::uint64_t>(word, base);
  if (!number) return std::nullopt;
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  const auto held = *number > static_cast<std::uint64_t>(kMost) ? kMost : static_cast<std::int64_t>(*number);
  return negative ? -held : held;
}

std::optional<TakenValue> taken_numbers(std::size_t most, std::string_view written) {
  TakenValue taken;
  while (taken.numbers.size() < most) {
    const auto word = next_word(written);
    if (word.empty()) break;
    const auto number = parse_number(word);
    if (!number) return std::nullopt;
    taken.text += (taken.numbers.empty() ? "" : "\t") + std::to_string(*number);
    taken.numbers.push_back(*number);
  }
  return taken.numbers.empty() ? std::nullopt : std::optional(std::move(taken));
}

}  // namespace

std::span<const SysctlSpec> sysctl_table() { return kTable; }

const SysctlSpec* find_sysctl(std::string_view name) {
  const auto* found = std::ranges::find(kTable, name, &SysctlSpec::name);
  return found == std::end(kTable) ? nullptr : found;
}

std::string sysctl_path(std::string_view name) {
  std::string path(name);
  for (auto& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
  return path;
}

std::size_t first_out_of_bounds(const SysctlBounds& bounds, std::span<const std::int64_t> numbers) {
  auto least = bounds.least;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] < least || numbers[i] > bounds.most) return i;
    if (bounds.ascending) least = numbers[i];
  }
  return numbers.size();
}

std::optional<TakenValue> taken_value(const SysctlSpec& spec, std::string_view written) {
  if (spec.form == SysctlForm::numbers) return taken_numbers(spec.fields.size(), written);
  const auto word = next_word(written);
  if (!next_word(written).empty()) return std::nullopt;
  if (spec.form == SysctlForm::word)
    return word.empty() ? std::nullopt : std::optional(TakenValue{.text = std::string(word)});
  const auto ports = parse_port_list(word);
  if (!ports) return std::nullopt;
  return TakenValue{{static_cast<std::int64_t>(ports->count())}, std::string(word)};
}

}  // namespace tcpdiag
