// SPDX-License-Identifier: Apache-2.0
// What an overflowing accept queue does to clients whose handshake was already under way: the kernel resets
// them at once (net.ipv4.tcp_abort_on_overflow=1), or lets them believe that they are connected.
#include <algorithm>
#include <array>

#include "core/saturating.h"
#include "diagnosis/accept_queue.h"
#include "diagnosis/counters.h"
#include "diagnosis/evidence.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

// A listener that was full and dropped something, worst first; nullptr: none stands out.
const QueueCourse* worst(const std::vector<QueueCourse>& courses, TimePoint since) {
  const QueueCourse* found = nullptr;
  for (const auto& course : courses) {
    if (course.overflows(since) == 0) continue;
    if (found == nullptr || found->overflows(since) < course.overflows(since)) found = &course;
  }
  return found;
}

Facts facts_about(const Window& window, const QueueCourse* course) {
  if (course == nullptr) return {};
  const auto& member = course->listener->fullest();
  Facts facts{.subject = listener_subject(window, *course->listener),
              .bites = Bites{.limit = "listen backlog", .value = static_cast<double>(member.queue_limit)}};
  facts.values["limit"] = number_text(member.queue_limit);
  add_reading(facts, "accept queue", member.queue_length, "connections");
  return facts;
}

// The one setting that tells both rules apart, and the overflows that both need.
struct Overflows {
  bool aborts = false;
  std::uint64_t overflows = 0, embryonic_rsts = 0;
};

Result<Overflows> overflows_in(const Window& window) {
  const auto aborts = window.setting("net.ipv4.tcp_abort_on_overflow");
  if (!aborts) return tl::unexpected<Error>(aborts.error());
  const auto overflows = window.increase(&TcpCounters::listen_overflows);
  if (!overflows) return tl::unexpected<Error>(overflows.error());
  const auto resets = window.increase(&TcpCounters::embryonic_rsts);
  if (!resets) return tl::unexpected<Error>(resets.error());
  return Overflows{*aborts != 0, *overflows, *resets};
}

// How many half-open connections were reset because a queue overflowed: in the same moments, more than are
// reset in others, as scanners and health checks do it, and not more than overflowed.
std::uint64_t resets_by_overflow(const Window& window) {
  struct Sums {
    double seconds = 0, overflows = 0, resets = 0;
  } with, without;
  const auto readings = window.readings(&NetnsView::tcp);
  for (std::size_t i = 1; i < readings.size(); ++i) {
    const auto &was = *readings[i - 1].value, &is = *readings[i].value;
    const auto overflows = increase_of(was.listen_overflows, is.listen_overflows);
    const auto resets = increase_of(was.embryonic_rsts, is.embryonic_rsts);
    if (!overflows || !resets) continue;
    auto& sums = *overflows > 0 ? with : without;
    sums.seconds += std::chrono::duration<double>(readings[i].at - readings[i - 1].at).count();
    sums.overflows += static_cast<double>(*overflows);
    sums.resets += static_cast<double>(*resets);
  }
  const double usual = without.seconds > 0 ? without.resets / without.seconds * with.seconds : 0;
  if (with.resets > 2 * with.overflows || with.resets < 2 * usual) return 0;
  return saturating_cast<std::uint64_t>(std::min(with.resets - usual, with.overflows));
}

Verdict overflow_rst(const Window& window, const Thresholds&) {
  const auto seen = overflows_in(window);
  if (!seen) return Verdict::unknown(seen.error());
  if (!seen->aborts || seen->overflows == 0 || seen->embryonic_rsts == 0) return Verdict::clear();
  const auto resets = resets_by_overflow(window);
  if (resets == 0) return Verdict::clear();
  const auto courses = troubled_queues(window);
  if (!courses) return Verdict::unknown(courses.error());
  auto facts = facts_about(window, worst(*courses, window.snapshot(0).at));
  add_increase(facts, window, &TcpCounters::listen_overflows, "overflows", seen->overflows, "events");
  add_increase(facts, window, &TcpCounters::embryonic_rsts, "resets", seen->embryonic_rsts, "connections");
  facts.values["resets"] = std::to_string(resets);
  add_reading(facts, "net.ipv4.tcp_abort_on_overflow", 1, "");
  return Verdict::found({facts});
}

// While the queue is full no SYN gets in: what is half-open then has had its answer and waits for room. Only
// the last round trip before it filled can still be on its way.
std::optional<std::uint32_t> waiting_for_room(const Window& window, const QueueCourse& course) {
  constexpr std::chrono::milliseconds kRoundTrip{1000};
  const auto reading = window.readings(&NetnsView::connections);
  if (reading.empty()) return std::nullopt;
  auto full_since = TimePoint::max();  // it has room
  for (const auto& step : course.steps) {
    if (!step.pinned()) {
      full_since = TimePoint::max();
      continue;
    }
    full_since = std::min(full_since, step.from);
    for (const auto& dump : reading) {
      if (dump.at < full_since + kRoundTrip / 2 || dump.at > step.to) continue;
      for (const auto& half_open : dump.value->half_open)
        if (half_open.listener == course.listener->endpoint && half_open.count > 0) return half_open.count;
    }
  }
  return std::nullopt;
}

