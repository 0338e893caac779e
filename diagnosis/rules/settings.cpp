// SPDX-License-Identifier: Apache-2.0
// The lint of settings: values that harm whoever set them. They are judged as they are now, without a window.
// Where the kernel's own default depends on its version or the machine, it is told from what this kernel
// shows; where that does not tell, a value is only called low when it is below every kernel's default.
#include <algorithm>
#include <array>
#include <concepts>

#include "core/ephemeral_ports.h"
#include "core/facts/memory_info.h"
#include "core/facts/socket_usage.h"
#include "core/saturating.h"
#include "diagnosis/evidence.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/setting_facts.h"
#include "diagnosis/wanted_settings.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

using Number = std::optional<std::int64_t>;

// A switch that stands at a number that does harm.
Verdict judge_switch(const Window& window, std::string_view name, std::int64_t harmful,
                     const std::string& wanted) {
  const auto number = number_if_any(window, name);
  if (!number) return Verdict::unknown(number.error());
  if (*number != harmful) return Verdict::clear();
  return Verdict::found({setting_facts(window, name, wanted)});
}

Verdict syncookies_off(const Window& window, const Thresholds&) {
  return judge_switch(window, "net.ipv4.tcp_syncookies", 0, "1");
}

Verdict abort_on_overflow(const Window& window, const Thresholds&) {
  return judge_switch(window, "net.ipv4.tcp_abort_on_overflow", 1, "0");
}

// A limit that is lower than the kernel's own; it had better be `wanted`, or that.
Verdict judge_limit(const Window& window, std::string_view name, const Result<Number>& standard,
                    const Thresholds& t, Number wanted = {}) {
  const auto number = number_if_any(window, name);
  if (!number) return Verdict::unknown(number.error());
  if (!*number) return Verdict::clear();
  if (!standard) return Verdict::unknown(standard.error());
  if (!*standard || **number >= **standard) return Verdict::clear();
  auto facts = setting_facts(window, name, std::to_string(wanted.value_or(**standard)));
  facts.values["default"] = std::to_string(**standard);
  add_reading(facts, "the kernel's default", **standard, "");
  const auto mild = t.limit_lowered_much * static_cast<double>(**standard);
  facts.severity = static_cast<double>(**number) < mild ? Severity::warning : Severity::info;
  return Verdict::found({facts});
}

// Whether this kernel has a sysctl, and with it what came in the same version or before.
Result<bool> has(const Window& window, std::string_view name) {
  return number_if_any(window, name).map([](const Number& number) { return number.has_value(); });
}

// 4096 since 5.4, 128 before; net.ipv4.tcp_migrate_req came with 5.14.
Verdict somaxconn_low(const Window& window, const Thresholds& t) {
  const auto standard = has(window, "net.ipv4.tcp_migrate_req").map([](bool since_5_14) {
    return Number(since_5_14 ? 4096 : 128);
  });
  constexpr std::string_view kName = "net.core.somaxconn";
  const auto now = number_if_any(window, kName);
  return judge_limit(window, kName, standard, t, now && *now ? Number(wanted_somaxconn(**now)) : Number());
}

Verdict max_tw_buckets_low(const Window& window, const Thresholds& t) {
  return judge_limit(window, "net.ipv4.tcp_max_tw_buckets", half_of_connection_table(window), t);
}

Verdict max_orphans_low(const Window& window, const Thresholds& t) {
  return judge_limit(window, "net.ipv4.tcp_max_orphans", half_of_connection_table(window), t);
}

// 131072 since 6.8, which net.ipv4.tcp_tw_reuse_delay (6.14) is later than; before that 2560 machine words.
Verdict optmem_max_low(const Window& window, const Thresholds& t) {
  constexpr auto kBefore = static_cast<std::int64_t>(sizeof(void*) * 2560);
  const auto standard = has(window, "net.ipv4.tcp_tw_reuse_delay").map([](bool since_6_14) {
    return Number(since_6_14 ? 131072 : kBefore);
  });
  return judge_limit(window, "net.core.optmem_max", standard, t);
}

