// SPDX-License-Identifier: Apache-2.0
// Resets that programs cause by the way they close: on this host, or at the other end while a client still
// means to use the connection.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/facts/self_usage.h"
#include "core/saturating.h"
#include "diagnosis/counters.h"
#include "diagnosis/evidence.h"
#include "diagnosis/known_servers.h"
#include "diagnosis/own_addresses.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

std::string parts_text(std::uint64_t unread, std::uint64_t lingering) {
  std::string text;
  if (unread > 0) text = std::to_string(unread) + " with unread data in the socket (TCPAbortOnClose)";
  if (lingering > 0)
    text += (text.empty() ? "" : ", ") + std::to_string(lingering) +
            " with SO_LINGER 0 or while data still arrived (TCPAbortOnData)";
  return text;
}

// The daemon itself; nullptr: it is not known.
const Process* own_process(const Window& window) {
  const auto* self = window.newest().self.get();
  const auto* processes = window.newest().processes.get();
  if (self == nullptr || processes == nullptr || self->pid == 0) return nullptr;
  const auto found = std::ranges::find(processes->processes, self->pid, &Process::pid);
  return found == processes->processes.end() ? nullptr : &*found;
}

// The daemon's own listener is asked by scrapers and resets nobody.
bool is_ours(const Process* self, const Listener& listener) {
  return self != nullptr && std::ranges::any_of(listener.sockets, [self](const ListenerSocket& socket) {
           return std::ranges::find(self->listener_inodes, socket.inode) != self->listener_inodes.end();
         });
}

// The only listener there was in the window, but for the daemon's own. nullptr: there were several, or it is
// not known.
const Listener* only_listener(const Window& window) {
  const auto* self = own_process(window);
  const Listener* only = nullptr;
  for (const auto& reading : window.readings(&NetnsView::listeners)) {
    if (reading.value->cut > 0) return nullptr;
    for (const auto& listener : reading.value->listeners) {
      if (is_ours(self, listener)) continue;
      if (only != nullptr && only->endpoint != listener.endpoint) return nullptr;
      only = &listener;
    }
  }
  return only;
}

// The listener on whose port nearly all connections were that the dumps of the window show; nullptr: there is
// none.
const Listener* busiest_listener(const Window& window) {
  constexpr double kNearlyAll = 0.8;
  constexpr std::uint64_t kEnough = 10;
  const auto listeners = window.latest(&NetnsView::listeners);
  if (!listeners) return nullptr;
  std::map<std::uint16_t, const Listener*> by_port;
  for (const auto& listener : (*listeners)->listeners) by_port.try_emplace(listener.endpoint.port, &listener);
  const auto* self = own_process(window);
  std::map<std::uint16_t, std::uint64_t> seen;  // 0: connections to other hosts
  std::uint64_t all = 0;
  const auto add = [&](std::uint16_t port, std::uint64_t connections) {
    const auto listener = by_port.find(port);
    if (listener != by_port.end() && is_ours(self, *listener->second)) return;
    seen[listener == by_port.end() ? 0 : port] += connections;
    all += connections;
  };
  for (const auto& reading : window.readings(&NetnsView::connections)) {
    for (const auto& row : reading.value->server) add(row.port, row.total() - row.count(TcpState::listen));
    for (const auto& row : reading.value->client) add(row.port, row.total());
  }
  if (all < kEnough) return nullptr;
  for (const auto& [port, connections] : seen)
    if (port != 0 && static_cast<double>(connections) >= kNearlyAll * static_cast<double>(all))
      return by_port[port];
  return nullptr;
}

struct LikelyListener {
  const Listener* listener = nullptr;
  bool only = false;  // else nearly all connections seen were on its port
};

// Whose connections were reset, most likely: those of the only listener there was, when this host connected
// to none, else those of the busiest one. nullptr: that cannot be told.
LikelyListener likely_listener(const Window& window) {
  const auto connected = window.increase(&TcpCounters::active_opens);
  const auto accepted = window.increase(&TcpCounters::passive_opens);
  if (connected && accepted && *connected == 0 && *accepted > 0)
    if (const auto* only = only_listener(window)) return {only, true};
  return {busiest_listener(window), false};
}

// It may also be others', so this is said and not what the finding is about.
void add_listener(Facts& facts, const Window& window) {
  const auto [listener, only] = likely_listener(window);
  if (listener == nullptr) return;
  const auto subject = listener_subject(window, *listener);
  facts.values[only ? ValueName("only_listener") : ValueName("most_listener")] = to_string(subject);
  if (subject.pid) facts.values["likely_owner"] = process_text(subject);
}

