// SPDX-License-Identifier: Apache-2.0
// What the machine itself runs out of: the CPUs' input queues, the memory of TCP, the table of neighbours.
#include <algorithm>
#include <array>

#include "core/facts/memory_info.h"
#include "core/facts/socket_usage.h"
#include "core/facts/softnet.h"
#include "core/saturating.h"
#include "diagnosis/counters.h"
#include "diagnosis/evidence.h"
#include "diagnosis/log_lines.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

// What the CPUs dropped and put off within the window.
struct Receiving {
  std::uint64_t dropped = 0, squeezed = 0, busiest_dropped = 0;
  std::uint32_t busiest_cpu = 0;
  std::size_t cpus = 0;

  [[nodiscard]] double busiest_share() const {
    return static_cast<double>(busiest_dropped) / static_cast<double>(dropped);
  }
};

Result<Receiving> receiving_in(const Window& window) {
  const auto now = window.latest(&Snapshot::softnet);
  if (!now) return tl::unexpected<Error>(now.error());
  const auto readings = window.readings(&Snapshot::softnet);
  if (readings.size() < 2)
    return unexpected(Errc::not_read, "softnet: only one reading in the window, and a change needs two");
  Receiving receiving{.cpus = (*now)->cpus.size()};
  const auto& before = readings.front().value->cpus;
  for (const auto& cpu : (*now)->cpus) {
    const auto old = std::ranges::find(before, cpu.cpu, &SoftnetCpu::cpu);
    if (old == before.end()) continue;  // it was off: what it had counted until then is not known
    if (cpu.dropped < old->dropped || cpu.time_squeezed < old->time_squeezed)
      return unexpected(Errc::failed, "softnet: CPU " + std::to_string(cpu.cpu) + " restarted its counters");
    const auto dropped = cpu.dropped - old->dropped;
    receiving.dropped = saturating_add(receiving.dropped, dropped);
    receiving.squeezed = saturating_add(receiving.squeezed, cpu.time_squeezed - old->time_squeezed);
    if (dropped <= receiving.busiest_dropped) continue;
    receiving.busiest_dropped = dropped;
    receiving.busiest_cpu = cpu.cpu;
  }
  return receiving;
}

Verdict softnet_drops(const Window& window, const Thresholds& t) {
  constexpr double kAlone = 0.8;
  constexpr std::int64_t kLeastNewBacklog = 5000;
  const auto receiving = receiving_in(window);
  if (!receiving) return Verdict::unknown(receiving.error());
  if (receiving->dropped < t.softnet_drops_min) return Verdict::clear();
  Facts facts{.subject = {.kind = SubjectKind::host}};
  if (receiving->dropped < t.softnet_drops_many) facts.severity = Severity::info;
  add_increase(facts, window, "dropped (softnet_stat)", receiving->dropped, "packets");
  add_increase(facts, window, "dropped on CPU " + std::to_string(receiving->busiest_cpu),
               receiving->busiest_dropped, "packets");
  facts.values["dropped"] = std::to_string(receiving->dropped);
  facts.values["share"] = percent_text(receiving->busiest_share());
  facts.values["cpu"] = std::to_string(receiving->busiest_cpu);
  if (receiving->cpus > 1 && receiving->busiest_share() >= kAlone)
    facts.values["lone_cpu"] = "CPU " + std::to_string(receiving->busiest_cpu);
  if (const auto backlog = window.setting("net.core.netdev_max_backlog")) {
    facts.values["backlog"] = std::to_string(*backlog);
    facts.values["new_backlog"] =
        std::to_string(std::max(kLeastNewBacklog, saturating_multiply<std::int64_t>(*backlog, 2)));
    facts.bites = Bites{.limit = "net.core.netdev_max_backlog", .value = static_cast<double>(*backlog)};
  }
  if (receiving->squeezed > 0) {
    add_increase(facts, window, "time_squeeze (softnet_stat)", receiving->squeezed, "rounds");
    facts.values["squeezed"] = counted(receiving->squeezed, "round");
    if (const auto budget = window.setting("net.core.netdev_budget"))
      facts.values["new_budget"] = std::to_string(saturating_multiply<std::int64_t>(*budget, 2));
  }
  return Verdict::found({facts});
}

// net.ipv4.tcp_mem in bytes.
struct MemoryLimits {
  double low, pressure, most;
};

Result<MemoryLimits> memory_limits(const Window& window, const SocketUsage& usage) {
  constexpr std::string_view kTcpMem = "net.ipv4.tcp_mem";
  std::array<double, 3> bytes{};
  for (std::size_t field = 0; field < bytes.size(); ++field) {
    const auto pages = window.setting(kTcpMem, field);
    if (!pages) return tl::unexpected<Error>(pages.error());
    if (!usage.page_bytes) return unexpected(Errc::missing, "sockstat: mem: not in this kernel");
    bytes[field] = static_cast<double>(*pages) * static_cast<double>(*usage.page_bytes);
  }
  return MemoryLimits{bytes[0], bytes[1], bytes[2]};
}

