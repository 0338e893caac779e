// SPDX-License-Identifier: Apache-2.0
#include "core/finding_order.h"

#include <map>
#include <set>
#include <string_view>

namespace tcpdiag {
namespace {

bool may_follow(const Finding& effect, const Finding& cause) {
  const auto &a = effect.subject, &b = cause.subject;
  const bool same_netns = effect.netns.empty() || cause.netns.empty() || effect.netns == cause.netns;
  const bool same_port = a.port && a.port == b.port;
  const bool same_owner = owner_of(a) == owner_of(b) && owner_of(a) != SubjectOwner();
  return same_netns && (same_port || same_owner);
}

/// Puts incidents one behind the other, the causes of each before it.
class ReadingOrder {
 public:
  explicit ReadingOrder(const std::vector<const Incident*>& incidents) {
    for (const auto* incident : incidents) by_id_[incident->finding.id].push_back(incident);
    for (const auto* incident : incidents) put(incident);
  }

  std::vector<const Incident*> ordered;

 private:
  void put(const Incident* incident) {
    if (!placed_.insert(incident).second) return;  // or it is about to be: they explain one another
    for (const auto& id : incident->finding.causes)
      if (const auto causes = by_id_.find(id); causes != by_id_.end())
        for (const auto* cause : causes->second)
          if (may_follow(incident->finding, cause->finding)) put(cause);
    ordered.push_back(incident);
  }

  std::map<std::string_view, std::vector<const Incident*>> by_id_;
  std::set<const Incident*> placed_;
};

}  // namespace

bool is_past(const Incident& incident, TimePoint now) {
  constexpr std::chrono::milliseconds kSameDiagnosis{500};
  return incident.is_open() && !incident.blind && now - incident.seen.at > kSameDiagnosis;
}

std::vector<const Incident*> in_reading_order(const std::vector<const Incident*>& incidents, TimePoint now) {
  std::vector<const Incident*> present, past;
  for (const auto* incident : incidents) (is_past(*incident, now) ? past : present).push_back(incident);
  auto ordered = ReadingOrder(present).ordered;
  const auto over = ReadingOrder(past).ordered;
  ordered.insert(ordered.end(), over.begin(), over.end());
  return ordered;
}

}  // namespace tcpdiag
