// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/rest.h"

#include <algorithm>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/sections.h"

namespace tcpdiag {

Rest::Values Rest::values_of(const NetnsView& netns) {
  Values values;
  std::size_t place = 0;
  for_each_section(netns, [&]<class T>(const auto&, const Section<T>& section) {
    if constexpr (!std::is_same_v<T, SocketUsage>) {
      if (section.known()) values.at(place) = *section.value;
      ++place;
    }
  });
  return values;
}

std::set<NetnsId> Rest::of(const Snapshot& newest) const {
  std::set<NetnsId> resting;
  for (const auto& netns : newest.namespaces) {
    const auto known = judged_.find(netns.id);
    if (known == judged_.end() || !known->second.is_clear) continue;
    if (newest.at - known->second.at < kLongest && known->second.values == values_of(netns) &&
        netns.sockets.known() && known->second.in_use == netns.sockets.get()->own())
      resting.insert(resting.end(), netns.id);
  }
  return resting;
}

void Rest::judged(const Snapshot& newest, const std::set<NetnsId>& resting, const Diagnosis& diagnosis) {
  std::set<std::string_view> spoken_of;  // names
  for (const auto& finding : diagnosis.findings) spoken_of.insert(finding.netns);
  for (const auto& unknown : diagnosis.unknown) spoken_of.insert(unknown.netns);
  for (const auto& explained : diagnosis.explained) spoken_of.insert(explained.netns);
  std::erase_if(judged_, [&](const auto& entry) { return newest.find(entry.first) == nullptr; });
  for (const auto& netns : newest.namespaces) {
    if (netns.id == NetnsId::host || resting.contains(netns.id)) continue;
    auto values = values_of(netns);
    const auto* usage = netns.sockets.get();
    const bool is_clear = diagnosis.cut == 0 && !spoken_of.contains(netns.name) && netns.sockets.known() &&
                          std::ranges::find(values, nullptr) == values.end();
    judged_.insert_or_assign(
        netns.id, Judged{newest.at, std::move(values), usage == nullptr ? InUse() : usage->own(), is_clear});
  }
}

}  // namespace tcpdiag