Result<double> most_memory_used(const Window& window) {
  const auto now = window.latest(&NetnsView::sockets);
  if (!now) return tl::unexpected<Error>(now.error());
  if (!(*now)->memory_bytes) return unexpected(Errc::missing, "sockstat: mem: not in this kernel");
  double most = 0;
  for (const auto& reading : window.readings(&NetnsView::sockets))
    if (reading.value->memory_bytes) most = std::max(most, static_cast<double>(*reading.value->memory_bytes));
  return most;
}

// Memory is the machine's, the namespace that counts an event is the one it happened to come up in.
std::uint64_t increase_everywhere(const Window& window, TcpCounter counter) {
  std::uint64_t sum = 0;
  for (const auto& netns : window.newest().namespaces)
    if (const auto increase = window.in(netns.id).increase(counter)) sum = saturating_add(sum, *increase);
  return sum;
}

struct TcpMemory {
  Result<double> used;
  Result<MemoryLimits> limits;
  Result<std::uint64_t> known_pressures;  // of the host's namespace: whether pressures can be told at all
  std::uint64_t pressures = 0, aborted = 0;
  Result<LogLines> lines;

  [[nodiscard]] double share() const { return used && limits && limits->most > 0 ? *used / limits->most : 0; }
  [[nodiscard]] bool logged() const { return lines && lines->count > 0; }
  [[nodiscard]] bool pressed() const { return pressures > 0 || (used && limits && *used > limits->pressure); }
};

TcpMemory tcp_memory_in(const Window& window) {
  const auto usage = window.latest(&NetnsView::sockets);
  return {.used = most_memory_used(window),
          .limits = usage ? memory_limits(window, **usage) : tl::unexpected<Error>(usage.error()),
          .known_pressures = window.increase(&TcpCounters::memory_pressures),
          .pressures = increase_everywhere(window, &TcpCounters::memory_pressures),
          .aborted = increase_everywhere(window, &TcpCounters::abort_on_memory),
          .lines = log_lines(window, KernelEventKind::tcp_memory)};
}

// Advice that leaves half of the machine's memory to others.
void advise_memory(Facts& facts, const Window& window, const MemoryLimits& limits, double page_bytes) {
  const auto memory = window.latest(&Snapshot::memory);
  if (!memory || !(*memory)->total_bytes) return;
  const auto total = static_cast<double>(*(*memory)->total_bytes);
  facts.values["ram"] = bytes_text(total);
  if (limits.most * 2 > total / 2) return;
  const auto pages = [&](double bytes) { return number_text(bytes * 2 / page_bytes); };
  facts.values["new_pages"] = pages(limits.low) + " " + pages(limits.pressure) + " " + pages(limits.most);
  facts.values["new_max"] = bytes_text(limits.most * 2);
}

Facts memory_facts(const Window& window, const TcpMemory& memory) {
  Facts facts{.subject = {.kind = SubjectKind::host}};
  if (memory.used) {
    add_increase(facts, window, "TCP memory (sockstat mem), peak", *memory.used, "bytes");
    facts.values["used"] = bytes_text(*memory.used);
  }
  if (memory.limits) {
    facts.values["pressure"] = bytes_text(memory.limits->pressure);
    facts.values["max"] = bytes_text(memory.limits->most);
    facts.bites = Bites{.limit = "net.ipv4.tcp_mem (max, bytes)", .value = memory.limits->most};
    advise_memory(facts, window, *memory.limits,
                  static_cast<double>(*window.netns().sockets.get()->page_bytes));
  }
  if (memory.pressures > 0) {
    add_increase(facts, window, &TcpCounters::memory_pressures, memory.pressures, "events");
    facts.values["pressures"] = times_text(memory.pressures);
  }
  if (memory.aborted > 0) {
    add_increase(facts, window, &TcpCounters::abort_on_memory, memory.aborted, "connections");
    facts.values["aborted"] = counted(memory.aborted, "connection");
  }
  if (memory.logged()) {
    add_increase(facts, window, "kernel log: out of memory", memory.lines->count, "lines");
    facts.values["lines"] = times_text(memory.lines->count);
  }
  return facts;
}

// TCPAbortOnMemory alone proves nothing: too many orphans count in it as well.
Verdict tcp_memory_pressure(const Window& window, const Thresholds& t) {
  const auto memory = tcp_memory_in(window);
  if (!memory.pressed() && !memory.logged()) {
    if (!memory.used) return Verdict::unknown(memory.used.error());
    // In a container's namespace the machine's limits do not show; the counters do.
    if (!memory.limits && memory.limits.error().code != Errc::missing)
      return Verdict::unknown(memory.limits.error());
    if (!memory.known_pressures) return Verdict::unknown(memory.known_pressures.error());
    return Verdict::clear();
  }
  auto facts = memory_facts(window, memory);
  const bool fails = memory.logged() || memory.aborted > 0 || memory.share() >= t.tcp_memory_high;
  facts.severity = fails ? Severity::critical : Severity::warning;
  return Verdict::found({facts});
}

