// SPDX-License-Identifier: Apache-2.0
// Segments that do not arrive, or are not acknowledged, told from counters alone: how many, not where.
#include <algorithm>
#include <array>

#include "diagnosis/counters.h"
#include "diagnosis/evidence.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

constexpr std::chrono::seconds kHalf{15};

// SYNs and SYN-ACKs that are sent again are other rules' matter.
Result<std::uint64_t> data_sent_again(const Window& window) {
  return window.increase_without(kSynRetrans, kRetransSegs);
}

double share_of(std::uint64_t again, std::uint64_t sent) {
  const auto all = static_cast<double>(again) + static_cast<double>(sent);
  return all == 0 ? 0 : static_cast<double>(again) / all;
}

Verdict path_lossy(const Window& window, const Thresholds& t) {
  const auto again = data_sent_again(window);
  if (!again) return Verdict::unknown(again.error());
  const auto sent = window.increase(kOutSegs);
  if (!sent) return Verdict::unknown(sent.error());
  const auto share = share_of(*again, *sent);
  if (*again < t.lossy_min || share < t.lossy_share) return Verdict::clear();
  // One burst is no lossy path: there is some in each half of the time.
  const auto lately = data_sent_again(window.last(kHalf));
  if (window.span() <= kHalf || !lately || *lately < *again / 4 || *again - *lately < *again / 4)
    return Verdict::clear();
  // A client whose handshake ended at a full queue of this host sends its request again and again.
  if (const auto overflows = window.increase(kListenOverflows); overflows && *overflows > 0)
    return Verdict::clear();
  Facts facts;
  if (share < t.lossy_much) facts.severity = Severity::info;
  add_increase(facts, window, kRetransSegs.name, "again", static_cast<double>(*again), "segments");
  add_increase(facts, window, kOutSegs.name, "sent", static_cast<double>(*sent), "segments");
  if (const auto timeouts = window.increase(kTimeouts); timeouts && *timeouts > 0)
    add_increase(facts, window, kTimeouts.name, "timeouts", static_cast<double>(*timeouts), "events");
  facts.values["share"] = percent_text(share);
  return Verdict::found({facts});
}

constexpr auto kAdvice = std::to_array<AdviceText>({
    {"See which connections send again.", "ss -tnio | grep -B 1 retrans: | head -n 40",
     "Many destinations: this host's link or the way out. One destination: its path, or a peer that is gone "
     "(backoff: rises, nothing is acknowledged).",
     ""},
    {"Look for errors and drops at this host's interfaces.", "ip -s link",
     "Errors that rise point to a cable, a card, a driver or a queue that is too short.", ""},
    {"Test the path to the destination that you found, with mtr or traceroute over TCP.", "",
     "The hop from which on all later ones lose is where it begins.", ""},
});
constexpr std::string_view kNot[] = {
    "Larger net.ipv4.tcp_rmem, net.ipv4.tcp_wmem: what is lost has to be sent again whatever the buffers "
    "are.",
    "Raising net.ipv4.tcp_retries2: programs only wait longer before they fail."};

// clang-format off
const Rule kRules[] = {
    {.info = {.id = "path-lossy", .family = "Path", .severity = Severity::warning,
              .title = "Many segments are sent again",
              .true_when = "RetransSegs, less TCPSynRetrans, is at least 5 % of what is sent over half a minute (worth knowing from 2 % on), in both halves of it, "
                           "and no accept queue of this host overflows. Counters do not tell the destination, nor loss from peers that are gone.",
              .clients_see = "Answers that take a second or more, slow transfers, now and then a timeout.",
              .summary = "{share} of the segments that this host sends are sent again: {again} in addition to {sent} new ones in {window}, SYNs not counted"
                         "[; {timeouts} times nothing was acknowledged until a timer ran out (TCPTimeouts)]. They are lost on the way, or peers no longer answer. "
                         "Which destination it is, counters do not tell.",
              .advice = kAdvice, .not_helping = kNot, .reads = "/proc/net/snmp, /proc/net/netstat"},
     .evaluate = path_lossy},
};
// clang-format on

}  // namespace

std::span<const Rule> path_rules() { return kRules; }

}  // namespace tcpdiag
