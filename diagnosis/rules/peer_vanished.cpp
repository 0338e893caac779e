// SPDX-License-Identifier: Apache-2.0
// Peers that were there and do not answer any more: switched off, unplugged, or forgotten by what is in
// between.
#include "diagnosis/rules/peer_vanished.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "core/saturating.h"
#include "diagnosis/counters.h"
#include "diagnosis/entry.h"
#include "diagnosis/evidence.h"
#include "diagnosis/own_addresses.h"
#include "diagnosis/subjects.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

using std::chrono::seconds;

// Beyond that many peers of one user it is not they that have gone: it is the way to them.
constexpr std::size_t kNamed = 4;
// The kernel's sockets have no more users than that on most hosts; what is beyond is counted in one finding.
constexpr std::size_t kUsers = 16;
// RFC 1122 asks for 100 s at least.
constexpr std::int64_t kLowerRetries = 8;

Destination service_of(const SilentPeer& peer) { return {.destination = peer.address, .port = peer.port}; }

bool turns_away(const Window& there, const Destination& service) {
  const auto overflows = there.increase(&TcpCounters::listen_overflows);
  if (overflows && *overflows == 0) return false;
  return std::ranges::any_of(there.readings(&NetnsView::listeners), [&](const Dated<Listeners>& reading) {
    const auto* listener = listener_for(*reading.value, service);
    return listener != nullptr && (overflows || is_full(listener->fullest()));
  });
}

// A client whose handshake ended at a full accept queue believes that it is connected, and sends again and
// again.
bool is_own_queue(const Window& window, const SilentPeer& peer) {
  if (peer.server) return false;
  const auto service = service_of(peer);
  if (is_own_address(window, service) == Known::yes && turns_away(window, service)) return true;
  const auto other = served_there(window, service);
  return other && turns_away(window.in(other->netns->id), other->there);
}

// All of one address: several of its services, or it is a client and a service.
using Gone = std::vector<SilentPeer>;

Subject subject_of(const Gone& peer) {
  const auto& first = peer.front();
  if (peer.size() == 1 && !first.server) return destination_subject(service_of(first));
  return {.kind = SubjectKind::destination, .address = to_string(first.address)};
}

// One address may be that of many clients (NAT): those that are alive speak for it.
bool is_alive(const SilentPeer& peer) {
  constexpr std::uint32_t kFew = 4;
  return peer.alive >= std::max(1U, peer.connections / kFew);
}

// The most connections first.
std::vector<SilentPeer> vanished_peers(const Connections& connections, const Window& window,
                                       const Thresholds& t) {
  std::vector<SilentPeer> vanished;
  for (const auto& peer : connections.silent_peers)
    if (peer.standing >= (peer.server ? t.vanished_client_min : t.vanished_min) && !is_alive(peer) &&
        !is_own_queue(window, peer))
      vanished.push_back(peer);
  return vanished;
}

std::vector<Gone> by_address(const std::vector<SilentPeer>& peers) {
  std::vector<Gone> grouped;
  for (const auto& peer : peers) {
    const auto known =
        std::ranges::find(grouped, peer.address, [](const Gone& other) { return other.front().address; });
    (known == grouped.end() ? grouped.emplace_back() : *known).push_back(peer);
  }
  return grouped;
}

void add_numbers(Facts& facts, const Window& window, const std::vector<SilentPeer>& peers) {
  std::uint64_t connections = 0, retransmits = 0;
  seconds longest{};
  for (const auto& peer : peers) {
    connections = saturating_add<std::uint64_t>(connections, peer.connections);
    retransmits = saturating_add(retransmits, peer.retransmits);
    longest = std::max(longest, peer.longest);
  }
  add_reading(facts, "connections whose retransmit timer has fired 4 times or more", "connections",
              connections, "connections");
  add_reading(facts, "times that it has fired since the last answer", "retransmits", retransmits, "events");
  add_reading(facts, "unacknowledged for at least", longest.count(), "seconds");
  facts.values["age"] = duration_text(longest);
  const auto retries = window.setting("net.ipv4.tcp_retries2");
  if (!retries) return;
  add_reading(facts, "net.ipv4.tcp_retries2", "retries", *retries, "");
  facts.values["gives_up"] = duration_text(gives_up_after(*retries));
  if (*retries <= kLowerRetries) return;
  facts.values["lower_retries"] = std::to_string(kLowerRetries);
  facts.values["sooner"] = duration_text(gives_up_after(kLowerRetries));
}

// Whether it is another namespace of this host.
bool add_served_there(Facts& facts, const Window& window, const Destination& service) {
  const auto other = served_there(window, service);
  if (!other) return false;
  const auto there = window.in(other->netns->id);
  facts.values["own_place"] = place_text(window.newest(), *other->netns);
  facts.values["own_port"] = std::to_string(other->there.port);
  if (const auto pid = anchor_of(window.newest(), *other->netns))
    facts.values["own_pid"] = std::to_string(*pid);
  if (const auto* listener = own_listener(there, other->there); listener != nullptr)
    facts.served_by = ListenerThere{other->netns->name, listener_subject(there, *listener)};
  return true;
}

