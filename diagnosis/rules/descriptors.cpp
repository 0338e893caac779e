// SPDX-License-Identifier: Apache-2.0
// Descriptors: a process at its own limit, the machine at its. RLIMIT_NOFILE bounds the number of the highest
// one, so a process whose limit was lowered after its start may have more open than that.
#include <algorithm>
#include <array>

#include "diagnosis/course.h"
#include "diagnosis/evidence.h"
#include "diagnosis/flat_upstream.h"
#include "diagnosis/known_servers.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

constexpr std::chrono::seconds kJustNow{10};

// One at its limit that closes and opens all the time is sometimes read a few below it.
bool is_at_limit(const Window& window, const Process& process) {
  constexpr double kNearlyAll = 0.95;
  if (*process.open_fds >= *process.soft_limit) return true;
  if (process.fd_ratio() < kNearlyAll) return false;
  for (const auto& reading : window.last(kJustNow).readings(&Snapshot::processes))
    if (const auto* then = find_process(*reading.value, process))
      if (then->open_fds && then->soft_limit && *then->open_fds >= *then->soft_limit) return true;
  return false;
}

struct Course {
  std::vector<Point> open_fds;  // oldest first

  [[nodiscard]] double growth() const {
    return open_fds.empty() ? 0 : open_fds.back().value - open_fds.front().value;
  }
};

Course course_of(const Window& window, const Process& process) {
  Course course;
  for (const auto& reading : window.readings(&Snapshot::processes))
    if (const auto* then = find_process(*reading.value, process); then != nullptr && then->open_fds)
      course.open_fds.push_back({reading.at, static_cast<double>(*then->open_fds)});
  return course;
}

// By the slope of the last minute; by the whole course when that is so slow that a minute shows nothing.
std::optional<std::chrono::seconds> forecast(const std::vector<Point>& course, double limit) {
  constexpr double kNoise = 3;
  if (course.empty()) return std::nullopt;
  const auto last = course.back();
  const auto recent =
      std::ranges::find_if(course, [&](const Point& point) { return last.at - point.at <= History::kFine; });
  for (const auto& first : {*recent, course.front()}) {
    if (last.value < first.value) return std::nullopt;
    if (last.value - first.value >= kNoise) return time_to_reach(limit, first, last);
  }
  return std::nullopt;
}

void add_limits(Facts& facts, const Window& window, const Process& process) {
  constexpr std::uint64_t kAmple = 65536;
  const auto soft = *process.soft_limit;
  facts.bites = Bites{.limit = "RLIMIT_NOFILE", .value = static_cast<double>(soft)};
  if (process.hard_limit) {
    facts.bites->ceiling = "hard limit";
    facts.bites->ceiling_value = static_cast<double>(*process.hard_limit);
    facts.values["hard"] = std::to_string(*process.hard_limit);
  }
  auto higher = std::max(kAmple, soft * 4);
  if (const auto ceiling = window.setting("fs.nr_open"))
    higher = std::min(higher, static_cast<std::uint64_t>(std::max<std::int64_t>(0, *ceiling)));
  if (higher <= soft) return;
  facts.values["new_limit"] = std::to_string(higher);
  // prlimit(1) without a second number raises both.
  const bool below_hard = !process.hard_limit || higher <= *process.hard_limit;
  facts.values["new_limits"] = std::to_string(higher) + (below_hard ? ":" : "");
  if (const auto knob = descriptor_knob(process.comm, std::to_string(higher))) facts.values["knob"] = *knob;
}

// Where the limit is set depends on who starts the process.
void add_starter(Facts& facts, const std::string& unit) {
  const auto colon = unit.find(':');
  const auto runtime = unit.substr(0, colon);
  if (unit.ends_with(".service")) {
    facts.values["service"] = unit;
  } else if (colon == std::string::npos) {
    if (unit.starts_with("session-")) facts.values["session"] = unit;
  } else if (runtime == "docker" || runtime == "podman") {
    facts.values["runtime"] = runtime;
    facts.values["container"] = unit.substr(colon + 1);
  } else {
    facts.values["pod"] = unit;
  }
}

// What the descriptors are, as far as it is known and worth a word.
void add_contents(Facts& facts, const Process& process) {
  const auto part = static_cast<double>(*process.open_fds) / 10;
  if (const auto held = static_cast<double>(process.close_wait_inodes.size()); held > part)
    add_reading(facts, "sockets in CLOSE_WAIT it holds", "close_wait", held, "sockets");
  if (process.closed_sockets && static_cast<double>(*process.closed_sockets) > part)
    add_reading(facts, "closed sockets it holds", "closed", static_cast<double>(*process.closed_sockets),
                "sockets");
}

