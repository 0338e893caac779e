// SPDX-License-Identifier: Apache-2.0
// Connections that the peer has closed and this end has not: because the program forgets to, or because it
// has never accepted them. And what is left of them when the kernel has ended them.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "core/owners.h"
#include "diagnosis/course.h"
#include "diagnosis/evidence.h"
#include "diagnosis/owner_values.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/unseen_processes.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

using std::chrono::seconds;

// Three dumps in a row.
constexpr seconds kGrace{7};
constexpr seconds kLasts{6};
// Over so long a time nearly all of the old ones must stay: those of a slow program come and go.
constexpr seconds kStays{10};
constexpr double kNearlyAll = 0.9;

// What a leak of descriptors leads to.
const std::vector<std::string_view> kWithoutDescriptors = {"fd-limit-near", "fd-limit-reached",
                                                           "fd-limit-accept-blocked"};

// A service port, and on which side of the connections this host is.
struct Service {
  bool server = false;
  std::uint16_t port = 0;

  auto operator<=>(const Service&) const = default;
};

Service service_of(const CloseWait& each) { return {each.server, each.port}; }

// The oldest come first.
std::span<const CloseWait> older_than(const Dated<Connections>& reading, seconds age) {
  const auto& all = reading.value->close_wait;
  const auto end = std::ranges::upper_bound(all, reading.at - age, {}, &CloseWait::first_seen);
  return {all.begin(), end};
}

using Counts = std::map<Service, std::uint64_t>;

Counts by_service(std::span<const CloseWait> close_waits) {
  Counts counts;
  for (const auto& each : close_waits) ++counts[service_of(each)];
  return counts;
}

// The fewest that each had at some readings of the window, however old; a few are enough to see growth.
std::uint64_t fewest(const std::vector<Dated<Connections>>& readings, Service service) {
  constexpr std::size_t kLooks = 6;
  std::uint64_t least = UINT64_MAX;
  const auto step = std::max<std::size_t>(1, readings.size() / kLooks);
  for (std::size_t i = 0; i < readings.size(); i += step) {
    const auto count = std::ranges::count(readings[i].value->close_wait, service, service_of);
    least = std::min(least, static_cast<std::uint64_t>(count));
  }
  return least;
}

// Whether those that were old some seconds ago are still there.
bool stay(const std::vector<Dated<Connections>>& readings, Service service) {
  const auto& now = readings.back();
  const auto before = std::ranges::find_if(
      readings.rbegin(), readings.rend(), [&](const auto& reading) { return now.at - reading.at >= kStays; });
  if (before == readings.rend()) return true;
  std::set<std::uint64_t> present;
  for (const auto& each : now.value->close_wait)
    if (service_of(each) == service) present.insert(each.cookie);
  std::uint64_t old = 0, still = 0;
  for (const auto& each : older_than(*before, kGrace)) {
    if (service_of(each) != service) continue;
    ++old;
    still += present.contains(each.cookie) ? 1U : 0U;
  }
  return static_cast<double>(still) >= kNearlyAll * static_cast<double>(old);
}

// Whether they were looked at for so long that what does not grow can be called standing.
bool are_standing(const std::vector<Dated<Connections>>& readings) {
  return readings.back().at - readings.front().at >= 2 * kStays;
}

// What one process holds, or what nobody is known to hold of one service.
struct Held {
  const Process* owner = nullptr;
  Service service;  // where it holds most, of those that leak if any does
  std::uint64_t in_service = 0;
  std::uint64_t count = 0;
  bool leaks = false;
  TimePoint oldest = TimePoint::max();

  void add(const Held& other) {
    if (std::tie(leaks, in_service) < std::tie(other.leaks, other.in_service))
      std::tie(service, in_service) = std::tie(other.service, other.in_service);
    count += other.count;
    leaks = leaks || other.leaks;
    oldest = std::min(oldest, other.oldest);
  }
  // Whether the process is about to run out of descriptors because of them.
  [[nodiscard]] bool drains(const Thresholds& t) const {
    return owner != nullptr && owner->fd_ratio() >= t.fd_near && 2 * count >= *owner->open_fds;
  }
};

