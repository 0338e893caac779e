// SPDX-License-Identifier: Apache-2.0
// Descriptors: a process at its own limit, the machine at its. RLIMIT_NOFILE bounds the number of the highest
// one, so a process whose limit was lowered after its start may have more open than that.
#include <algorithm>
#include <array>

#include "core/facts/file_handles.h"
#include "diagnosis/counters.h"
#include "diagnosis/course.h"
#include "diagnosis/descriptor_facts.h"
#include "diagnosis/evidence.h"
#include "diagnosis/rules/descriptor_words.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/unseen_processes.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

constexpr std::chrono::seconds kJustNow{10};

constexpr double kNearlyAll = 0.95;

// One at its limit that closes and opens all the time is sometimes read a few below it.
bool is_at_limit(const Window& window, const Process& process) {
  if (*process.open_fds >= *process.soft_limit) return true;
  if (process.fd_ratio() < kNearlyAll) return false;
  for (const auto& reading : window.last(kJustNow).readings(&Snapshot::processes))
    if (const auto* then = find_process(*reading.value, process))
      if (then->open_fds && then->soft_limit && *then->open_fds >= *then->soft_limit) return true;
  return false;
}

bool listens_in(const NetnsView& netns, const Process& process) {
  const auto* listeners = netns.listeners.get();
  return listeners != nullptr && std::ranges::any_of(listeners->listeners, [&](const Listener& listener) {
           return std::ranges::any_of(listener.sockets, [&](const ListenerSocket& socket) {
             return std::ranges::binary_search(process.listener_inodes, socket.inode);
           });
         });
}

// A server without a descriptor may free one that it keeps for that, accept, and close: its clients are reset
// when they have sent something already. The counter is the namespace's: returns whether it is more than few.
bool add_resets(Facts& facts, const Window& window, const Process& process, const Thresholds& t) {
  constexpr std::chrono::seconds kLately{30};
  const auto lately = window.last(kLately);
  std::uint64_t resets = 0;
  for (const auto& netns : window.newest().namespaces)
    if (listens_in(netns, process))
      resets += lately.in(netns.id).increase(&TcpCounters::abort_on_close).value_or(0);
  if (resets == 0) return false;
  add_increase(facts, lately, "TCPAbortOnClose where it listens", "resets", resets, "resets");
  facts.values["resets_window"] = duration_text(lately.span());
  facts.explains = {"app-reset"};
  return resets >= t.app_resets_min;
}

// Below a limit that was lowered there may be numbers that are free: open() works until they are used.
// Where clients are reset they are.
void add_lowered(Facts& facts, const Process& process, bool resets) {
  const bool lowered = *process.open_fds > *process.soft_limit;
  facts.values["none_left"] = lowered ? "more descriptors open than its limit allows" : "no descriptors left";
  const bool perhaps = lowered && !resets;
  facts.values["once"] =
      perhaps ? " once no number below the limit, which was lowered after they were opened, is free" : "";
  if (perhaps) facts.severity = Severity::warning;
}

template <class Condition>
Verdict processes_that(const Window& window, const Thresholds& t, double least_ratio, Condition holds) {
  const auto latest = window.latest(&Snapshot::processes);
  if (!latest) return Verdict::unknown(latest.error());
  const auto& processes = (*latest)->processes;
  const bool none_known =
      std::ranges::none_of(processes, [](const Process& process) { return process.open_fds.has_value(); });
  const auto unseen = unseen_processes(**latest, least_ratio);
  if (!processes.empty() && none_known)
    return Verdict::unknown(
        unseen.value_or(Error{Errc::denied, "processes: no process's descriptors could be counted"}));
  std::vector<Facts> found;
  for (const auto& process : processes)
    if (!process.elsewhere && process.fd_ratio() && *process.soft_limit >= t.fd_limit_min && holds(process)) {
      Facts facts{.subject = process_subject(process)};
      add_descriptor_facts(facts, window, process);
      if (is_at_limit(window, process)) {
        add_lowered(facts, process, add_resets(facts, window, process, t));
      }
      found.push_back(std::move(facts));
    }
  return Verdict::found(std::move(found)).in_part(unseen);
}

Verdict fd_limit_reached(const Window& window, const Thresholds& t) {
  return processes_that(window, t, kNearlyAll,
                        [&](const Process& process) { return is_at_limit(window, process); });
}

Verdict fd_limit_near(const Window& window, const Thresholds& t) {
  return processes_that(window, t, t.fd_near,
                        [&](const Process& process) { return process.fd_ratio() >= t.fd_near; });
}

Verdict system_fd_limit(const Window& window, const Thresholds& t) {
  const auto files = window.latest(&Snapshot::files);
  if (!files) return Verdict::unknown(files.error());
  const auto open = static_cast<double>((*files)->open), max = static_cast<double>((*files)->max);
  if (max <= 0) return Verdict::unknown({Errc::malformed, "file_handles: the limit is 0"});
  if (open < t.system_fd_near * max) return Verdict::clear();
  Facts facts{.subject = {.kind = SubjectKind::host},
              .severity = open < t.system_fd_reached * max ? Severity::warning : Severity::critical};
  add_reading(facts, "fs.file-nr, allocated", "open", open, "files");
  facts.values["max"] = number_text(max);
  facts.values["share"] = percent_text(open / max);
  facts.values["new_max"] = number_text(max * 2);
  facts.bites = Bites{.limit = "fs.file-max", .value = max};
  std::vector<Point> course;
  for (const auto& reading : window.readings(&Snapshot::files))
    course.push_back({reading.at, static_cast<double>(reading.value->open)});
  if (const auto time = forecast(course, max)) facts.values["forecast"] = duration_text(*time);
  return Verdict::found({facts});
}

