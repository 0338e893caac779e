// SPDX-License-Identifier: Apache-2.0
// What the daemon concludes: findings, and the incidents they belong to. All texts are ready to be shown.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/describe.h"
#include "core/owner.h"
#include "core/result.h"
#include "core/time_point.h"

namespace tcpdiag {

/// How bad it is. info: worth knowing. warning: connections suffer or soon will. critical: they fail now.
enum class Severity { info, warning, critical };
constexpr auto values_of(Type<Severity>) { return first_values<Severity, 3>(); }

/// "info", "warning", "critical".
std::string_view to_string(Severity severity);

/// What a finding can be about.
enum class SubjectKind { host, netns, listener, destination, process, setting };
constexpr auto values_of(Type<SubjectKind>) { return first_values<SubjectKind, 6>(); }

/// "host", "netns", "listener", "destination", "process", "setting".
std::string_view to_string(SubjectKind kind);

/// What a finding is about. What is not known, or does not apply, is empty.
struct Subject {
  SubjectKind kind = SubjectKind::netns;
  std::string address;  ///< of a listener as address_label() writes it; of a destination
  std::optional<std::uint16_t> port;
  std::string name;     ///< of a setting: "net.core.somaxconn"
  std::string process;  ///< comm of the owner or of the process itself
  std::optional<std::int32_t> pid;
  Owner owner;  ///< the unit or container of that process
  /// The user that made it, where that is known: findings are shared out among users, it is not shown.
  std::optional<std::uint32_t> uid{};

  bool operator==(const Subject&) const = default;
};
constexpr auto members_of(Type<Subject>, auto member) {
  return std::tuple(member("kind", &Subject::kind), member("address", &Subject::address, Shown::if_filled),
                    member("port", &Subject::port), member("name", &Subject::name, Shown::if_filled),
                    member("process", &Subject::process, Shown::if_filled), member("pid", &Subject::pid),
                    member("owner", &Subject::owner), member("uid", &Subject::uid, Shown::never));
}

/// "gunicorn[812]"; "pid 812" of one whose name is empty, "gunicorn" where its pid is not known. Empty: no
/// process is known.
std::string process_text(const Subject& subject);

/// The subject's identity in a few words, for labels and journal fields: "0.0.0.0:5000", "[::]:80",
/// "gunicorn[812]", "net.core.somaxconn"; empty for a host and for a namespace. What is learned later, such
/// as a listener's owner, does not change it.
std::string to_string(const Subject& subject);

/// Who the subject belongs to, as far as that is known: the user and the unit or process. Findings are
/// shared out among these.
using SubjectOwner = std::pair<std::optional<std::uint32_t>, std::string>;
SubjectOwner owner_of(const Subject& subject);

/// One number that a finding rests on.
struct Evidence {
  std::string name;  ///< the kernel's word where it has one: "ListenOverflows", "open fds"
  double value = 0;
  std::string unit;                            ///< "events", "connections", "bytes"; empty for a setting
  std::optional<std::chrono::seconds> window;  ///< an increase over that time; empty: the present value

  bool operator==(const Evidence&) const = default;
};
constexpr auto members_of(Type<Evidence>, auto member) {
  return std::tuple(member("name", &Evidence::name), member("value", &Evidence::value),
                    member("unit", &Evidence::unit, Shown::if_filled),
                    member("window_seconds", &Evidence::window));
}

/// The limit that bites, and what in turn bounds it.
struct Bites {
  std::string limit;  ///< "listen backlog", "RLIMIT_NOFILE", "net.ipv4.tcp_max_tw_buckets"
  double value = 0;
  std::string ceiling;  ///< what the limit cannot exceed: "net.core.somaxconn"; empty: nothing
  std::optional<double> ceiling_value;

  bool operator==(const Bites&) const = default;
};
constexpr auto members_of(Type<Bites>, auto member) {
  return std::tuple(member("limit", &Bites::limit), member("value", &Bites::value),
                    member("ceiling", &Bites::ceiling, Shown::if_filled),
                    member("ceiling_value", &Bites::ceiling_value));
}

/// One thing to do about it.
struct Advice {
  std::string action;   ///< one sentence
  std::string command;  ///< the exact command or file line; empty: there is none
  std::string effect;   ///< what it changes
  std::string risk;     ///< what it may cost