// The kernel's own value is 8192 or one file for each 10 KiB of the memory that is free at boot, and systemd
// raises it further: nobody has less than half of that, unless it was lowered.
Verdict file_max_low(const Window& window, const Thresholds& t) {
  constexpr std::int64_t kLeast = 8192;
  constexpr std::uint64_t kBytesPerFile = 10240;
  const auto number = number_if_any(window, "fs.file-max");
  if (!number) return Verdict::unknown(number.error());
  if (!*number) return Verdict::clear();
  const auto memory = window.latest(&Snapshot::memory);
  if (!memory) return Verdict::unknown(memory.error());
  if (!(*memory)->total_bytes)
    return Verdict::unknown({Errc::missing, "meminfo: MemTotal: not in this kernel"});
  const auto most = saturating_cast<std::int64_t>(*(*memory)->total_bytes / kBytesPerFile);
  const auto low =
      std::max(kLeast, saturating_cast<std::int64_t>(static_cast<double>(most) * t.limit_lowered_much));
  if (**number >= low) return Verdict::clear();
  auto facts = setting_facts(window, "fs.file-max", std::to_string(std::max(kLeast, most)));
  facts.values["default"] = std::to_string(std::max(kLeast, most));
  facts.severity = **number < kLeast ? Severity::warning : Severity::info;
  return Verdict::found({facts});
}

// The first numbers of a buffer sysctl, and what every kernel starts with.
struct Buffer {
  std::string_view name;
  std::int64_t standard;  // of the second number; tcp_rmem's was 87380 before 4.20
};
constexpr Buffer kBuffers[] = {{"net.ipv4.tcp_rmem", 131072}, {"net.ipv4.tcp_wmem", 16384}};
constexpr std::int64_t kLeastReceiveBuffer = 87380;

Verdict buffers_default_min(const Window& window, const Thresholds&) {
  std::vector<Facts> found;
  for (const auto& buffer : kBuffers) {
    std::array<Number, 3> numbers;
    for (std::size_t field = 0; field < numbers.size(); ++field) {
      const auto number = number_if_any(window, buffer.name, field);
      if (!number) return Verdict::unknown(number.error());
      numbers[field] = *number;
    }
    const auto& [least, begin, most] = numbers;
    if (!begin || *begin > *least || *begin >= std::min(buffer.standard, kLeastReceiveBuffer)) continue;
    const auto wanted = std::to_string(*least) + " " + std::to_string(std::max(buffer.standard, *least)) +
                        " " + std::to_string(std::max(*most, buffer.standard));
    auto facts = setting_facts(window, buffer.name, wanted);
    facts.values["begin"] = std::to_string(*begin);
    facts.values["default"] = std::to_string(buffer.standard);
    found.push_back(std::move(facts));
  }
  return Verdict::found(std::move(found));
}

Verdict tcp_mem_above_ram(const Window& window, const Thresholds&) {
  constexpr std::string_view kTcpMem = "net.ipv4.tcp_mem";
  std::array<Number, 3> pages;
  for (std::size_t field = 0; field < pages.size(); ++field) {
    const auto number = number_if_any(window, kTcpMem, field);
    if (!number) return Verdict::unknown(number.error());
    if (!*number) return Verdict::clear();
    pages[field] = *number;
  }
  const auto memory = window.latest(&Snapshot::memory);
  if (!memory) return Verdict::unknown(memory.error());
  const auto sockets = window.latest(&NetnsView::sockets);
  if (!sockets) return Verdict::unknown(sockets.error());
  if (!(*memory)->total_bytes || !(*sockets)->page_bytes)
    return Verdict::unknown(
        {Errc::missing, "meminfo, sockstat: the memory or the size of a page is not known"});
  const auto ram = static_cast<double>(*(*memory)->total_bytes);
  const auto page = static_cast<double>(*(*sockets)->page_bytes);
  if (static_cast<double>(*pages[2]) * page <= ram) return Verdict::clear();
  // About what the kernel chooses by itself: 1/16 of the memory as the pressure mark.
  const auto pressure = saturating_cast<std::int64_t>(ram / page / 16);
  auto facts = setting_facts(window, kTcpMem,
                             std::to_string(pressure * 3 / 4) + " " + std::to_string(pressure) + " " +
                                 std::to_string(pressure * 3 / 2));
  facts.values["bytes"] = bytes_text(static_cast<double>(*pages[2]) * page);
  facts.values["ram"] = bytes_text(ram);
  add_reading(facts, "MemTotal", ram, "bytes");
  return Verdict::found({facts});
}