constexpr std::string_view kFamily = "Descriptors";
constexpr std::string_view kReads = "/proc/PID/fd, /proc/PID/limits";

constexpr std::string_view kReachedConsequences[] = {
    "connections wait in the accept queue until it overflows; a server that accepts them without a "
    "descriptor to spare and closes them at once, as Node.js does, resets its clients"};
constexpr std::string_view kReachedExplains[] = {"fd-limit-near"};

constexpr auto kSystemAdvice = std::to_array<AdviceText>({
    {"Raise the machine's limit of open files.", "sysctl -w fs.file-max={new_max}",
     "Every process can open files and sockets again.", "About 1 KiB of kernel memory for each open file."},
    {"Make it permanent.", "echo 'fs.file-max = {new_max}' > /etc/sysctl.d/zz-file-max.conf",
     "It is set at every boot.", ""},
    {"Find out who has them open.", "tcpdiag fds", "Shows the processes with the most descriptors.", ""},
});
constexpr std::string_view kSystemNot[] = {
    "Raising LimitNOFILE= or ulimit -n: those are limits of each process; this one is the machine's."};

constexpr Rule kRules[] = {
    {.info =
         {.id = "fd-limit-reached",
          .family = kFamily,
          .severity = Severity::critical,
          .title = "A process has no descriptors left",
          .true_when = "A process has as many open descriptors as its soft RLIMIT_NOFILE allows, now, or "
                       "within the last 10 s and hardly fewer now. A warning when it has more, as after the "
                       "limit was lowered, and fewer than {t.app_resets_min} connections were reset where it "
                       "listens: numbers below the limit may be free.",
          .clients_see = "Connections are established but nothing answers; later, when the accept queue is "
                         "full, timeouts; from servers that accept and close them, \"Connection reset by "
                         "peer\". The process itself gets EMFILE (errno 24, Too many open files).",
          .summary =
              "{owner} has {none_left}: {open_fds} are open and its limit is {soft_limit} (RLIMIT_NOFILE)[; "
              "{close_wait} of them are sockets whose peer has closed][; {closed} of them are sockets that "
              "are already closed][; {idle} of them are connections to its port {idle_port} that have been "
              "idle for {idle_for} or longer without a keep-alive timer: their peers may be gone], so "
              "accept(), connect() and open() fail with EMFILE (errno 24){once}[; {resets} "
              "{resets:connection was|connections were} reset where it listens in {resets_window}: a server "
              "that accepts without a descriptor to spare closes at once][; it gained {clients} clients "
              "while this host's connections to {upstream} stayed at {upstream_connections}].",
          .advice = kDescriptorAdvice,
          .not_helping = kDescriptorNot,
          .consequences = kReachedConsequences,
          .explains = kReachedExplains,
          .reads = kReads},
     .scope = RuleScope::machine,
     .lookback = History::kSpan,
     .evaluate = fd_limit_reached},
    {.info =
         {.id = "fd-limit-near",
          .family = kFamily,
          .severity = Severity::warning,
          .title = "A process is running out of descriptors",
          .true_when = "A process has opened at least {t.fd_near} of the descriptors that its soft "
                       "RLIMIT_NOFILE allows.",
          .clients_see = "Nothing yet. At the limit connections are established but no answer comes.",
          .summary =
              "{owner} has {open_fds} of {soft_limit} descriptors open ({share} of RLIMIT_NOFILE)[; "
              "{close_wait} of them are sockets whose peer has closed][; {closed} of them are sockets that "
              "are already closed][; {idle} of them are connections to its port {idle_port} that have been "
              "idle for {idle_for} or longer without a keep-alive timer: their peers may be gone][; at this "
              "rate the limit is reached in {forecast}][; it gained {clients} clients while this host's "
              "connections to {upstream} stayed at {upstream_connections}].",
          .advice = kDescriptorAdvice,
          .not_helping = kDescriptorNot,
          .reads = kReads},
     .scope = RuleScope::machine,
     .lookback = History::kSpan,
     .evaluate = fd_limit_near},
    {.info = {.id = "system-fd-limit",
              .family = kFamily,
              .severity = Severity::critical,
              .title = "The machine is running out of open files",
              .true_when = "At least {t.system_fd_near} of fs.file-max are allocated; critical from "
                           "{t.system_fd_reached} up.",
              .clients_see = "At the limit every process gets ENFILE (errno 23, Too many open files in "
                             "system): no more connections are accepted.",
              .summary = "{open} of {max} files are open on this machine ({share} of fs.file-max)[; at this "
                         "rate the limit is reached in {forecast}]. At the limit open(), accept() and "
                         "connect() fail for every process with ENFILE (errno 23).",
              .advice = kSystemAdvice,
              .not_helping = kSystemNot,
              .reads = "/proc/sys/fs/file-nr"},
     .scope = RuleScope::machine,
     .lookback = History::kSpan,
     .evaluate = system_fd_limit},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> descriptor_rules() { return kRules; }

}  // namespace tcpdiag