// "neighbour: arp_cache: neighbor table overflow!", before 4.3 "ipv4: Neighbour table overflow."
std::string_view neighbour_table_of(std::string_view line) {
  const bool v6 = line.find("ndisc_cache") != std::string_view::npos || line.starts_with("ipv6") ||
                  line.starts_with("IPv6");
  return v6 ? "net.ipv6.neigh.default.gc_thresh" : "net.ipv4.neigh.default.gc_thresh";
}

Verdict neighbour_table_overflow(const Window& window, const Thresholds&) {
  const auto lines = log_lines(window, KernelEventKind::neighbour_table);
  if (!lines) return Verdict::unknown(lines.error());
  if (lines->count == 0) return Verdict::clear();
  Facts facts{.subject = {.kind = SubjectKind::host}};
  add_increase(facts, window, "kernel log: neighbour table overflow", lines->count, "lines");
  facts.values["lines"] = times_text(lines->count);
  const std::string prefix(neighbour_table_of(lines->latest));
  facts.values["protocol"] = prefix.starts_with("net.ipv6") ? "IPv6 (NDP)" : "IPv4 (ARP)";
  facts.values.flag(prefix.starts_with("net.ipv6") ? FlagName("ipv6") : FlagName("ipv4"));
  const auto most = window.setting(prefix + "3");
  facts.values["prefix"] = prefix;
  if (!most) return Verdict::found({facts});
  facts.bites = Bites{.limit = prefix + "3", .value = static_cast<double>(*most)};
  facts.values["most"] = std::to_string(*most);
  facts.values["new1"] = std::to_string(*most);
  facts.values["new2"] = std::to_string(saturating_multiply<std::int64_t>(*most, 2));
  facts.values["new3"] = std::to_string(saturating_multiply<std::int64_t>(*most, 4));
  return Verdict::found({facts});
}

constexpr std::string_view kFamily = "Host";

constexpr auto kSoftnetAdvice = std::to_array<AdviceText>({
    {"Spread receiving over more CPUs: nearly all drops are on {lone_cpu}.",
     "grep . /sys/class/net/*/queues/rx-*/rps_cpus",
     "Shows the CPUs that each receive queue may use, as a bit mask; 0 means only the one that takes its "
     "interrupt. Writing a mask of more CPUs spreads the packets.",
     "Packets of one connection stay on one CPU: a single fast connection gains nothing."},
    {"Raise net.core.netdev_max_backlog.", "sysctl -w net.core.netdev_max_backlog={new_backlog}",
     "A burst of up to {new_backlog} packets waits for the CPU instead of being dropped.",
     "Where the CPU is too slow all the time, packets wait longer and are dropped all the same."},
    {"Raise net.core.netdev_budget as well: {squeezed} of receiving ran out of it.",
     "sysctl -w net.core.netdev_budget={new_budget}",
     "A CPU empties more of its queue before it turns to something else.",
     "Processes on that CPU wait longer."},
    {"Make it permanent.",
     "echo 'net.core.netdev_max_backlog = {new_backlog}' > /etc/sysctl.d/zz-netdev-backlog.conf",
     "It is set at every boot.", ""},
});
constexpr std::string_view kSoftnetNot[] = {
    "Raising net.core.somaxconn or a listen backlog: they hold connections, and these packets are dropped "
    "before TCP sees them.",
    "A larger ring on the network card (ethtool -G): these packets have already left the card.",
};
constexpr std::string_view kSoftnetConsequences[] = {"retransmissions on any connection of the host"};

constexpr auto kMemoryAdvice = std::to_array<AdviceText>({
    {"Find the connections that hold the memory: those whose data is not read or not acknowledged.",
     "ss -Htnp | sort -k2,2nr -k3,3nr | head -20",
     "The largest Recv-Q come first: data that the process named there does not read.", ""},
    {"Allow TCP more memory: up to {new_max} of the machine's {ram}.",
     "sysctl -w net.ipv4.tcp_mem='{new_pages}'", "Buffers grow again and nothing is refused.",
     "The kernel's memory cannot be swapped out: what TCP takes, processes lose."},
    {"Lower the third number of net.ipv4.tcp_rmem and tcp_wmem when there are many connections at once.",
     "sysctl net.ipv4.tcp_rmem net.ipv4.tcp_wmem", "Each connection can take less.",
     "Single connections over long distances get slower."},
});
constexpr std::string_view kMemoryNot[] = {
    "Raising net.core.rmem_max or wmem_max: they let sockets take more, which makes it worse.",
    "net.core.rmem_default and wmem_default: they do not apply to TCP.",
};
constexpr std::string_view kMemoryConsequences[] = {
    "slow transfers on all connections of the host",
    "\"out of memory -- consider tuning tcp_mem\" in the kernel log"};