Verdict timestamps_off_with_tw_reuse(const Window& window, const Thresholds&) {
  const auto timestamps = number_if_any(window, "net.ipv4.tcp_timestamps");
  if (!timestamps) return Verdict::unknown(timestamps.error());
  const auto reuse = number_if_any(window, "net.ipv4.tcp_tw_reuse");
  if (!reuse) return Verdict::unknown(reuse.error());
  if (*timestamps != 0 || *reuse != 1) return Verdict::clear();
  auto facts = setting_facts(window, "net.ipv4.tcp_timestamps", "1");
  add_reading(facts, "net.ipv4.tcp_tw_reuse", 1, "");
  return Verdict::found({facts});
}

Verdict port_range_small(const Window& window, const Thresholds& t) {
  constexpr std::string_view kRange = "net.ipv4.ip_local_port_range";
  constexpr double kStandard = 28232;  // 32768 to 60999
  const auto settings = window.latest(&NetnsView::settings);
  if (!settings) return Verdict::unknown(settings.error());
  for (const auto name : {kRange, std::string_view("net.ipv4.ip_local_reserved_ports")})
    if (const auto known = number_if_any(window, name); !known) return Verdict::unknown(known.error());
  const auto range = ephemeral_port_range(**settings);
  const auto count = ephemeral_ports(**settings);
  if (!range || !count) return Verdict::clear();
  const auto ports = static_cast<double>(*count);
  if (ports >= t.port_range_small * kStandard) return Verdict::clear();
  const bool is_narrow = range->last - range->first + 1 < kStandard;  // else too many of them are reserved
  const auto wanted = wanted_port_range(*range);
  Facts facts{.subject = {.kind = SubjectKind::setting, .name = std::string(kRange)}};
  if (wanted) facts = setting_facts(window, kRange, sysctl_text(*wanted));
  facts.values["value"] = sysctl_text(*range);
  if (!is_narrow) facts.values.flag("reserved");
  facts.severity = ports < t.port_range_tiny * kStandard ? Severity::warning : Severity::info;
  add_reading(facts, "ports for connect()", ports, "ports");
  facts.values["ports"] = std::to_string(*count);
  return Verdict::found({facts});
}

constexpr std::string_view kFamily = "Settings";
constexpr std::string_view kReads = "/proc/sys; where it is set: sysctl.d";

// A rule's own advice, then how the value is made to stay.
template <std::same_as<AdviceText>... More>
constexpr std::array<AdviceText, 7 + sizeof...(More)> and_to_stay(AdviceText own, More... more) {
  return {own,          more...,     kChangeLine,   kOverrideLine, kOverridePattern,
          kFindChanger, kFindSetter, kTellContainer};
}

constexpr auto kSyncookiesAdvice =
    and_to_stay({"Switch SYN cookies on.", "sysctl -w {setting}={wanted}",
                 "SYNs that do not fit into a full queue are answered with a cookie instead of dropped.",
                 "Connections made by a cookie may lose window scaling and SACK when timestamps are off."});
constexpr std::string_view kSyncookiesNot[] = {
    "Raising net.ipv4.tcp_max_syn_backlog instead: a flood fills any queue."};

constexpr auto kAbortAdvice =
    and_to_stay({"Switch it off.", "sysctl -w {setting}={wanted}",
                 "A handshake that finds the accept queue full is tried again, and usually succeeds.",
                 "Clients of a server that never accepts wait for their timeout instead of being reset."});
constexpr std::string_view kAbortNot[] = {
    "Leaving it on to fail fast: no reset is sent for a SYN that meets a full queue, only for handshakes "
    "that are half finished."};

constexpr auto kSomaxconnAdvice =
    and_to_stay({"Raise it to the kernel's default or higher.", "sysctl -w {setting}={wanted}",
                 "Listeners may have backlogs of up to {wanted} from then on.",
                 "None worth mentioning. A listener picks it up only when it calls listen() again: restart "
                 "the servers that ask for more than {value}."});
