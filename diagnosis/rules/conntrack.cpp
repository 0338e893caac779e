// SPDX-License-Identifier: Apache-2.0
// Connection tracking: each namespace's own entries against the machine's limit.
#include "core/facts/conntrack.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "core/facts/listeners.h"
#include "core/saturating.h"
#include "diagnosis/evidence.h"
#include "diagnosis/log_lines.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kLimit = "net.netfilter.nf_conntrack_max";

// The table of a namespace over the window. What of the counters is not known counts as no increase: entries
// and limit alone tell whether it is full.
struct Table {
  std::uint64_t entries = 0, peak = 0, limit = 0;
  std::uint64_t dropped = 0, evicted = 0;

  [[nodiscard]] double share() const { return static_cast<double>(peak) / static_cast<double>(limit); }
  // A packet is dropped for other reasons too; close to the limit it is for this one.
  [[nodiscard]] bool is_full(const Thresholds& t) const {
    return peak >= limit || evicted > 0 || (dropped > 0 && share() >= t.conntrack_near);
  }
};

// The end of the window in which the limit was the present one: a larger one makes what was before the past.
Window with_present_limit(const Window& window, Count limit) {
  auto since = window.now();
  for (std::size_t i = window.size(); i-- > 0;) {
    const auto* then = window.view(i).conntrack.get();
    if (then != nullptr && then->limit != limit) break;
    since = window.snapshot(i).at;
  }
  return window.last(std::chrono::floor<std::chrono::seconds>(window.now() - since));
}

// Empty: nf_conntrack is not loaded, or nf_conntrack_max is 0, which means no limit.
Result<std::optional<Table>> table_of(const Window& whole) {
  const auto now = whole.latest(&NetnsView::conntrack);
  if (!now) return tl::unexpected<Error>(now.error());
  const auto& conntrack = **now;
  if (!conntrack.entries && !conntrack.limit) return std::nullopt;
  if (!conntrack.entries || !conntrack.limit)
    return unexpected(Errc::missing, "conntrack: entries without a limit, or a limit without entries");
  if (*conntrack.limit == 0) return std::nullopt;
  const auto window = with_present_limit(whole, conntrack.limit);
  Table table{.entries = *conntrack.entries, .peak = *conntrack.entries, .limit = *conntrack.limit};
  for (const auto& reading : window.readings(&NetnsView::conntrack))
    if (reading.value->entries) table.peak = std::max(table.peak, *reading.value->entries);
  const auto increase = [&](Count Conntrack::* counter, std::string_view name) {
    const auto risen = window.increase(&NetnsView::conntrack, counter, name);
    return risen ? *risen : 0;
  };
  table.dropped = increase(&Conntrack::drops, "drop");
  table.evicted = increase(&Conntrack::early_drops, "early_drop");
  return table;
}

void add_established_timeout(Facts& facts, const Window& window) {
  constexpr std::chrono::seconds kDay = std::chrono::hours(24);
  const auto timeout = window.setting("net.netfilter.nf_conntrack_tcp_timeout_established");
  if (timeout && *timeout > kDay.count())
    facts.values["established_timeout"] = duration_text(std::chrono::seconds(*timeout));
}

Facts facts_about(const Table& table, const Window& window) {
  constexpr double kBytesPerEntry = 400;
  Facts facts;
  add_increase(facts, window, "nf_conntrack_count, peak", table.peak, "entries");
  facts.bites = Bites{.limit = std::string(kLimit), .value = static_cast<double>(table.limit)};
  facts.values["entries"] = std::to_string(table.peak);
  facts.values["limit"] = std::to_string(table.limit);
  facts.values["share"] = percent_text(table.share());
  const auto new_limit = saturating_multiply<std::uint64_t>(table.limit, 2);
  facts.values["new_limit"] = std::to_string(new_limit);
  facts.values["new_memory"] = bytes_text(static_cast<double>(new_limit) * kBytesPerEntry);
  if (const auto buckets = window.host_netns().setting("net.netfilter.nf_conntrack_buckets"))
    facts.values["new_buckets"] = std::to_string(saturating_multiply<std::int64_t>(*buckets, 2));
  add_established_timeout(facts, window);
  return facts;
}