void add_upstream(Facts& facts, const Window& window, const Process& process) {
  const auto upstream = flat_upstream(window, process);
  if (!upstream) return;
  const auto name = to_string(destination_subject(upstream->destination));
  add_reading(facts, "connections to " + name + ", unchanged", "upstream_connections",
              upstream->destination.local_ports, "connections");
  facts.values["upstream"] = name;
  facts.values["clients"] = std::to_string(upstream->clients);
}

Facts facts_about(const Window& window, const Process& process) {
  Facts facts{.subject = process_subject(process)};
  const auto course = course_of(window, process);
  add_reading(facts, "open fds", "open", static_cast<double>(*process.open_fds), "descriptors");
  facts.values["limit"] = std::to_string(*process.soft_limit);
  facts.values["share"] = percent_text(*process.fd_ratio());
  if (course.growth() > 0) {
    const auto since =
        std::chrono::round<std::chrono::seconds>(course.open_fds.back().at - course.open_fds.front().at);
    facts.evidence.push_back({"open fds, growth", course.growth(), "descriptors", since});
  }
  if (const auto time = forecast(course.open_fds, static_cast<double>(*process.soft_limit)))
    facts.values["forecast"] = duration_text(*time);
  add_limits(facts, window, process);
  add_starter(facts, process.unit);
  add_contents(facts, process);
  add_upstream(facts, window, process);
  return facts;
}

template <class Condition>
Verdict processes_that(const Window& window, const Thresholds& t, Condition holds) {
  const auto latest = window.latest(&Snapshot::processes);
  if (!latest) return Verdict::unknown(latest.error());
  const auto& processes = (*latest)->processes;
  const bool none_known =
      std::ranges::none_of(processes, [](const Process& process) { return process.open_fds.has_value(); });
  if (!processes.empty() && none_known)
    return Verdict::unknown({Errc::denied, "processes: of none the open descriptors can be counted"});
  std::vector<Facts> found;
  for (const auto& process : processes)
    if (process.fd_ratio() && *process.soft_limit >= t.fd_limit_min && holds(process))
      found.push_back(facts_about(window, process));
  return Verdict::found(std::move(found));
}

Verdict fd_limit_reached(const Window& window, const Thresholds& t) {
  return processes_that(window, t, [&](const Process& process) { return is_at_limit(window, process); });
}

