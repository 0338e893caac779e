// SPDX-License-Identifier: Apache-2.0
#include "core/snapshot.h"

#include <algorithm>
#include <utility>

namespace tcpdiag {

const NetnsView* Snapshot::find(NetnsId id) const {
  const auto place = std::ranges::lower_bound(namespaces, id, {}, &NetnsView::id);
  return place != namespaces.end() && place->id == id ? &*place : nullptr;
}

NetnsView* Snapshot::find(NetnsId id) { return const_cast<NetnsView*>(std::as_const(*this).find(id)); }

const NetnsView& Snapshot::view(NetnsId id) const {
  static const NetnsView kNothing;
  const auto* found = find(id);
  return found == nullptr ? kNothing : *found;
}

}  // namespace tcpdiag
