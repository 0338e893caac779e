// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_list.h"

#include "collectors/process_netns.h"

namespace tcpdiag {
namespace {

bool looks_from_inside(Source& source) {
  constexpr std::int32_t kInit = 1;
  const auto own = check_own_netns(source, kInit);
  return !own && own.error().code == Errc::no_netns;
}

}  // namespace

Result<NetnsList> NetnsListReader::operator()(const Reading& reading) {
  auto list = scan_.scan(reading.source);
  if (!list) return list;
  if (looks_from_inside(reading.source)) {
    list->namespaces.resize(1);
    list->cut = 0;
  }
  names_.name(reading.source, *list);
  return list;
}

}  // namespace tcpdiag