struct Opened {
  double here = 0, from_others = 0;  // ActiveOpens, PassiveOpens

  // Both ends of most connections are on this host: what resets them may be either.
  [[nodiscard]] bool both_ends_here() const {
    constexpr double kAbout = 1.1;
    return from_others > 0 && here > 0 && here <= kAbout * from_others;
  }
  // A program that connects to others and does not want their answers resets connections, too, each once.
  [[nodiscard]] bool are_of_servers(double resets) const { return from_others > 0 && resets > here; }
};

Result<Opened> opened_by_end(const Window& window) {
  const auto here = window.increase(&TcpCounters::active_opens),
             from_others = window.increase(&TcpCounters::passive_opens);
  if (!here) return tl::unexpected<Error>(here.error());
  if (!from_others) return tl::unexpected<Error>(from_others.error());
  return Opened{static_cast<double>(*here), static_cast<double>(*from_others)};
}

// The resets that programs asked for by the way they closed.
Result<std::uint64_t> programs_resets(const Window& window) {
  auto unread = window.increase(&TcpCounters::abort_on_close);
  if (!unread) return unread;
  return window.increase(&TcpCounters::abort_on_data).map([&](auto lingering) {
    return saturating_add(*unread, lingering);
  });
}

// Whether clients lose a good part of their requests: what a server closes with unread data. Where both ends
// are here it may be the client that resets, as health checks do; they are not that many.
bool clients_lose(const Opened& opened, double unread, const Thresholds& t) {
  if (unread < t.app_resets_lost_share * (opened.here + opened.from_others)) return false;
  if (opened.are_of_servers(unread)) return unread >= static_cast<double>(t.app_resets_lost_min);
  return opened.both_ends_here() && unread >= static_cast<double>(t.app_resets_local_min);
}

Verdict app_reset(const Window& window, const Thresholds& t) {
  const auto unread = window.increase(&TcpCounters::abort_on_close);
  if (!unread) return Verdict::unknown(unread.error());
  const auto lingering = window.increase(&TcpCounters::abort_on_data);
  if (!lingering) return Verdict::unknown(lingering.error());
  const auto resets = saturating_add(*unread, *lingering);
  const auto by_end = opened_by_end(window);
  const double opened = by_end ? by_end->here + by_end->from_others : 0;  // 0: not known, either
  if (resets < t.app_resets_min || static_cast<double>(resets) < t.app_resets_share * opened)
    return Verdict::clear();
  Facts facts;
  add_increase(facts, window, &TcpCounters::abort_on_close, *unread, "resets");
  add_increase(facts, window, &TcpCounters::abort_on_data, *lingering, "resets");
  facts.values["resets"] = std::to_string(resets);
  facts.values["parts"] = parts_text(*unread, *lingering);
  if (opened > 0 && static_cast<double>(resets) <= opened) {
    add_increase(facts, window, "connections opened", "opened", opened, "connections");
    facts.values["share"] = percent_text(static_cast<double>(resets) / opened);
  }
  if (by_end && clients_lose(*by_end, static_cast<double>(*unread), t)) facts.severity = Severity::warning;
  if (by_end && by_end->both_ends_here() && !by_end->are_of_servers(static_cast<double>(resets)))
    facts.values.flag("either");
  add_listener(facts, window);
  return Verdict::found({facts});
}

// How many accepted connections of a port the latest dumps show, and since when it is about the same number.
struct Steady {
  std::uint64_t connections = 0;
  TimePoint since;
  unsigned dumps = 0;
};

std::optional<Steady> steady_connections(const Window& window, std::uint16_t port) {
  constexpr std::uint64_t kEnough = 10;
  constexpr double kAboutTheSame = 0.05;
  const auto dumps = window.readings(&NetnsView::connections);
  std::optional<Steady> steady;
  for (std::size_t i = dumps.size(); i-- > 0;) {
    const auto* row = find_server_port(*dumps[i].value, port);
    if (row == nullptr) break;
    const std::uint64_t open = row->count(TcpState::established);
    const auto accepted = open - std::min<std::uint64_t>(open, row->unaccepted);
    if (!steady) steady = Steady{accepted, dumps[i].at, 0};
    const auto most = static_cast<double>(std::max(accepted, steady->connections));
    const auto least = static_cast<double>(std::min(accepted, steady->connections));
    if (most - least > kAboutTheSame * most) break;
    steady->since = dumps[i].at;
    ++steady->dumps;
  }
  return steady && steady->connections >= kEnough && steady->dumps >= 2 ? steady : std::nullopt;
}

