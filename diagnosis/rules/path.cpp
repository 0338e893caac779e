// SPDX-License-Identifier: Apache-2.0
// Segments that do not arrive, or are not acknowledged: told from counters how many; where, if a peer is
// gone.
#include <algorithm>
#include <array>
#include <set>

#include "core/saturating.h"
#include "diagnosis/counters.h"
#include "diagnosis/evidence.h"
#include "diagnosis/own_addresses.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/rules/peer_vanished.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

constexpr std::chrono::seconds kHalf{15};

// SYNs and SYN-ACKs that are sent again are other rules' matter.
Result<std::uint64_t> data_sent_again(const Window& window) {
  return window.increase_without(&TcpCounters::syn_retrans, &TcpCounters::retrans_segs);
}

double share_of(std::uint64_t again, std::uint64_t sent) {
  const auto all = static_cast<double>(again) + static_cast<double>(sent);
  return all == 0 ? 0 : static_cast<double>(again) / all;
}

// While the namespace was there: a container that has ended is why some was sent again before.
std::uint64_t overflows_in(const Window& there) {
  const auto readings = there.readings(&NetnsView::tcp);
  if (readings.empty()) return 0;
  const auto first = readings.front().value->listen_overflows, last = readings.back().value->listen_overflows;
  return first && last && *last > *first ? *last - *first : 0;
}

// Of this host's queues that this namespace's programs connect to: its own, and those of its containers.
std::uint64_t overflows_here(const Window& window) {
  std::set<NetnsId> served{window.netns().id};
  if (const auto connections = window.latest(&NetnsView::connections)) {
    for (const auto& destination : (*connections)->destinations) {
      if (const auto there = served_there(window, destination)) served.insert(there->netns->id);
      if (const auto former = formerly_served(window, destination)) served.insert(*former);
    }
  }
  std::uint64_t overflows = 0;
  for (const auto netns : served) overflows = saturating_add(overflows, overflows_in(window.in(netns)));
  return overflows;
}

Verdict path_lossy(const Window& window, const Thresholds& t) {
  const auto again = data_sent_again(window);
  if (!again) return Verdict::unknown(again.error());
  const auto sent = window.increase(&TcpCounters::out_segs);
  if (!sent) return Verdict::unknown(sent.error());
  const auto share = share_of(*again, *sent);
  if (*again < t.lossy_min || share < t.lossy_share) return Verdict::clear();
  // One burst is no lossy path: there is some in each half of the time.
  const auto lately = data_sent_again(window.last(kHalf));
  if (window.span() <= kHalf || !lately || *lately < *again / 4 || *again - *lately < *again / 4)
    return Verdict::clear();
  // A client whose handshake ended at a full queue of this host sends its request again and again; each time
  // the queue overflows once more.
  const auto explained = saturating_add(sent_to_vanished(window, t), overflows_here(window));
  if (*again < saturating_add(explained, t.lossy_min)) return Verdict::clear();
  Facts facts;
  if (share < t.lossy_much) facts.severity = Severity::info;
  add_increase(facts, window, &TcpCounters::retrans_segs, "again", *again, "segments");
  add_increase(facts, window, &TcpCounters::out_segs, "sent", *sent, "segments");
  if (const auto timeouts = window.increase(&TcpCounters::timeouts); timeouts && *timeouts > 0)
    add_increase(facts, window, &TcpCounters::timeouts, "timeouts", *timeouts, "events");
  facts.values["share"] = percent_text(share);
  return Verdict::found({facts});
}

constexpr auto kAdvice = std::to_array<AdviceText>({
    {"See which connections retransmit.", "ss -tnio | grep -B 1 retrans: | head -n 40",
     "Many destinations: this host's link or the way out. One destination: its path, or a peer that is gone "
     "(backoff: rises, nothing is acknowledged).",
     ""},
    {"Look for errors and drops at this host's interfaces.", "ip -s link",
     "Rising errors point to a cable, a card, a driver or a queue that is too short.", ""},
    {"Test the path to the destination that you found, with mtr or traceroute over TCP.", "",
     "The loss begins at the hop from which all later ones lose packets as well.", ""},
});
constexpr std::string_view kNot[] = {
    "Larger net.ipv4.tcp_rmem, net.ipv4.tcp_wmem: what is lost has to be sent again whatever the buffers "
    "are.",
    "Raising net.ipv4.tcp_retries2: programs only wait longer before they fail."};

