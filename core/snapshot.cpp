// SPDX-License-Identifier: Apache-2.0
#include "core/snapshot.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace tcpdiag {
namespace {

constexpr NetnsId kNobodys{std::numeric_limits<std::uint32_t>::max()};

}  // namespace

const NetnsView* Snapshot::find(NetnsId id) const {
  const auto place = std::ranges::lower_bound(namespaces, id, {}, &NetnsView::id);
  return place != namespaces.end() && place->id == id ? &*place : nullptr;
}

NetnsView* Snapshot::find(NetnsId id) { return const_cast<NetnsView*>(std::as_const(*this).find(id)); }

const NetnsView& Snapshot::view(NetnsId id) const {
  static const NetnsView kNothing{.id = kNobodys};
  const auto* found = find(id);
  return found == nullptr ? kNothing : *found;
}

}  // namespace tcpdiag