Verdict late_reset(const Window& window, const Thresholds&) {
  const auto seen = overflows_in(window);
  if (!seen) return Verdict::unknown(seen.error());
  const auto cookies = window.increase(&TcpCounters::req_q_full_do_cookies);
  if (!cookies) return Verdict::unknown(cookies.error());
  // With cookies under way the half-open ones may be a flood's.
  if (seen->aborts || seen->overflows == 0 || *cookies > 0) return Verdict::clear();
  const auto connections = window.latest(&NetnsView::connections);
  if (!connections) return Verdict::unknown(connections.error());
  const auto courses = troubled_queues(window);
  if (!courses) return Verdict::unknown(courses.error());
  std::vector<Facts> found;
  for (const auto& course : *courses) {
    const auto waiting = waiting_for_room(window, course);
    if (!waiting) continue;
    auto facts = facts_about(window, &course);
    add_increase(facts, window, &TcpCounters::listen_overflows, "overflows", seen->overflows, "events");
    add_reading(facts, "half-open connections (SYN_RECV) at a full queue", *waiting, "connections");
    facts.values["half_open"] = std::to_string(*waiting);
    if (course.emptied_since_overflow()) facts.values.flag("bursts");
    if (const auto resets = window.increase(&TcpCounters::out_rsts))
      add_increase(facts, window, &TcpCounters::out_rsts, *resets, "segments");
    if (const auto retries = window.setting("net.ipv4.tcp_synack_retries"))
      facts.values["retries"] = std::to_string(*retries);
    found.push_back(std::move(facts));
  }
  return Verdict::found(std::move(found));
}

constexpr std::string_view kFamily = "Accept queue";

constexpr auto kRstAdvice = std::to_array<AdviceText>({
    {"Switch net.ipv4.tcp_abort_on_overflow off[ in namespace {netns}].",
     "sysctl -w net.ipv4.tcp_abort_on_overflow=0",
     "Connections that do not fit get in once there is room, instead of being reset.",
     "Clients take longer to notice that a server is dead."},
    {"If the queue goes up and down, raise the backlog that the server passes to listen()[, now {limit}].",
     "", "Bursts wait in the queue instead of overflowing it.",
     "Clients wait longer in the queue if the server stays slow."},
    {"Find out why the queue is full: see the other findings about {listener}, or watch its queue.",
     "watch -n 0.2 \"ss -ltn '( sport = :{port} )'\"",
     "A queue that goes up and down is too small; one that stays full is not being served.", ""},
});
constexpr auto kLateAdvice = std::to_array<AdviceText>({
    {"Raise the backlog that the server passes to listen()[, now {limit}]: its queue is emptied after every "
     "burst{?bursts}.",
     "", "Bursts wait in the queue instead of overflowing it.",
     "Clients wait longer in the queue if the server stays slow."},
    {"Find out why the queue is full: see the other findings about {listener}, or watch its queue.",
     "watch -n 0.2 \"ss -ltn '( sport = :{port} )'\"",
     "A queue that goes up and down is too small; one that stays full is not being served.", ""},
    {"Give clients a timeout for the first answer, not only for connecting.", "",
     "They notice that no answer comes although they are connected.", ""},
});
// These are what the same overflow would otherwise be called.
constexpr std::string_view kExplains[] = {"accept-queue-backlog-small"};
constexpr std::string_view kRstNot[] = {
    "A larger net.ipv4.tcp_max_syn_backlog: the handshakes succeed, it is accept() that does not keep up."};
constexpr std::string_view kLateNot[] = {
    "net.ipv4.tcp_abort_on_overflow=1: it turns the wait into an immediate reset, even for bursts that would "
    "have got in, and sends none for a SYN."};

constexpr Rule kRules[] = {
    {.info = {.id = "accept-overflow-rst",
              .family = kFamily,
              .severity = Severity::critical,
              .title = "Clients are reset right after the handshake",
              .true_when = "net.ipv4.tcp_abort_on_overflow is 1, an accept queue overflows, and "
                           "EmbryonicRsts rises with it: by not much more than the overflows, and faster "
                           "than while no queue overflows.",
              .clients_see = "\"Connection reset by peer\" right after connecting.",
              .summary = "{resets} {resets:client|clients}[ of {listener}[ ({owner})]] {resets:was|were} "
                         "reset right after the handshake in {window}: the accept queue[ of {limit}] "
                         "overflowed {overflows} {overflows:time|times} and net.ipv4.tcp_abort_on_overflow "
                         "is 1.",
              .advice = kRstAdvice,
              .not_helping = kRstNot,
              .explains = kExplains,
              .reads = "ListenOverflows, EmbryonicRsts, net.ipv4.tcp_abort_on_overflow, sock_diag",
              .judges_queues = true,
              .explains_clients = true},
     .evaluate = overflow_rst},
    {.info = {.id = "accept-overflow-late-reset",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "Clients believe they are connected but are not",
              .true_when = "net.ipv4.tcp_abort_on_overflow is 0, an accept queue stays full, and connections "
                           "whose client has finished the handshake stay half-open.",
              .clients_see =
                  "Connecting succeeds; the first request gets no answer, then a reset or a timeout.",
              .summary =
                  "{half_open} {half_open:client|clients} of {listener}[ ({owner})] {half_open:has|have} "
                  "finished the handshake but found the accept queue of {limit} full: {half_open:it believes "
                  "it is connected, and gets|they believe they are connected, and get} a reset or a timeout "
                  "when the kernel gives up[ after {retries} {retries:retry|retries}].",
              .advice = kLateAdvice,
              .not_helping = kLateNot,
              .explains = kExplains,
              .reads = "ListenOverflows, sock_diag, net.ipv4.tcp_abort_on_overflow",
              .judges_queues = true,
              .explains_clients = true},
     .evaluate = late_reset},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> overflow_rules() { return kRules; }

}  // namespace tcpdiag