class Owners {
 public:
  explicit Owners(const Window& window) : window_(window), processes_(window.host().processes.get()) {
    if (processes_ == nullptr) return;
    for (const auto& process : processes_->processes)
      for (const auto inode : process.close_wait_inodes) by_inode_.try_emplace(inode, &process);
  }

  [[nodiscard]] const Process* of(const CloseWait& each) const {
    const auto owner = by_inode_.find(each.inode);
    return owner == by_inode_.end() ? nullptr : owner->second;
  }

  // Of those that were not looked for: who accepted them, most likely.
  [[nodiscard]] const Process* of(Service service) const {
    const auto listeners = window_.latest(&NetnsView::listeners);
    if (!service.server || !listeners || processes_ == nullptr) return nullptr;
    for (const auto& listener : (*listeners)->listeners)
      if (listener.endpoint.port == service.port)
        if (const auto* owner = ListenerOwners(*processes_).main(listener)) return owner;
    return nullptr;
  }

 private:
  const Window& window_;
  const Processes* processes_;
  std::unordered_map<std::uint32_t, const Process*> by_inode_;
};

using ByOwner = std::map<const Process*, Held>;

std::map<Service, ByOwner> by_service_and_owner(const Owners& owners, std::span<const CloseWait> old,
                                                const std::set<Service>& leaking) {
  std::map<Service, ByOwner> services;
  for (const auto& each : old) {
    const auto* owner = owners.of(each);
    auto& held = services[service_of(each)][owner];
    held.owner = owner;
    held.service = service_of(each);
    held.leaks = leaking.contains(held.service);
    held.in_service = ++held.count;
    held.oldest = std::min(held.oldest, each.first_seen);
  }
  return services;
}

// Those whose holder is not known go to whoever holds most of the service, or is likely to.
const Process* likely_owner(const Owners& owners, Service service, const ByOwner& by_owner) {
  const Held* most = nullptr;
  for (const auto& [owner, held] : by_owner)
    if (owner != nullptr && (most == nullptr || held.count > most->count)) most = &held;
  return most == nullptr ? owners.of(service) : most->owner;
}

std::vector<Held> held_by_owners(const Window& window, std::span<const CloseWait> old,
                                 const std::set<Service>& leaking) {
  const Owners owners(window);
  std::map<std::tuple<const Process*, Service>, Held> merged;
  for (const auto& [service, by_owner] : by_service_and_owner(owners, old, leaking)) {
    const auto* likely = likely_owner(owners, service, by_owner);
    for (const auto& [owner, held] : by_owner) {
      const auto* holder = owner == nullptr ? likely : owner;
      auto& sum = merged[{holder, holder == nullptr ? service : Service{}}];
      sum.owner = holder;
      sum.add(held);
    }
  }
  std::vector<Held> all;
  all.reserve(merged.size());
  for (const auto& [key, held] : merged) all.push_back(held);
  return all;
}

Subject subject_of(const Window& window, const Held& held) {
  if (held.owner != nullptr) return process_subject(*held.owner);
  if (held.service.server) return port_subject(window, held.service.port);
  return {.kind = SubjectKind::destination, .port = held.service.port};
}

Facts facts_about(const Window& window, const Held& held, const Thresholds& t) {
  Facts facts{.subject = subject_of(window, held)};
  const auto age = std::chrono::floor<seconds>(window.now() - held.oldest);
  add_reading(facts, "sockets in CLOSE_WAIT with an inode", "count", static_cast<double>(held.count),
              "sockets");
  facts.evidence.push_back({"age of the oldest, at least", static_cast<double>(age.count()), "seconds", {}});
  facts.values["age"] = duration_text(age);
  facts.values[held.service.server ? "server_port" : "client_port"] = std::to_string(held.service.port);
  facts.values["holder"] = "a process that is not known";
  if (held.owner == nullptr) return facts;
  facts.values["holder"] = to_string(facts.subject);
  if (!held.drains(t)) return facts;
  facts.severity = Severity::critical;
  facts.explains = kWithoutDescriptors;
  add_reading(facts, "open fds", "open", static_cast<double>(*held.owner->open_fds), "descriptors");
  facts.values["limit"] = std::to_string(*held.owner->soft_limit);
  const auto twice = 2 * *held.owner->soft_limit;
  const bool below_hard = held.owner->hard_limit && twice <= *held.owner->hard_limit;
  facts.values["new_limits"] =
      std::to_string(twice) + (below_hard ? ":" : "");  // without it prlimit sets both
  facts.bites = Bites{.limit = "RLIMIT_NOFILE", .value = static_cast<double>(*held.owner->soft_limit)};
  return facts;
}