void add_increase(Facts& facts, const Window& window, std::string_view name, ValueName value_name,
                  std::uint64_t increase, std::string_view noun) {
  if (increase == 0) return;
  add_increase(facts, window, std::string(name), increase, std::string(noun) + "s");
  facts.values[value_name] = counted(increase, noun);
}

Verdict conntrack_full(const Window& window, const Thresholds& t) {
  const auto table = table_of(window);
  if (!table) return Verdict::unknown(table.error());
  if (!*table || !(*table)->is_full(t)) return Verdict::clear();
  auto facts = facts_about(**table, window);
  add_increase(facts, window, "drop (stat/nf_conntrack)", "dropped", (*table)->dropped, "packet");
  add_increase(facts, window, "early_drop (stat/nf_conntrack)", "evicted", (*table)->evicted, "connection");
  return Verdict::found({facts});
}

// When the table will be full if it goes on growing as within the window; empty: not soon.
std::optional<std::chrono::seconds> full_in(const Window& window, const Table& table) {
  const auto readings = window.readings(&NetnsView::conntrack);
  const auto& first = readings.front();
  const auto seconds = std::chrono::duration<double>(readings.back().at - first.at).count();
  if (seconds < 1 || !first.value->entries || *first.value->entries >= table.entries) return std::nullopt;
  const auto per_second = static_cast<double>(table.entries - *first.value->entries) / seconds;
  constexpr double kWithinADay = 86400;
  const auto left = static_cast<double>(table.limit - table.entries) / per_second;
  if (left > kWithinADay) return std::nullopt;
  return std::chrono::seconds(saturating_cast<std::int64_t>(left));
}

Verdict conntrack_near(const Window& window, const Thresholds& t) {
  constexpr std::chrono::seconds kPresent{30};  // the whole window is for the forecast
  const auto present = window.last(kPresent);
  const auto table = table_of(present);
  if (!table) return Verdict::unknown(table.error());
  if (!*table || (*table)->share() < t.conntrack_near || (*table)->is_full(t)) return Verdict::clear();
  auto facts = facts_about(**table, present);
  if ((*table)->share() >= t.conntrack_nearly_full) facts.severity = Severity::critical;
  if (const auto forecast = full_in(window, **table)) facts.values["full_in"] = duration_text(*forecast);
  return Verdict::found({facts});
}

// Until when the tables of all namespaces that are watched are known: a drop that the log tells of may not
// have been read yet. One that is new has nothing to be compared with yet. Empty: none has connection
// tracking.
Result<std::optional<TimePoint>> tables_known_until(const Window& window) {
  std::optional<TimePoint> until;
  for (const auto& netns : window.newest().namespaces) {
    const auto view = window.in(netns.id);
    const auto conntrack = view.latest(&NetnsView::conntrack);
    const bool is_new = view.snapshot(0).at > window.snapshot(0).at;
    if (!conntrack && is_new) continue;
    if (!conntrack) return tl::unexpected<Error>(conntrack.error());
    if (!(*conntrack)->entries) continue;
    const auto dropped = view.increase(&NetnsView::conntrack, &Conntrack::drops, "drop");
    if (!dropped && !is_new) return tl::unexpected<Error>(dropped.error());
    const auto read_at = view.netns().conntrack.read_at;
    until = until ? std::min(*until, read_at) : read_at;
  }
  return until;
}

// The namespaces that were there at some time within the window, also those that are gone.
std::set<NetnsId> namespaces_in(const Window& window) {
  std::set<NetnsId> ids;
  for (std::size_t i = 0; i < window.size(); ++i)
    for (const auto& netns : window.snapshot(i).namespaces) ids.insert(netns.id);
  return ids;
}