constexpr std::string_view kSomaxconnNot[] = {
    "Raising it and nothing else: a server's own backlog is often lower and limits its queue just as well.",
    "Raising it for more established connections: it does not limit those."};

constexpr auto kTwBucketsAdvice =
    and_to_stay({"Raise it to the kernel's default.", "sysctl -w {setting}={wanted}",
                 "Connections beyond {value} go through TIME_WAIT again instead of skipping it.",
                 "About 250 bytes of kernel memory for each socket in TIME_WAIT."});
constexpr std::string_view kTwBucketsNot[] = {
    "Lowering it to get rid of TIME_WAIT: without it, late segments of one connection can reach the next "
    "one. On a server TIME_WAIT uses no ports."};

constexpr auto kOrphansAdvice =
    and_to_stay({"Raise it to the kernel's default.", "sysctl -w {setting}={wanted}",
                 "Connections that a process has closed can end normally instead of being reset.",
                 "Up to 64 KiB of kernel memory for each such connection."});
constexpr std::string_view kOrphansNot[] = {
    "Lowering it to get rid of closing connections: that resets those of real clients. "
    "net.ipv4.tcp_orphan_retries and tcp_fin_timeout end them sooner."};

constexpr auto kFileMaxAdvice =
    and_to_stay({"Raise it.", "sysctl -w {setting}={wanted}", "All processes together may open more files.",
                 "About 1 KiB of kernel memory for each open file."});
constexpr std::string_view kFileMaxNot[] = {
    "Raising it for a single process: that limit is LimitNOFILE= of its unit."};

constexpr auto kOptmemAdvice =
    and_to_stay({"Raise it to the kernel's default.", "sysctl -w {setting}={wanted}",
                 "Socket options, control messages and zero-copy sending have the room that programs expect.",
                 "Kernel memory of up to that size for a socket that uses it."});

constexpr auto kBuffersAdvice =
    and_to_stay({"Raise the second number to the kernel's default.", "sysctl -w {setting}={wanted}",
                 "New connections start with a window of the usual size.",
                 "Memory: idle connections do not use it, busy ones do."});
constexpr std::string_view kBuffersNot[] = {
    "net.core.rmem_default and wmem_default: they do not apply to TCP.",
    "Raising the third number: a connection that starts with so little reaches it late or never."};

constexpr auto kTcpMemAdvice =
    and_to_stay({"Set it to what the kernel would choose for this machine.", "sysctl -w {setting}={wanted}",
                 "TCP starts to save memory before the machine runs out of it.",
                 "If buffers already take more than that, connections slow down at once. The three numbers "
                 "are pages, not bytes."});

constexpr auto kTimestampsAdvice = and_to_stay({"Switch timestamps on.", "sysctl -w {setting}={wanted}",
                                                "net.ipv4.tcp_tw_reuse works for connections that are made "
                                                "from then on, and SYN cookies keep window scaling.",
                                                "12 bytes more in each segment."});
constexpr std::string_view kTimestampsNot[] = {
    "net.ipv4.tcp_tw_reuse=1 alone: without timestamps on both ends it is never used."};

constexpr std::string_view kRangeEffect =
    "More connections to one destination at a time, starting with the next one.";
constexpr auto kRangeAdvice = and_to_stay(
    {"{?wanted}Widen the range.", "sysctl -w {setting}={wanted}", kRangeEffect,
     "Servers that listen in it may find their port taken by a client: reserve it in "
     "net.ipv4.ip_local_reserved_ports."},
    AdviceText{
        "Remove from net.ipv4.ip_local_reserved_ports{?reserved} the ports that no server here listens on.",
        "sysctl net.ipv4.ip_local_reserved_ports; ss -Htln", kRangeEffect, ""});
constexpr std::string_view kRangeNot[] = {
    "Lowering net.ipv4.tcp_fin_timeout against TIME_WAIT, which holds a port for 60 s regardless: it only "
    "shortens FIN_WAIT2 of connections that no process holds any more.",
    "More file descriptors: a connection needs a port as well."};