// A client's pool may hold as many as it had idle connections when the server closed them.
std::uint64_t many(Service service, const Thresholds& t) {
  return service.server ? t.close_wait_min : t.close_wait_client_min;
}

Verdict close_wait_leak(const Window& window, const Thresholds& t) {
  const auto latest = window.latest(&NetnsView::connections);
  if (!latest) return Verdict::unknown(latest.error());
  const auto readings = window.readings(&NetnsView::connections);
  const auto old = older_than(readings.back(), kGrace);
  std::set<Service> growing, leaking;
  for (const auto& [service, count] : by_service(old)) {
    if (count < many(service, t) || !stay(readings, service)) continue;
    const bool grows = count >= fewest(readings, service) + many(service, t);
    if (grows) growing.insert(service);
    if (grows || (count >= t.close_wait_standing_min && are_standing(readings))) leaking.insert(service);
  }
  std::vector<Facts> found;
  for (const auto& held : held_by_owners(window, old, leaking)) {
    if (held.count < t.close_wait_min || !(held.leaks || held.drains(t))) continue;
    found.push_back(facts_about(window, held, t));
    if (held.drains(t) || growing.contains(held.service)) continue;
    found.back().severity = Severity::info;
    found.back().values["standing"] = "";
  }
  return Verdict::found(std::move(found));
}

// CLOSE_WAIT that no process holds. Those that are held are listed, as far as there is room.
std::uint64_t unaccepted_close_wait(const Connections& connections, std::uint16_t port) {
  const auto* row = find_server_port(connections, port);
  if (row == nullptr) return 0;
  const auto held =
      static_cast<std::uint64_t>(std::ranges::count(connections.close_wait, Service{true, port}, service_of));
  const auto all = std::uint64_t{row->count(TcpState::close_wait)};
  const auto known = held + connections.close_wait_cut;
  return std::min<std::uint64_t>(row->unaccepted, all > known ? all - known : 0);
}

// Of those that waited at the dump before, how many still do: a server that empties its queue now and then
// meets many that have closed meanwhile, as health checks do.
std::uint64_t staying(const std::vector<Dated<Connections>>& readings, const PortConnections& now) {
  if (readings.size() < 2 || !now.unaccepted_left) return now.unaccepted;
  const auto* then = find_server_port(*readings[readings.size() - 2].value, now.port);
  if (then == nullptr) return 0;
  return then->unaccepted - std::min<std::uint64_t>(then->unaccepted, *now.unaccepted_left);
}

// The owner's main thread, in words for the summary.
void add_owner_state(Facts& facts, const Window& window) {
  const auto* processes = window.host().processes.get();
  if (processes == nullptr || !facts.subject.pid) return;
  const auto owner = std::ranges::find(processes->processes, *facts.subject.pid, &Process::pid);
  if (owner == processes->processes.end()) return;
  if (owner->state == 'T' || owner->state == 't') facts.values["stopped"] = "stopped";
  if (!owner->wait_channel.empty()) facts.values["wait_channel"] = owner->wait_channel;
}

