// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/describe.h"
#include "core/section.h"

namespace tcpdiag {

/// Connection tracking (/proc/sys/net/netfilter, /proc/net/stat/nf_conntrack). Everything is empty where
/// nf_conntrack is not loaded.
struct Conntrack {
  Count entries;
  Count limit;  ///< the value is machine-wide, each namespace's own entries are compared with it
  Count drops, early_drops, insert_failed;  ///< of all CPUs; the kernel's 32 bits wrap, these go on counting

  bool operator==(const Conntrack&) const = default;
};
constexpr std::string_view collector_of(Type<Conntrack>) { return "conntrack"; }
constexpr auto members_of(Type<Conntrack>, auto member) {
  return std::tuple(member("entries", &Conntrack::entries), member("limit", &Conntrack::limit),
                    member("drops", &Conntrack::drops), member("early_drops", &Conntrack::early_drops),
                    member("insert_failed", &Conntrack::insert_failed));
}

}  // namespace tcpdiag