// A server of which it is known that it closes what comes beyond its own limit of connections. Errors: what
// has to be counted or seen for that is not known.
Verdict own_limit_closes(const Window& window, const Thresholds& t) {
  const auto dump = window.latest(&NetnsView::connections);
  if (!dump) return Verdict::unknown(dump.error());
  const auto listeners = window.latest(&NetnsView::listeners);
  if (!listeners) return Verdict::unknown(listeners.error());
  const auto most = programs_resets(window);
  if (!most) return Verdict::unknown(most.error());
  if (*most < t.app_resets_lost_min) return Verdict::clear();
  const auto* listener = likely_listener(window).listener;
  const auto* owner = listener == nullptr ? nullptr : owner_of(window, listener);
  const auto knob = owner == nullptr ? std::nullopt : closing_knob(owner->comm);
  const auto steady = knob ? steady_connections(window, listener->endpoint.port) : std::nullopt;
  if (!steady || window.now() - steady->since < std::chrono::seconds(3)) return Verdict::clear();

  const auto since = window.last(std::chrono::floor<std::chrono::seconds>(window.now() - steady->since));
  const auto resets = programs_resets(since);
  if (!resets) return Verdict::unknown(resets.error());
  const auto opened = opened_by_end(since);
  if (!opened) return Verdict::unknown(opened.error());
  constexpr double kCountedApart = 1.1;  // more resets than that are not only of new connections
  const auto theirs = opened->from_others, all = static_cast<double>(*resets);
  const auto lost = std::min(all, theirs);
  if (lost < static_cast<double>(t.app_resets_lost_min) || lost < t.app_resets_lost_share * theirs ||
      all > kCountedApart * theirs || !(opened->are_of_servers(lost) || opened->both_ends_here()))
    return Verdict::clear();

  Facts facts{.subject = listener_subject(window, *listener)};
  facts.bites = Bites{.limit = *knob, .value = static_cast<double>(steady->connections)};
  add_increase(facts, since, "TCPAbortOnClose and TCPAbortOnData", "resets", lost, "resets");
  add_increase(facts, since, &TcpCounters::passive_opens, "opened", theirs, "connections");
  add_reading(facts, "accepted connections, unchanged", steady->connections, "connections");
  facts.values["accepted"] = std::to_string(steady->connections);
  facts.values["steady"] = duration_text(since.span());
  facts.values["own_knob"] = *knob;
  // Counters are the namespace's: with another server, or clients here, the resets may be theirs.
  const bool are_its_own = only_listener(window) == listener && opened->are_of_servers(lost);
  if (are_its_own) {
    facts.values.flag("closes");
    facts.explains = {"app-reset"};
  } else {
    facts.severity = Severity::info;
  }
  return Verdict::found({facts});
}

// Connections that ended by a reset from the other end: the kernel counts those of this end and those that
// timed out with them.
Result<std::uint64_t> resets_from_peers(const Window& window) {
  auto all = window.increase(&TcpCounters::estab_resets);
  if (!all) return all;
  auto own = programs_resets(window);
  if (!own) return own;
  if (const auto timed_out = window.increase(&TcpCounters::abort_on_timeout))
    own = saturating_add(*own, *timed_out);
  return *all > *own ? *all - *own : 0;
}

std::set<std::uint64_t> cookies_of(const Connections& connections) {
  std::set<std::uint64_t> cookies;
  for (const auto& each : connections.close_wait)
    if (!each.server) cookies.insert(each.cookie);
  return cookies;
}

// The remote port to which most client connections were closed by the server while the client still held
// them, and were gone at the next dump.
struct ClosedByServer {
  std::uint16_t port = 0;
  std::uint64_t gone = 0;
};

// Connections to the daemon's own port it closes itself, when somebody holds too many of them.
ClosedByServer closed_by_server(const Window& window) {
  std::map<std::uint16_t, std::uint64_t> gone;
  const auto readings = window.readings(&NetnsView::connections);
  for (std::size_t i = 0; i + 1 < readings.size(); ++i) {
    if (readings[i].value->close_wait.empty()) continue;
    const auto still = cookies_of(*readings[i + 1].value);
    for (const auto& each : readings[i].value->close_wait)
      if (!each.server && !still.contains(each.cookie)) ++gone[each.port];
  }
  const auto* self = own_process(window);
  if (const auto listeners = window.latest(&NetnsView::listeners))
    for (const auto& listener : (*listeners)->listeners)
      if (is_ours(self, listener)) gone.erase(listener.endpoint.port);
  ClosedByServer most;
  for (const auto& [port, count] : gone)
    if (count > most.gone) most = {port, count};
  return most;
}