Verdict close_wait_unaccepted(const Window& window, const Thresholds& t) {
  const auto latest = window.latest(&NetnsView::connections);
  if (!latest) return Verdict::unknown(latest.error());
  const auto readings = window.readings(&NetnsView::connections);
  const auto listeners = window.latest(&NetnsView::listeners);
  if (!listeners) return Verdict::unknown(listeners.error());
  std::vector<Facts> found;
  for (const auto& row : (*latest)->server) {
    if (row.count(TcpState::close_wait) < t.unaccepted_close_wait_min) continue;
    // The queue went with its listener, which may be later than the last dump.
    const bool listened_on = std::ranges::any_of((*listeners)->listeners, [&](const Listener& listener) {
      return listener.endpoint.port == row.port;
    });
    if (!listened_on || staying(readings, row) < t.unaccepted_close_wait_min) continue;
    const auto lasted = held_for(readings, [&](const Connections& then) {
      return unaccepted_close_wait(then, row.port) >= t.unaccepted_close_wait_min;
    });
    if (!lasted || *lasted < kLasts) continue;
    Facts facts{.subject = port_subject(window, row.port)};
    add_reading(facts, "un-accepted connections in CLOSE_WAIT (inode 0)", "gave_up",
                static_cast<double>(unaccepted_close_wait(**latest, row.port)), "connections");
    add_reading(facts, "un-accepted connections", "waiting", row.unaccepted, "connections");
    add_owner_state(facts, window);
    found.push_back(std::move(facts));
  }
  return Verdict::found(std::move(found));
}

Verdict closed_socket_fd_leak(const Window& window, const Thresholds& t) {
  const auto processes = window.latest(&Snapshot::processes);
  if (!processes) return Verdict::unknown(processes.error());
  const auto& all = (*processes)->processes;
  const auto is_known = [](const Process& process) { return process.closed_sockets.has_value(); };
  if (!all.empty() && std::ranges::none_of(all, is_known))
    return Verdict::unknown({Errc::not_read, "processes: of none the closed sockets are known"});
  std::vector<Facts> found;
  for (const auto& process : all) {
    if (!process.closed_sockets || *process.closed_sockets < t.closed_sockets_min) continue;
    Facts facts{.subject = process_subject(process)};
    add_reading(facts, "closed sockets it holds", "closed", static_cast<double>(*process.closed_sockets),
                "sockets");
    if (process.open_fds)
      add_reading(facts, "open fds", "open", static_cast<double>(*process.open_fds), "descriptors");
    if (process.soft_limit) facts.values["limit"] = std::to_string(*process.soft_limit);
    if (process.fd_ratio() >= t.fd_near && 2 * *process.closed_sockets >= *process.open_fds)
      facts.explains = kWithoutDescriptors;
    found.push_back(std::move(facts));
  }
  return Verdict::found(std::move(found)).in_part(unseen_closed_sockets(**processes, t.closed_sockets_min));
}

constexpr std::string_view kFamily = "Closing";

constexpr AdviceText kRestart{"Restart it if descriptors run out before it is mended.", kRestartCommand,
                              "All its descriptors are closed.",
                              "Its other connections are cut; the leak begins anew."};

constexpr std::array kLeakAdvice = {
    AdviceText{"Mend the program: it must close() a socket when read() returns 0, and on every way out after "
               "an error.",
               "", "Nothing else ends a connection in CLOSE_WAIT.", ""},
    AdviceText{"See which connections it does not close.",
               "ss -tnp state close-wait[ '( sport = :{server_port} )'][ '( dport = :{client_port} )'] | "
               "head -n 20",
               "Recv-Q above 1 means that it has not even read what the peer sent.", ""},
    AdviceText{"See where its threads stand.",
               "cat /proc/{pid}/wchan; gdb -p {pid} -batch -ex 'thread apply all bt'",
               "Threads that all wait for the same thing are slow rather than forgetful.",
               "gdb stops the process for a second or two."},
    AdviceText{"To gain time, raise the limit of the running process.",
               "prlimit --pid {pid} --nofile={new_limits}", "It accepts again at once.",
               "Only until as many have leaked again; above its hard limit it takes CAP_SYS_RESOURCE."},
    kRestart};
constexpr std::string_view kLeakNot[] = {
    "Any sysctl: CLOSE_WAIT has no timer. net.ipv4.tcp_fin_timeout is for FIN_WAIT2.",
    "net.ipv4.tcp_keepalive_time: probes end the connection at best; its descriptor stays open.",
    "A higher limit of descriptors for good: it only takes longer until they run out."};
constexpr std::string_view kLeakExplains[] = {"closed-socket-fd-leak"};

