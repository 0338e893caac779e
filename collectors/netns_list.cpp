// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_list.h"

#include "collectors/netns_members.h"
#include "collectors/process_netns.h"

namespace tcpdiag {
namespace {

// Where process 1 may not be asked, the settings tell that only the machine's first namespace has.
bool looks_from_inside(Source& source) {
  constexpr std::int32_t kInit = 1;
  const auto own = check_own_netns(source, kInit);
  return !own && (own.error().code == Errc::no_netns || is_in_inner_netns(source));
}

Result<NetnsList> only_own(Source& source) {
  const auto inode = read_own_netns(source);
  if (!inode) return tl::unexpected<Error>(inode.error());
  return NetnsList{.namespaces = {{.inode = *inode, .name = kHostNetns, .kind = NetnsKind::host}}};
}

}  // namespace

Result<NetnsList> NetnsListReader::operator()(const Reading& reading) {
  if (looks_from_inside(reading.source)) return only_own(reading.source);
  auto list = scan_.scan(reading.source);
  if (!list) return list;
  names_.name(reading.source, *list);
  published_.look(reading.source, scan_.members(), scan_.own());
  names_.put_published(*list);
  published_.put_into(*list);
  return list;
}

}  // namespace tcpdiag