constexpr auto kNeighbourAdvice = std::to_array<AdviceText>({
    {"Raise the limits of the table[, now {most}].",
     "sysctl -w {prefix}1={new1} {prefix}2={new2} {prefix}3={new3}",
     "The table holds {new3} neighbours, and up to {new1} none is removed for being unused.",
     "Less than 1 KiB of kernel memory for each neighbour."},
    {"Make it permanent.",
     "printf '%s\\\\n' '{prefix}1 = {new1}' '{prefix}2 = {new2}' '{prefix}3 = {new3}' > "
     "/etc/sysctl.d/zz-neighbours.conf",
     "It is set at every boot.", ""},
    {"Look at what fills the table: a subnet that is too large, a scan, or addresses that no host answers "
     "for.",
     "ip [-4{?ipv4}|-6{?ipv6}] neigh show nud all | sed 's, *$,,; s,.* ,,' | sort | uniq -c | sort -rn",
     "Many FAILED entries: something here asks for addresses that do not exist.", ""},
});
constexpr std::string_view kNeighbourNot[] = {
    "Raising gc_thresh3 alone: between gc_thresh2 and gc_thresh3 the kernel throws out unused neighbours "
    "within seconds and asks for them again.",
};

constexpr Rule kRules[] = {
    {.info = {.id = "softnet-drops",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "Received packets dropped before TCP saw them",
              .true_when = "The dropped column of /proc/net/softnet_stat rises: a CPU's input queue was full "
                           "(net.core.netdev_max_backlog) or a flow limit was reached. Info below "
                           "{t.softnet_drops_many} packets in a minute: that may be one burst.",
              .clients_see = "Stalls and retransmissions; connecting takes a second longer when a SYN is "
                             "among the dropped packets.",
              .summary = "{dropped} received packets were dropped in {window}, {share} of them on CPU {cpu}: "
                         "its input queue was full[ (net.core.netdev_max_backlog is {backlog})].",
              .advice = kSoftnetAdvice,
              .not_helping = kSoftnetNot,
              .consequences = kSoftnetConsequences,
              .reads = "/proc/net/softnet_stat, net.core.netdev_max_backlog"},
     .scope = RuleScope::machine,
     .lookback = std::chrono::seconds(60),
     .evaluate = softnet_drops},
    {.info =
         {.id = "tcp-memory-pressure",
          .family = kFamily,
          .severity = Severity::critical,
          .title = "TCP is short of memory",
          .true_when =
              "The buffers of all sockets take more than the second number of net.ipv4.tcp_mem, "
              "TCPMemoryPressures rises, or the kernel logs that TCP is out of memory. Critical near the "
              "third number, with that line, or when TCPAbortOnMemory rises with it; else a warning.",
          .clients_see = "Slow transfers, because windows shrink; at the limit stalls, and resets of "
                         "connections that are being closed.",
          .summary =
              "TCP is short of memory[: its buffers took {used}[, pressure begins at {pressure} and the "
              "limit is {max} (net.ipv4.tcp_mem)]][; memory pressure began {pressures} in {window}][; "
              "{aborted} reset for lack of memory][; the kernel logged {lines} that it is out of memory].",
          .advice = kMemoryAdvice,
          .not_helping = kMemoryNot,
          .consequences = kMemoryConsequences,
          .reads = "/proc/net/sockstat, net.ipv4.tcp_mem, /proc/net/netstat; if they can be read /dev/kmsg, "
                   "/proc/meminfo"},
     .scope = RuleScope::machine,
     .evaluate = tcp_memory_pressure},
    {.info = {.id = "neighbour-table-overflow",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "Neighbour table full",
              .true_when = "The kernel logs that the table of neighbours (ARP or NDP) overflows.",
              .clients_see = "Hosts on directly attached networks that are not in the table yet cannot be "
                             "reached; connections to and from them time out, others go on.",
              .summary = "The kernel logged {lines} in {window} that the table of {protocol} neighbours is "
                         "full[: {prefix}3 allows {most}].",
              .advice = kNeighbourAdvice,
              .not_helping = kNeighbourNot,
              .reads = "/dev/kmsg, net.ipv4.neigh.default.gc_thresh3, net.ipv6.neigh.default.gc_thresh3"},
     .scope = RuleScope::machine,
     .lookback = std::chrono::seconds(60),
     .evaluate = neighbour_table_overflow},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> host_rules() { return kRules; }

}  // namespace tcpdiag