constexpr auto kUnacceptedAdvice = std::to_array<AdviceText>({
    {"Find out what {owner} waits for: it does not call accept() in time.",
     "cat /proc/{pid}/stack /proc/{pid}/wchan", "Shows where in the kernel its main thread stands.", ""},
    {"Take a stack trace of it before you restart it: afterwards the reason is gone.",
     "gdb -p {pid} -batch -ex 'thread apply all bt'", "Shows what every thread waits for.",
     "Stops the process for a second or two."},
    {"See who has given up.", "ss -tn state close-wait '( sport = :{port} )' | head -n 20",
     "Shows the clients, and in Recv-Q whether they had sent a request.", ""},
});
constexpr std::string_view kUnacceptedNot[] = {
    "Looking for a leak: no descriptor is held for these, the program has never seen them.",
    "A larger backlog: clients do not wait any longer than they do now.",
    "Any sysctl: CLOSE_WAIT has no timer."};

constexpr std::array kClosedAdvice = {
    AdviceText{
        "Mend the program: it must close() a socket whose connection has ended, also one that has failed.",
        "", "Nothing but close() frees the descriptor.", ""},
    AdviceText{"See what it holds.", "tcpdiag fds {pid}", "Shows its descriptors by kind.", ""}, kRestart};
constexpr std::string_view kClosedNot[] = {
    "Counting CLOSE_WAIT: these connections have left the socket table, so ss shows none and all looks "
    "well.",
    "net.ipv4.tcp_keepalive_time: it is what ended the connections; it frees no descriptor."};

// clang-format off
const Rule kRules[] = {
    {.info = {.id = "close-wait-leak", .family = kFamily, .severity = Severity::warning,
              .title = "A program does not close its connections",
              .true_when = "Connections that a process holds and whose peer has closed stay in CLOSE_WAIT over three dumps of the socket table, and have grown "
                           "in number within five minutes. Info when there are at least 100 that have not grown in 20 s. Critical when they are half of the descriptors of a process that has used 80 % of its limit.",
              .clients_see = "Nothing yet, or a request that is never answered. When the descriptors run out, nobody is accepted any more.",
              .summary = "{holder} does not close its connections: the peers of {count} [on its port {server_port}][to port {client_port}] have closed, the oldest "
                         "at least {age} ago, and they stay in CLOSE_WAIT[; they have become no more since they are watched{?standing}]"
                         "[. They take most of its {open} descriptors, and its limit is {limit}].",
              .advice = kLeakAdvice, .not_helping = kLeakNot, .explains = kLeakExplains,
              .reads = "sock_diag; if they can be read /proc/PID/fd, /proc/PID/limits"},
     .lookback = History::kSpan, .evaluate = close_wait_leak},
    {.info = {.id = "close-wait-unaccepted", .family = kFamily, .severity = Severity::warning,
              .title = "Clients gave up before they were accepted",
              .true_when = "Over three dumps of the socket table connections of a service port are in CLOSE_WAIT that no accept() has taken (inode 0).",
              .clients_see = "Connecting works, then nothing comes until their timeout.",
              .summary = "{gave_up} clients of {listener} gave up before they were accepted: they have closed, and their connections wait in the accept "
                         "queue in CLOSE_WAIT[; {owner} is {stopped}][; {owner} sleeps in the kernel function {wait_channel}].",
              .advice = kUnacceptedAdvice, .not_helping = kUnacceptedNot, .reads = "sock_diag; if they can be read /proc/PID"},
     .lookback = seconds(30), .evaluate = close_wait_unaccepted},
    {.info = {.id = "closed-socket-fd-leak", .family = kFamily, .severity = Severity::warning,
              .title = "A program keeps descriptors of connections that are over",
              .true_when = "A process holds TCP sockets that the kernel's socket table does not show any more, at two looks some seconds apart.",
              .clients_see = "Nothing yet. When the descriptors run out, nobody is accepted any more.",
              .summary = "{owner} holds {closed} TCP sockets whose connections are over: the kernel has ended them, by keep-alive or a reset, and the program does "
                         "not close() them[. It has {open} descriptors open][ and its limit is {limit}].",
              .advice = kClosedAdvice, .not_helping = kClosedNot, .reads = "/proc/PID/fd, sock_diag, /proc/net/sockstat"},
     .scope = RuleScope::machine, .evaluate = closed_socket_fd_leak},
};
// clang-format on

}  // namespace

std::span<const Rule> close_wait_rules() { return kRules; }

}  // namespace tcpdiag