// Its address is known when only one destination has that port.
Subject remote_port_subject(const Connections& connections, std::uint16_t port) {
  const auto has_port = [port](const Destination& each) { return each.port == port; };
  const auto first = std::ranges::find_if(connections.destinations, has_port);
  Subject unnamed{.kind = SubjectKind::destination, .port = port};
  if (first == connections.destinations.end()) return unnamed;
  const bool alone = std::all_of(first, connections.destinations.end(), [&](const Destination& each) {
    return each.port != port || each.destination == first->destination;
  });
  return alone ? destination_subject(*first) : unnamed;
}

Verdict idle_reuse_reset(const Window& window, const Thresholds& t) {
  const auto connections = window.latest(&NetnsView::connections);
  if (!connections) return Verdict::unknown(connections.error());
  const auto resets = resets_from_peers(window);
  if (!resets) return Verdict::unknown(resets.error());
  if (*resets < t.reuse_resets_min) return Verdict::clear();
  const auto closed = closed_by_server(window);
  // A dump shows one in some of them: they last from the server's close to the client's next request. Where a
  // reload closes many at once, dumps miss most of those bursts: one in ten on average, and one in 25 at
  // times.
  constexpr std::uint64_t kSeen = 50;
  if (closed.gone == 0 || closed.gone * kSeen < *resets) return Verdict::clear();
  Facts facts{.subject = remote_port_subject(**connections, closed.port)};
  add_increase(facts, window, &TcpCounters::estab_resets, "resets", *resets, "resets");
  add_increase(facts, window, "connections of clients in CLOSE_WAIT, gone since", "gone", closed.gone,
               "connections");
  return Verdict::found({facts});
}

constexpr std::string_view kFamily = "Closing";

constexpr auto kAppResetAdvice = std::to_array<AdviceText>({
    {"See where the resets go: the local port tells you which program it is.",
     "tcpdump -nn -i any -c 50 'tcp\\[tcpflags\\] & tcp-rst != 0 or (ip6 proto 6 and ip6\\[53\\] & 4 != 0)'",
     "A reset that leaves a service port is that server's doing.", ""},
    {"Have the program read what the peer sent before it closes, or shutdown() its sending side first and "
     "read to the end.",
     "", "close() then sends a FIN instead of a reset, and the peer gets the whole response.",
     "Each close takes a little longer."},
    {"Check its settings for SO_LINGER with a time of 0.", "", "Without it close() sends a FIN.",
     "Connections that it closes go through TIME_WAIT, which is harmless."},
    {"Leave it if it is intended: health checks and proxies often close this way.", "",
     "Only clients that expect more data notice it.", ""},
});
constexpr std::string_view kAppResetNot[] = {
    "Any sysctl or limit: the program itself asks for the reset.",
    "Raising the backlog: connections that overflow a queue are counted elsewhere."};

constexpr auto kClosesAdvice = std::to_array<AdviceText>({
    {"Confirm it: at its limit nginx writes \"worker_connections are not enough\" to its error log for every "
     "connection that it closes.",
     "tail -n 20 /var/log/nginx/error.log", "If the line is not there, it is not this limit.", ""},
    {"Raise it{?own_knob}: {own_knob}. It applies to each worker, and connections to what is behind the "
     "server count too. Then reload it.",
     "", "It serves that many more connections.",
     "More memory and descriptors: worker_rlimit_nofile has to be larger than worker_connections."},
    {"Find out why its {accepted} connections last so long: slow clients, a slow service behind it, "
     "WebSockets.",
     "ss -tn state established '( sport = :{port} )'", "Shows who holds them.", ""},
});
constexpr std::string_view kClosesNot[] = {
    "A larger backlog or net.core.somaxconn: the connections are accepted, none waits in the queue.",
    "Restarting it: it reaches the same limit again."};