Facts facts_about(const Window& window, const Gone& peer) {
  const auto& first = peer.front();
  Facts facts{.subject = subject_of(peer)};
  add_numbers(facts, window, peer);
  if (peer.size() > 1)
    facts.values.flag("several");
  else if (first.server)
    facts.values["server_port"] = std::to_string(first.port);
  if (!first.server && add_served_there(facts, window, service_of(first))) return facts;
  if (is_own_address(window, service_of(first)) == Known::no) facts.values.flag("elsewhere");
  return facts;
}

Facts facts_about_many(const Window& window, const std::vector<SilentPeer>& all,
                       const std::vector<Gone>& peers) {
  Facts facts;
  add_numbers(facts, window, all);
  facts.values["peers"] = std::to_string(peers.size());
  std::string named;
  for (std::size_t each = 0; each < std::min(peers.size(), kNamed); ++each)
    named += (named.empty() ? "" : ", ") + to_string(subject_of(peers[each]));
  facts.values["first_peers"] = named;
  return facts;
}

// Each user's for themselves: whoever has many that are gone hides nobody else's.
std::vector<Facts> facts_about_all(const Window& window, const std::vector<SilentPeer>& vanished) {
  std::vector<std::pair<std::uint32_t, std::vector<SilentPeer>>> users;
  for (const auto& peer : vanished) {
    auto user = std::ranges::find(users, peer.uid, [](const auto& each) { return each.first; });
    if (user == users.end())
      user = users.size() < kUsers ? users.insert(users.end(), {peer.uid, {}}) : users.end() - 1;
    user->second.push_back(peer);
  }
  std::vector<Facts> found;
  std::vector<SilentPeer> many;
  for (const auto& [uid, peers] : users) {
    const auto addresses = by_address(peers);
    if (addresses.size() > kNamed)
      many.insert(many.end(), peers.begin(), peers.end());
    else
      for (const auto& peer : addresses) found.push_back(facts_about(window, peer));
  }
  if (!many.empty()) found.push_back(facts_about_many(window, many, by_address(many)));
  return found;
}

}  // namespace

seconds gives_up_after(std::int64_t retries) {
  constexpr std::chrono::milliseconds kShortest{200};
  constexpr seconds kLongest{120};
  constexpr std::int64_t kDoublings = 9, kMost = 255;
  const auto all = std::clamp<std::int64_t>(retries, 0, kMost);
  const auto doubled = std::min(all, kDoublings);
  const auto while_doubling = kShortest * ((std::int64_t{2} << doubled) - 1);
  return std::chrono::floor<seconds>(while_doubling + kLongest * (all - doubled));
}

// Before the timer fires for the first time the kernel may have sent a probe, and the one that is answered is
// in no dump. What a peer's timers had done before the window is not among what was sent in it.
std::uint64_t sent_to_vanished(const Window& window, const Thresholds& t) {
  constexpr std::uint64_t kNotSeen = 2;
  using Key = std::tuple<bool, IpAddress, std::uint16_t>;
  std::map<Key, std::pair<std::uint64_t, std::uint64_t>> before;  // retransmits, connections
  std::uint64_t sent = 0;
  bool first = true;
  for (const auto& reading : window.readings(&NetnsView::connections)) {
    decltype(before) now;
    for (const auto& peer : vanished_peers(*reading.value, window, t))
      now[{peer.server, peer.address, peer.port}] = {peer.retransmits, peer.connections};
    for (const auto& [peer, counts] : now) {
      const auto [retransmits, connections] = before[peer];
      if (first) continue;
      sent = saturating_add(sent, counts.first - std::min(counts.first, retransmits));
      sent = saturating_add(sent, kNotSeen * (counts.second - std::min(counts.second, connections)));
    }
    before = std::move(now);
    first = false;
  }
  return sent;
}

Verdict peer_vanished(const Window& window, const Thresholds& t) {
  const auto connections = window.latest(&NetnsView::connections);
  if (!connections) return Verdict::unknown(connections.error());
  std::optional<Error> unseen;
  if ((*connections)->silent_cut != 0)
    unseen = Error{Errc::too_large,
                   "connections: " + std::to_string((*connections)->silent_cut) +
                       " connections that are not acknowledged are not counted by peer: there are too many",
                   collector_of(Type<Connections>{})};
  const auto vanished = vanished_peers(**connections, window, t);
  return Verdict::found(facts_about_all(window, vanished)).in_part(std::move(unseen));
}

}  // namespace tcpdiag