// Drops of the time while it was watched; of one that appeared in that time, all that it has had.
bool has_dropped(const Window& window, NetnsId netns) {
  std::optional<std::uint64_t> first, last;
  bool was_there = false;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const auto* view = window.snapshot(i).find(netns);
    if (view == nullptr) continue;
    was_there = was_there || i == 0;
    if (const auto* conntrack = view->conntrack.get(); conntrack != nullptr && conntrack->drops) {
      if (!first) first = was_there ? conntrack->drops : Count(0);
      last = conntrack->drops;
    }
  }
  return last > first;
}

bool any_dropped(const Window& window) {
  const auto all = namespaces_in(window);
  return std::ranges::any_of(all, [&](NetnsId netns) { return has_dropped(window, netns); });
}

// The inode in "table full in netns 4026532177, dropping packet", which Linux 6.15 and later name.
std::string netns_inode(std::string_view line) {
  constexpr std::string_view kBefore = " in netns ";
  const auto at = line.find(kBefore);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + kBefore.size());
  return std::string(line.substr(0, line.find_first_not_of("0123456789")));
}

// Whoever drops a packet for a full table counts it as dropped, in the namespace whose table it is.
Verdict conntrack_full_elsewhere(const Window& window, const Thresholds&) {
  const auto all = log_lines(window, KernelEventKind::conntrack_full);
  if (!all) return Verdict::unknown(all.error());
  if (all->count == 0) return Verdict::clear();
  const auto until = tables_known_until(window);
  if (!until) return Verdict::unknown(until.error());
  const auto lines = log_lines(window, KernelEventKind::conntrack_full, until->value_or(TimePoint::max()));
  if (!lines || lines->count == 0 || any_dropped(window)) return Verdict::clear();
  Facts facts{.subject = {.kind = SubjectKind::host}};
  add_increase(facts, window, "kernel log: table full", "lines", lines->count, "line");
  facts.values["lines"] = times_text(lines->count);
  if (const auto inode = netns_inode(lines->latest); !inode.empty()) facts.values["inode"] = inode;
  if (const auto limit = window.setting(kLimit)) {
    facts.bites = Bites{.limit = std::string(kLimit), .value = static_cast<double>(*limit)};
    facts.values["limit"] = std::to_string(*limit);
    facts.values["new_limit"] = std::to_string(saturating_multiply<std::int64_t>(*limit, 2));
  }
  return Verdict::found({facts});
}

constexpr std::string_view kFamily = "Connection tracking";
constexpr std::string_view kReads =
    "/proc/sys/net/netfilter/nf_conntrack_count and nf_conntrack_max; if it is there "
    "/proc/net/stat/nf_conntrack";

constexpr AdviceText kRaise{
    "Raise net.netfilter.nf_conntrack_max, which applies to every namespace.",
    "sysctl -w net.netfilter.nf_conntrack_max={new_limit}", "New connections get in at once.",
    "Kernel memory: about 400 bytes for each entry, {new_memory} when all {new_limit} are in use."};
constexpr AdviceText kBuckets{"Let the hash table grow with it.",
                              "sysctl -w net.netfilter.nf_conntrack_buckets={new_buckets}",
                              "Looking up an entry stays as fast as it is now.",
                              "Eight bytes for each bucket; a short stall while the table is copied."};
constexpr AdviceText kPermanent{
    "Make it permanent.",
    "echo 'net.netfilter.nf_conntrack_max = {new_limit}' > /etc/sysctl.d/zz-conntrack.conf",
    "It is set at every boot.",
    "Has no effect if nf_conntrack is loaded after that: name it in /etc/modules-load.d/."};
constexpr AdviceText kWhatFillsIt{
    "Look at what fills it: TCP connections by tracked state.",
    "conntrack -L -p tcp 2>/dev/null | tr -s ' ' | cut -d' ' -f4 | sort | uniq -c",
    "Many ESTABLISHED that no longer exist are left over until their timeout; many SYN_SENT or SYN_RECV "
    "point to a scan or a flood.",
    ""};
constexpr AdviceText kTimeout{
    "Forget idle connections sooner than after {established_timeout}.",
    "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=86400",
    "Connections that ended without a trace no longer take up entries for more than a day.",
    "A connection that is idle for longer loses its entry; behind NAT or a firewall it then hangs or is "
    "reset. Keep-alive probes within a day prevent that."};