Verdict fd_limit_near(const Window& window, const Thresholds& t) {
  return processes_that(window, t, [&](const Process& process) { return process.fd_ratio() >= t.fd_near; });
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

constexpr auto kLimitAdvice = std::to_array<AdviceText>({
    {"Raise the limit of the running process now, without a restart.",
     "prlimit --pid {pid} --nofile={new_limits}",
     "accept(), connect() and open() work again at once; connections that wait in the queue are taken.",
     "Lost when the process restarts. A program that uses select(), or sized its tables at start, may not "
     "use "
     "more. If descriptors leak it only takes longer."},
    {"Raise it for good: LimitNOFILE={new_limit} under \\[Service\\] of {service}, then restart it.",
     "systemctl edit {service}", "The service starts with that limit from then on.",
     "The restart closes all its connections."},
    {"Raise it for good: start the {runtime} container {container} anew with a higher limit.",
     "{runtime} run --ulimit nofile={new_limit}:{new_limit} ...",
     "The container starts with that limit; in a compose file it is ulimits: nofile.",
     "The restart closes all its connections."},
    {"Raise it for good in the container runtime of {pod}: its service's LimitNOFILE= or default ulimits; a "
     "pod has no setting of its own for it.",
     "", "Containers that start later have that limit.", "The runtime has to be restarted."},
    {"Raise it for good where the session {session} gets it: /etc/security/limits.conf, or ulimit -n in the "
     "shell that starts the program.",
     "ulimit -n {new_limit}", "Programs started from then on have that limit.", ""},
    {"Set {process}'s own limit as well: {knob}.", "", "It does not lower the limit again by itself.", ""},
    {"Look at {upstream} first: requests that wait for it keep their clients' connections open.",
     "ss -tnp dst {upstream}",
     "A timeout for requests, or a larger pool of connections, ends the growth; a higher limit only moves "
     "it.",
     ""},
    {"See what the descriptors are before you trust a higher limit.", "tcpdiag fds {pid}",
     "Many sockets in CLOSE_WAIT, or closed ones, are a leak: the program does not close them.", ""},
});
constexpr std::string_view kLimitNot[] = {
    "/etc/security/limits.conf for a service or a container: PAM applies it to logins only.",
    "Raising fs.file-max: it is the whole machine's limit, not this process's.",
    "Raising the backlog or net.core.somaxconn: more clients wait, none is accepted sooner."};
constexpr std::string_view kReachedConsequences[] = {
    "connections wait in the accept queue until it overflows; the process resets nobody by itself"};
constexpr std::string_view kReachedExplains[] = {"fd-limit-near"};

constexpr auto kSystemAdvice = std::to_array<AdviceText>({
    {"Raise the machine's limit of open files.", "sysctl -w fs.file-max={new_max}",
     "Every process can open files and sockets again.", "About 1 KiB of kernel memory for each open file."},
    {"Make it permanent.", "echo 'fs.file-max = {new_max}' > /etc/sysctl.d/60-file-max.conf",
     "It is set at every boot.", ""},
    {"Find out who has them open.", "tcpdiag fds", "Shows the processes with the most descriptors.", ""},
});
constexpr std::string_view kSystemNot[] = {
    "Raising LimitNOFILE= or ulimit -n: those are limits of each process; this one is the machine's."};

// clang-format off
const Rule kRules[] = {
    {.info = {.id = "fd-limit-reached", .family = kFamily, .severity = Severity::critical,
              .title = "A process has no descriptor left",
              .true_when = "A process has as many open descriptors as its soft RLIMIT_NOFILE allows, now or within the last 10 s and hardly fewer now.",
              .clients_see = "Connections are established but nobody answers; later, when the accept queue is full, timeouts. The process itself gets EMFILE "
                             "(errno 24, Too many open files).",
              .summary = "{owner} has no descriptor left: {open} are open and its limit is {limit} (RLIMIT_NOFILE)[; {close_wait} of them are sockets whose "
                         "peer has closed][; {closed} of them are sockets that are closed already], so accept(), connect() and open() fail with EMFILE "
                         "(errno 24)[; its clients grew by {clients} while the connections to {upstream} stayed at {upstream_connections}].",
              .advice = kLimitAdvice, .not_helping = kLimitNot, .consequences = kReachedConsequences, .explains = kReachedExplains, .reads = kReads},
     .scope = RuleScope::machine, .lookback = History::kSpan, .evaluate = fd_limit_reached},
    {.info = {.id = "fd-limit-near", .family = kFamily, .severity = Severity::warning,
              .title = "A process runs out of descriptors",
              .true_when = "A process has opened at least 80 % of the descriptors that its soft RLIMIT_NOFILE allows.",
              .clients_see = "Nothing yet. At the limit connections are established but nobody answers.",
              .summary = "{owner} has {open} of {limit} descriptors open ({share} of RLIMIT_NOFILE)[; {close_wait} of them are sockets whose peer has "
                         "closed][; {closed} of them are sockets that are closed already][; at the present slope the limit is reached in {forecast}]"
                         "[; its clients grew by {clients} while the connections to {upstream} stayed at {upstream_connections}].",
              .advice = kLimitAdvice, .not_helping = kLimitNot, .reads = kReads},
     .scope = RuleScope::machine, .lookback = History::kSpan, .evaluate = fd_limit_near},
    {.info = {.id = "system-fd-limit", .family = kFamily, .severity = Severity::critical,
              .title = "The machine runs out of open files",
              .true_when = "At least 80 % of fs.file-max are allocated; critical from 95 % on.",
              .clients_see = "At the limit every process gets ENFILE (errno 23, Too many open files in system): connections are not accepted any more.",
              .summary = "{open} of {max} files are open on this machine ({share} of fs.file-max)[; at the present slope the limit is reached in {forecast}]. "
                         "At the limit open(), accept() and connect() fail for every process with ENFILE (errno 23).",
              .advice = kSystemAdvice, .not_helping = kSystemNot, .reads = "/proc/sys/fs/file-nr"},
     .scope = RuleScope::machine, .lookback = History::kSpan, .evaluate = system_fd_limit},
};
// clang-format on

}  // namespace

std::span<const Rule> descriptor_rules() { return kRules; }

}  // namespace tcpdiag