constexpr Rule kRules[] = {
    {.info = {.id = "sysctl-syncookies-off",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "SYN cookies are off",
              .true_when = "net.ipv4.tcp_syncookies is 0.",
              .clients_see = "Nothing yet; in a burst or a flood connecting takes 1, 3 or 7 s, or times out.",
              .summary = "net.ipv4.tcp_syncookies is 0[ ({place})]: when a SYN queue is full, SYNs are "
                         "dropped and a flood shuts every client out.",
              .advice = kSyncookiesAdvice,
              .not_helping = kSyncookiesNot,
              .reads = kReads},
     .evaluate = syncookies_off},
    {.info = {.id = "sysctl-abort-on-overflow",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "Full accept queues reset clients",
              .true_when = "net.ipv4.tcp_abort_on_overflow is 1.",
              .clients_see = "Nothing yet; in a burst \"connection reset by peer\" right after connecting.",
              .summary = "net.ipv4.tcp_abort_on_overflow is 1[ ({place})]: a short burst that fills an "
                         "accept queue resets clients that would have got in a moment later.",
              .advice = kAbortAdvice,
              .not_helping = kAbortNot,
              .reads = kReads},
     .evaluate = abort_on_overflow},
    {.info = {.id = "sysctl-somaxconn-low",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "somaxconn below the kernel's default",
              .true_when =
                  "net.core.somaxconn is below the kernel's default, 4096 since Linux 5.4. A kernel that "
                  "cannot be seen to be newer than that (it lacks net.ipv4.tcp_migrate_req of 5.14) is "
                  "judged by the earlier default, 128. Info from half the default up.",
              .clients_see = "Nothing yet; in a burst connecting takes 1, 3 or 7 s, or times out.",
              .summary = "net.core.somaxconn is {value}[ ({place})], below the kernel's default of "
                         "{default}: no listener gets a longer accept queue, whatever backlog it asks for.",
              .advice = kSomaxconnAdvice,
              .not_helping = kSomaxconnNot,
              .reads = kReads},
     .evaluate = somaxconn_low},
    {.info = {.id = "sysctl-max-tw-buckets-low",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "tcp_max_tw_buckets below the kernel's default",
              .true_when = "net.ipv4.tcp_max_tw_buckets is below the kernel's default, half of "
                           "net.ipv4.tcp_ehash_entries. Info from half of that up. Clear before Linux 6.1, "
                           "where the size of the table is not shown.",
              .clients_see = "Nothing yet; beyond the limit connections end without TIME_WAIT, and late "
                             "segments may disturb new ones.",
              .summary = "net.ipv4.tcp_max_tw_buckets is {value}[ ({place})], below the kernel's default of "
                         "{default}: connections beyond it close without TIME_WAIT.",
              .advice = kTwBucketsAdvice,
              .not_helping = kTwBucketsNot,
              .reads = kReads},
     .evaluate = max_tw_buckets_low},
    {.info = {.id = "sysctl-max-orphans-low",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "tcp_max_orphans below the kernel's default",
              .true_when =
                  "net.ipv4.tcp_max_orphans is below the kernel's default, half of "
                  "net.ipv4.tcp_ehash_entries. Info from half of that up. Clear before Linux 6.1, where the "
                  "size of the table is not shown, and outside the first network namespace.",
              .clients_see = "Nothing yet; beyond the limit, or even a quarter of it, connections that the "
                             "server has closed normally are reset.",
              .summary = "net.ipv4.tcp_max_orphans is {value}[ ({place})], below the kernel's default of "
                         "{default}: from a quarter of it up, closed connections that are still sending can "
                         "be reset.",
              .advice = kOrphansAdvice,
              .not_helping = kOrphansNot,
              .reads = kReads},
     .scope = RuleScope::machine,
     .evaluate = max_orphans_low},
    {.info = {.id = "sysctl-file-max-low",
              .family = kFamily,
              .severity = Severity::info,
              .title = "file-max below the kernel's default",
              .true_when = "fs.file-max is less than half of one file for each 10 KiB of memory, which is "
                           "about what the kernel chooses by itself; a warning below 8192, which the kernel "
                           "never goes below.",
              .clients_see =
                  "Nothing yet; at the limit accept() and open() fail in every process (errno 23).",
              .summary = "fs.file-max is {value}[ ({place})], far below the {default} or so that the kernel "
                         "chooses for this machine: all processes together cannot open more files than that.",
              .advice = kFileMaxAdvice,
              .not_helping = kFileMaxNot,
              .reads = "/proc/sys, /proc/meminfo; where it is set: sysctl.d"},
     .scope = RuleScope::machine,
     .evaluate = file_max_low},
    {.info = {.id = "sysctl-optmem-max-low",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "optmem_max below the kernel's default",
              .true_when = "net.core.optmem_max is below the kernel's default: 131072 on a kernel that can "
                           "be seen to be newer than 6.8 (it has net.ipv4.tcp_tw_reuse_delay of 6.14), else "
                           "20480. Info from half the default up.",
              .clients_see = "Nothing; programs here fail to set socket options (errno 12) or fall back to "
                             "copying (errno 105).",
              .summary = "net.core.optmem_max is {value}[ ({place})], below the kernel's default of "
                         "{default}: socket options and zero-copy sending can fail.",
              .advice = kOptmemAdvice,
              .reads = kReads},
     .evaluate = optmem_max_low},
    {.info = {.id = "sysctl-tcp-buffers-default-min",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "TCP buffers start at their minimum",
              .true_when = "The second number of net.ipv4.tcp_rmem or tcp_wmem is not above the first, and "
                           "below the kernel's default.",
              .clients_see =
                  "Slow transfers, especially at the start of a connection and over long distances.",
              .summary = "{setting} starts at {begin} bytes[ ({place})], its minimum; the kernel's default "
                         "is {default}. Every new connection starts slowly.",
              .advice = kBuffersAdvice,
              .not_helping = kBuffersNot,
              .reads = kReads},
     .evaluate = buffers_default_min},
    {.info = {.id = "sysctl-tcp-mem-above-ram",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "TCP may use more memory than there is",
              .true_when = "The third number of net.ipv4.tcp_mem, which counts in pages, is more than the "
                           "machine's memory. Clear outside the first network namespace.",
              .clients_see =
                  "Nothing yet; under load the machine runs out of memory before TCP starts to save it.",
              .summary = "net.ipv4.tcp_mem lets TCP use {bytes}[ ({place})], but the machine has {ram}: as a "
                         "limit it has no effect. It counts in pages, not in bytes.",
              .advice = kTcpMemAdvice,
              .reads = "/proc/sys, /proc/meminfo, /proc/net/sockstat; where it is set: sysctl.d"},
     .scope = RuleScope::machine,
     .evaluate = tcp_mem_above_ram},
    {.info = {.id = "sysctl-timestamps-off-with-tw-reuse",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "tcp_tw_reuse without timestamps",
              .true_when = "net.ipv4.tcp_tw_reuse is 1 and net.ipv4.tcp_timestamps is 0.",
              .clients_see = "Nothing; connections from here can run out of local ports (errno 99) although "
                             "reuse seems to be on.",
              .summary = "net.ipv4.tcp_tw_reuse is 1 and net.ipv4.tcp_timestamps is 0[ ({place})]: without "
                         "timestamps no port in TIME_WAIT is ever reused.",
              .advice = kTimestampsAdvice,
              .not_helping = kTimestampsNot,
              .reads = kReads},
     .evaluate = timestamps_off_with_tw_reuse},
    {.info = {.id = "sysctl-port-range-small",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "Few ports for outgoing connections",
              .true_when = "net.ipv4.ip_local_port_range, minus what net.ipv4.ip_local_reserved_ports takes "
                           "out of it, has fewer than {t.port_range_small} of the 28232 ports of the "
                           "kernel's default; a warning below {t.port_range_tiny}.",
              .clients_see =
                  "Nothing yet; programs here that connect often to one destination fail (errno 99).",
              .summary = "net.ipv4.ip_local_port_range is {value}[ ({place})]: one address can have {ports} "
                         "connections to one destination at a time, including those in TIME_WAIT; the "
                         "kernel's default range has 28232 ports.",
              .advice = kRangeAdvice,
              .not_helping = kRangeNot,
              .reads = kReads},
     .evaluate = port_range_small},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> settings_rules() { return kRules; }

}  // namespace tcpdiag