constexpr AdviceText kUntracked{
    "Exempt traffic that needs neither NAT nor stateful rules from tracking, with nftables notrack rules.",
    "", "Its packets take up no entries.",
    "Rules on established or related packets no longer match it: it needs rules of its own in both "
    "directions."};
constexpr std::array kFullAdvice = {kRaise, kBuckets, kPermanent, kWhatFillsIt, kTimeout, kUntracked};
constexpr auto kElsewhereAdvice = std::to_array<AdviceText>({
    {"Find the namespace: the log names it by its inode, {inode}.", "lsns -t net {inode}",
     "Shows the processes that live in it.", ""},
    {"Find the namespace: look at each container's own table.",
     "for n in $(lsns -rnt net -o PID); do nsenter -t $n -n sh -c 'echo '$n' $(cat "
     "/proc/sys/net/netfilter/nf_conntrack_count)'; done",
     "Shows the first process of each namespace and the entries of its table.", ""},
    {"Raise net.netfilter.nf_conntrack_max, which applies to every namespace.",
     "sysctl -w net.netfilter.nf_conntrack_max={new_limit}", "New connections get in at once.",
     "Kernel memory: about 400 bytes for each entry, in each namespace that fills its table."},
});

constexpr std::string_view kNot[] = {
    "Raising net.core.somaxconn or a listen backlog: the packets are dropped before TCP sees them.",
    "Raising net.netfilter.nf_conntrack_buckets alone: it is the size of the hash table, not the limit.",
};
constexpr std::string_view kConsequences[] = {
    "\"nf_conntrack: table full, dropping packet\" in the kernel log"};

constexpr Rule kRules[] = {
    {.info = {.id = "conntrack-full",
              .family = kFamily,
              .severity = Severity::critical,
              .title = "Connection tracking full: packets dropped",
              .true_when = "The entries reach net.netfilter.nf_conntrack_max, other entries are thrown out "
                           "early to make room, or packets are dropped close to the limit. Clear where "
                           "nf_conntrack is not loaded or nf_conntrack_max is 0, which means no limit.",
              .clients_see = "New connections time out, to and from this host; established ones go on.",
              .summary = "Connection tracking is full: {entries} entries of {limit}[; {dropped} dropped in "
                         "{window}][; {evicted} thrown out to make room].",
              .advice = kFullAdvice,
              .not_helping = kNot,
              .consequences = kConsequences,
              .reads = kReads},
     .evaluate = conntrack_full},
    {.info =
         {.id = "conntrack-near",
          .family = kFamily,
          .severity = Severity::warning,
          .title = "Connection tracking nearly full",
          .true_when =
              "The entries are at {t.conntrack_near} of net.netfilter.nf_conntrack_max or more; critical "
              "from {t.conntrack_nearly_full} up, where the kernel starts to throw out closing connections.",
          .clients_see = "Nothing yet; when it is full, new connections time out.",
          .summary = "Connection tracking is nearly full: {entries} entries of {limit}, {share}[; at this "
                     "rate it will be full in {full_in}].",
          .advice = kFullAdvice,
          .not_helping = kNot,
          .reads = kReads},
     .lookback = std::chrono::seconds(300),
     .evaluate = conntrack_near},
    {.info = {.id = "conntrack-full-elsewhere",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "Connection tracking full in a namespace that is not watched",
              .true_when = "The kernel logs that a connection tracking table is full, and no namespace that "
                           "is watched dropped a packet.",
              .clients_see = "New connections to and from a container or another network namespace of this "
                             "machine time out.",
              .summary = "The kernel logged {lines} in {window} that a connection tracking table is full, "
                         "and it is not in a watched namespace[: it is in the one with inode {inode}][; the "
                         "limit of each is {limit}].",
              .advice = kElsewhereAdvice,
              .not_helping = kNot,
              .reads = "/dev/kmsg, /proc/net/stat/nf_conntrack"},
     .scope = RuleScope::machine,
     .evaluate = conntrack_full_elsewhere},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> conntrack_rules() { return kRules; }

}  // namespace tcpdiag
