// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/rules/close_wait_leak.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "core/owners.h"
#include "diagnosis/close_wait_course.h"
#include "diagnosis/evidence.h"
#include "diagnosis/subjects.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

using std::chrono::seconds;

// What one process holds, or what nobody is known to hold of one service.
struct Held {
  const Process* owner = nullptr;
  CloseWaitService service;  // where it holds most, of those that grow if any does
  std::uint64_t in_service = 0;
  std::uint64_t count = 0, standing = 0;
  CloseWaitCourse course = CloseWaitCourse::passing;
  TimePoint oldest = TimePoint::max();

  void add(const Held& other) {
    if (std::tie(course, in_service) < std::tie(other.course, other.in_service))
      std::tie(service, in_service) = std::tie(other.service, other.in_service);
    count += other.count;
    standing += other.standing;
    course = std::max(course, other.course);
    oldest = std::min(oldest, other.oldest);
  }
  [[nodiscard]] bool grows() const { return course == CloseWaitCourse::growing; }
  // Whether the process is about to run out of descriptors because of them. At its limit they cannot grow.
  [[nodiscard]] bool drains(const Thresholds& t) const {
    return owner != nullptr && owner->fd_ratio() >= t.fd_near &&
           2 * (grows() ? count : standing) >= *owner->open_fds;
  }
};

class Owners {
 public:
  explicit Owners(const Window& window) : window_(window), processes_(window.newest().processes.get()) {
    if (processes_ == nullptr) return;
    for (const auto& process : processes_->processes)
      for (const auto inode : process.close_wait_inodes) by_inode_.try_emplace(inode, &process);
  }

  [[nodiscard]] const Process* of(const CloseWait& each) const {
    const auto owner = by_inode_.find(each.inode);
    return owner == by_inode_.end() ? nullptr : owner->second;
  }

  // Of those that were not looked for: who accepted them, most likely.
  [[nodiscard]] const Process* of(CloseWaitService service) const {
    const auto listeners = window_.latest(&NetnsView::listeners);
    if (!service.server || !listeners || processes_ == nullptr) return nullptr;
    for (const auto& listener : (*listeners)->listeners)
      if (listener.endpoint.port == service.port)
        if (const auto* owner = main_owner(*processes_, listener)) return owner;
    return nullptr;
  }

 private:
  const Window& window_;
  const Processes* processes_;
  std::unordered_map<std::uint32_t, const Process*> by_inode_;
};

using Courses = std::map<CloseWaitService, CloseWaitCourse>;
using ByOwner = std::map<const Process*, Held>;

std::map<CloseWaitService, ByOwner> by_service_and_owner(const Owners& owners,
                                                         const std::vector<CloseWait>& old, TimePoint at,
                                                         const Courses& courses) {
  std::map<CloseWaitService, ByOwner> services;
  for (const auto& each : old) {
    const auto* owner = owners.of(each);
    auto& held = services[service_of(each)][owner];
    held.owner = owner;
    held.service = service_of(each);
    if (const auto course = courses.find(held.service); course != courses.end()) held.course = course->second;
    held.in_service = ++held.count;
    held.standing += each.idle_since() <= at - stands_from(held.service) ? 1U : 0U;
    held.oldest = std::min(held.oldest, each.first_seen);
  }
  return services;
}

// Those whose holder is not known go to whoever holds most of the service, or is likely to.
const Process* likely_owner(const Owners& owners, CloseWaitService service, const ByOwner& by_owner) {
  const Held* most = nullptr;
  for (const auto& [owner, held] : by_owner)
    if (owner != nullptr && (most == nullptr || held.count > most->count)) most = &held;
  return most == nullptr ? owners.of(service) : most->owner;
}

std::vector<Held> held_by_owners(const Window& window, const std::vector<CloseWait>& old, TimePoint at,
                                 const Courses& courses) {
  const Owners owners(window);
  std::map<std::tuple<const Process*, CloseWaitService>, Held> merged;
  for (const auto& [service, by_owner] : by_service_and_owner(owners, old, at, courses)) {
    const auto* likely = likely_owner(owners, service, by_owner);
    for (const auto& [owner, held] : by_owner) {
      const auto* holder = owner == nullptr ? likely : owner;
      auto& sum = merged[{holder, holder == nullptr ? service : CloseWaitService{}}];
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
  add_reading(facts, "sockets in CLOSE_WAIT with an inode", "count", held.count, "sockets");
  add_reading(facts, "age of the oldest, at least", age.count(), "seconds");
  facts.values["age"] = duration_text(age);
  facts.values[held.service.server ? ValueName("server_port") : ValueName("client_port")] =
      std::to_string(held.service.port);
  facts.values["holder"] = "a process that is not known";
  if (held.owner == nullptr) return facts;
  facts.values["holder"] = to_string(facts.subject);
  facts.known_as = {{.kind = held.service.server ? SubjectKind::listener : SubjectKind::destination,
                     .port = held.service.port}};
  if (!held.drains(t)) return facts;
  facts.severity = Severity::critical;
  facts.explains = kFollowFromFullDescriptors;
  add_reading(facts, "open fds", "open", *held.owner->open_fds, "descriptors");
  facts.values["limit"] = std::to_string(*held.owner->soft_limit);
  const auto twice = 2 * *held.owner->soft_limit;
  const bool below_hard = held.owner->hard_limit && twice <= *held.owner->hard_limit;
  facts.values["new_limits"] =
      std::to_string(twice) + (below_hard ? ":" : "");  // without it prlimit sets both
  facts.bites = Bites{.limit = "RLIMIT_NOFILE", .value = static_cast<double>(*held.owner->soft_limit)};
  return facts;
}

}  // namespace

Verdict close_wait_leak(const Window& window, const Thresholds& t) {
  const auto latest = window.latest(&NetnsView::connections);
  if (!latest) return Verdict::unknown(latest.error());
  const auto reading = window.readings(&NetnsView::connections).back();
  const auto old = idle_for(reading, kOldCloseWait);
  std::vector<Facts> found;
  for (const auto& held : held_by_owners(window, old, reading.at, close_wait_courses(window, t))) {
    if (held.count < t.close_wait_min || (held.course == CloseWaitCourse::passing && !held.drains(t)))
      continue;
    found.push_back(facts_about(window, held, t));
    if (!held.drains(t) && !held.grows()) found.back().severity = Severity::info;
  }
  return Verdict::found(std::move(found));
}

}  // namespace tcpdiag