  bool operator==(const Advice&) const = default;
};
constexpr auto members_of(Type<Advice>, auto member) {
  return std::tuple(member("do", &Advice::action), member("command", &Advice::command, Shown::if_filled),
                    member("effect", &Advice::effect, Shown::if_filled),
                    member("risk", &Advice::risk, Shown::if_filled));
}

/// A conclusion about one subject, with all that proves it.
struct Finding {
  std::string id;     ///< of the rule: "accept-queue-backlog-small"
  std::string title;  ///< a few words: "The accept queue is too small for bursts"; empty: an older daemon's
  Severity severity = Severity::warning;
  std::string netns;  ///< as in NetnsView::name; empty: it is the machine's
  Subject subject;
  std::string summary;  ///< one sentence with the numbers
  /// Further subjects of the same owner of which the same is true; they are no findings of their own.
  std::uint64_t alike = 0;
  std::vector<Evidence> evidence;
  std::optional<Bites> bites;
  std::vector<Advice> advice;             ///< most useful first
  std::vector<std::string> not_helping;   ///< what folklore says and why it does not help
  std::vector<std::string> consequences;  ///< what follows from it and is no finding of its own
  std::optional<std::chrono::seconds> critical_after{};  ///< it becomes critical when it has lasted so long
  /// What it may have been said to be about before more was known, such as who holds a connection: a finding
  /// about one of these is the same one.
  std::vector<Subject> known_as{};
  std::vector<std::string> causes{};  ///< findings that explain it where they are about the same

  bool operator==(const Finding&) const = default;
};
constexpr auto members_of(Type<Finding>, auto member) {
  return std::tuple(
      member("id", &Finding::id), member("title", &Finding::title, Shown::if_filled),
      member("severity", &Finding::severity), member("netns", &Finding::netns, Shown::if_filled),
      member("subject", &Finding::subject), member("summary", &Finding::summary),
      member("alike", &Finding::alike, Shown::if_filled), member("evidence", &Finding::evidence),
      member("bites", &Finding::bites), member("advice", &Finding::advice),
      member("not", &Finding::not_helping), member("consequences", &Finding::consequences),
      member("critical_after", &Finding::critical_after, Shown::never),
      member("known_as", &Finding::known_as, Shown::never), member("causes", &Finding::causes, Shown::never));
}

/// Whether a finding or an incident with that subject, of the same rule, is the same one: its subject was
/// known as that. Who owns it does not matter.
bool was_known_as(const Finding& finding, const Subject& subject);

/// A rule that could not decide about a namespace, or not about all of it.
struct Unknown {
  std::string id;     ///< of the rule
  std::string netns;  ///< empty: the rule is about the machine
  std::string why;    ///< the source that is missing, as "where: what"
  /// Only about a part: the rule has judged what it could look at, and its incidents open and close as ever.
  bool in_part = false;
  Errc code = Errc::not_read;
  std::string source{};  ///< the collector that would have to know: "kernel_log"; empty: it is not one alone

  bool operator==(const Unknown&) const = default;
};
constexpr auto members_of(Type<Unknown>, auto member) {
  return std::tuple(member("id", &Unknown::id), member("netns", &Unknown::netns, Shown::if_filled),
                    member("why", &Unknown::why), member("in_part", &Unknown::in_part, Shown::if_filled),
                    member("code", &Unknown::code), member("source", &Unknown::source, Shown::if_filled));
}

/// A finding that another one on the same subject explains.
struct Explained {
  std::string id, netns;
  Subject subject;
  std::string by;  ///< id of the cause

  bool operator==(const Explained&) const = default;
};

/// What all rules say at one moment.
struct Diagnosis {
  std::vector<Finding> findings;  ///< worst first
  std::vector<Explained> explained;
  std::vector<Unknown> unknown;
  std::uint64_t cut = 0;  ///< findings left out because there were more than are kept
};

struct Incident;

/// At most `most` of them, in their order: the worst, and of those that are as bad of each owner some.
std::vector<const Incident*> worst_of(std::vector<const Incident*> incidents, std::size_t most);

/// A moment on both clocks: durations are taken from the first, people read the second.
struct Moment {
  TimePoint at;
  std::chrono::system_clock::time_point wall;

  bool operator==(const Moment&) const = default;
};

/// A finding over its life.
struct Incident {
  Finding finding;               ///< as of `seen`
  Moment opened;                 ///< the first diagnosis that found it
  Moment seen;                   ///< the latest one
  std::optional<Moment> closed;  ///< empty: it is open
  std::string closed_by;         ///< the finding that turned out to explain it; empty: it went away
  bool blind = false;            ///< open, but its rule cannot tell at present

  TimePoint::duration blind_for{};  ///< how long its rule could not tell, which does not make it worse

  [[nodiscard]] bool is_open() const { return !closed; }
};

}  // namespace tcpdiag