constexpr auto kVanishedAdvice = std::to_array<AdviceText>({
    {"See whether the peer answers at all, and which way it is reached.",
     "ip route get {address}; ping -c 3 -W 1 {address}",
     "No answer: it is down, or the path to it is. An answer: something in between has forgotten the "
     "connections, such as a firewall, a NAT or a load balancer that was restarted.",
     "Some hosts do not answer pings."},
    {"{?own_place}See whether {own_place} is up and has that address.",
     "[nsenter -t {own_pid} -n ip -br address]",
     "No address, or an interface that is DOWN: the container has lost its network.", ""},
    {"Try a new connection.", "nc -vz -w 3 {address} {port}",
     "If it succeeds, only the old connections are lost.", ""},
    {"See which programs hold these connections.",
     "ss -tnpo state established[ dst {destination}{?port}| '( sport = :{server_port} )'| dst {address}|]",
     "timer:(on,...,N) means sent again N times; the program is named after it.", ""},
    {"Restart the programs that wait, or reset their pools, if the service is back or has moved.", "",
     "They connect again instead of waiting.", "Their other connections are closed as well."},
    {"Have the programs give up sooner: TCP_USER_TIMEOUT on their sockets (tcp_user_timeout in libpq, for "
     "example), or a timeout of their own for each request.",
     "", "Each program decides for its own connections, and knows how long an answer may take.", ""},
    {"Have the kernel give up sooner, after about {sooner} instead of {gives_up}.",
     "sysctl -w net.ipv4.tcp_retries2={lower_retries}",
     "It is read when the timer next fires, so it applies to open connections too.",
     "An outage that lasts longer ends every connection of this network namespace."},
    {"{?elsewhere}If tcpdiagd runs on {address}, ask it: connections that wait in a full accept queue there "
     "look like this from here.",
     "tcpdiag check", "Names the listener whose queue is full.", ""},
});
constexpr std::string_view kVanishedNot[] = {
    "TCP keep-alive: it probes idle connections only; while data is not acknowledged, the retransmit timer "
    "decides.",
    "net.ipv4.tcp_syn_retries, net.core.somaxconn: they are about connections that are being opened.",
    "Larger buffers: more is written that does not arrive."};
constexpr std::string_view kVanishedConsequences[] = {
    "programs without a timeout of their own wait until the kernel gives up; their pools and descriptors "
    "stay taken"};

constexpr Rule kRules[] = {
    {.info = {.id = "path-lossy",
              .family = "Path",
              .severity = Severity::warning,
              .title = "Many segments are retransmitted",
              .true_when = "RetransSegs minus TCPSynRetrans is at least {t.lossy_much} of what is sent over "
                           "half a minute (info from {t.lossy_share} up), in both halves of it, and more "
                           "than accept queue overflows explain. Counters do not show the destination. What "
                           "is sent again to a peer of peer-vanished does not count.",
              .clients_see = "Answers that take a second or more, slow transfers, now and then a timeout.",
              .summary = "{share} of the segments that this host sends are retransmissions: {again} on top "
                         "of {sent} new ones in {window}, SYNs not counted[; {timeouts} "
                         "{timeouts:time|times} nothing was acknowledged until a timer ran out "
                         "(TCPTimeouts)]. Either segments are lost on the way, or peers no longer answer; "
                         "counters do not show which destination it is.",
              .advice = kAdvice,
              .not_helping = kNot,
              .reads = "/proc/net/snmp, /proc/net/netstat"},
     .evaluate = path_lossy},
    {.info =
         {.id = "peer-vanished",
          .family = "Path",
          .severity = Severity::warning,
          .title = "A peer no longer answers",
          .true_when = "On several open connections to one service of a peer, or on many of one client, data "
                       "is not acknowledged and the retransmit timer has fired 4 times or more without an "
                       "answer in between, for 5 s or longer. A lossy path answers now and then; connections "
                       "that are being opened are syn-sent-unanswered.",
          .clients_see = "Requests on open connections get no answer; after minutes ETIMEDOUT (errno 110).",
          .summary =
              "[{connections} connections of {address} to port {server_port} here|{?several}{connections} "
              "connections with {address}|{connections} connections to {destination}|{connections} "
              "connections to {peers} peers, {first_peers} among them,] get no acknowledgements any more, "
              "the first for at least {age}: what was sent on them was sent again {retransmits} times in all "
              "without an answer. [Something is wrong with the path to them{?peers}|That is this host "
              "itself ({own_place}, port {own_port}): the way into it is closed, or its service was full "
              "when they were opened|The peer is gone, or the path to it is]. The kernel keeps trying[ for "
              "about {gives_up} in all or longer (net.ipv4.tcp_retries2 = {retries})] before it "
              "tells the programs.",
          .advice = kVanishedAdvice,
          .not_helping = kVanishedNot,
          .consequences = kVanishedConsequences,
          .reads = "sock_diag (retransmit timer of every connection), net.ipv4.tcp_retries2; if it can be "
                   "read /proc/net/fib_trie"},
     .lookback = std::chrono::seconds(120),
     .evaluate = peer_vanished},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> path_rules() { return kRules; }

}  // namespace tcpdiag