constexpr auto kReuseAdvice = std::to_array<AdviceText>({
    {"Have the client drop idle connections before the server does: set its idle timeout a few seconds below "
     "the server's keep-alive time.",
     "", "The client never uses a connection that the server has closed.",
     "Slightly more connections are made."},
    {"Or have the server keep idle connections for longer than the clients do.", "",
     "The same, where the clients cannot be changed.", "More idle connections on the server."},
    {"Have the client retry once, on a new connection, when a request that may be repeated fails like this.",
     "", "The race that remains does no harm.", "Only safe for requests that may be sent twice."},
    {"See which programs hold such connections.", "ss -tnp state close-wait '( dport = :{port} )'",
     "Names them with their pids.", ""},
});
constexpr std::string_view kReuseNot[] = {
    "net.ipv4.tcp_keepalive_time: probes do not stop a server from closing connections that it finds idle.",
    "net.ipv4.tcp_fin_timeout, net.ipv4.tcp_tw_reuse: the connection is reset because it was used again, not "
    "because of how long it was remembered."};

constexpr Rule kRules[] = {
    {.info = {.id = "app-reset",
              .family = kFamily,
              .severity = Severity::info,
              .title = "Programs close with a reset",
              .true_when =
                  "Within half a minute TCPAbortOnClose or TCPAbortOnData rises by at least "
                  "{t.app_resets_min}, and by at least {t.app_resets_share} of the connections opened. A "
                  "warning when {t.app_resets_lost_share} of all connections are closed with data unread, "
                  "and either servers here must have done it (at least {t.app_resets_lost_min} times) or, "
                  "with both ends on this host, it happened at least {t.app_resets_local_min} times.",
              .clients_see =
                  "\"Connection reset by peer\" (errno 104), perhaps before the whole response has arrived.",
              .summary = "Programs on this host ended {resets} connections with a reset in {window}[, "
                         "{share} of {opened}]: {parts}[; all connections from others came to "
                         "{only_listener}[ ({likely_owner})]][; nearly all connections seen in that time "
                         "were on {most_listener}[ ({likely_owner})]]. [{?either}The client or the server "
                         "itself asks for these resets: both are on this host, and counters do not show "
                         "which of them it was.|The program itself asks for these resets.]",
              .advice = kAppResetAdvice,
              .not_helping = kAppResetNot,
              .reads = "/proc/net/netstat; if they can be read sock_diag, /proc/PID/fd"},
     .evaluate = app_reset},
    {.info = {.id = "own-limit-closes",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "A server closes new connections at once, as if at its own limit",
              .true_when =
                  "nginx, which nearly all connections go to, ends at least {t.app_resets_lost_share} of the "
                  "new ones with a reset (TCPAbortOnClose, TCPAbortOnData) while the number that stay open "
                  "is the same in every dump for 3 s or longer. Info where something else may have reset "
                  "them: another server, or clients on this host. Unknown where clients send later than one "
                  "round trip after connecting: then only OutRsts counts the resets, and it counts attempts "
                  "at closed ports as well.",
              .clients_see = "Connecting works, then the connection ends without an answer: \"Connection "
                             "reset by peer\" (errno 104), \"Empty reply from server\".",
              .summary =
                  "[{?closes}{owner} closes new connections on {listener} before it has read the request: "
                  "{resets} of {opened} that were opened in {steady} were reset, while {accepted} stay open "
                  "all the time. It does so when it has no connection to spare: {own_knob}.|{resets} of "
                  "{opened} connections that were opened in {steady} were reset, while {accepted} on "
                  "{listener} stay open all the time. {owner} does that when it has no connection to spare: "
                  "{own_knob}. Counters do not show whether these were its connections.]",
              .advice = kClosesAdvice,
              .not_helping = kClosesNot,
              .reads = "/proc/net/netstat, sock_diag, /proc/PID/fd"},
     .evaluate = own_limit_closes},
    {.info = {.id = "idle-reuse-reset",
              .family = kFamily,
              .severity = Severity::info,
              .title = "Clients use connections that the server has closed",
              .true_when =
                  "Connections are reset by the other end (EstabResets minus what this host's programs "
                  "abort) while client connections that the server had closed were in CLOSE_WAIT for a "
                  "moment.",
              .clients_see = "Programs on this host see EPIPE (errno 32, Broken pipe) or \"Connection reset "
                             "by peer\" (errno 104) on the first request after a pause.",
              .summary =
                  "{resets} connections were reset by the other end in {window}, and {gone} {gone:was|were} "
                  "seen that the server at {destination} had closed before the client used {gone:it|them} "
                  "again: programs on this host reuse idle connections that the server has already closed.",
              .advice = kReuseAdvice,
              .not_helping = kReuseNot,
              .reads = "/proc/net/netstat, sock_diag"},
     .evaluate = idle_reuse_reset},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> reset_rules() { return kRules; }

}  // namespace tcpdiag
