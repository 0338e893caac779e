// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_paths.h"

#include <utility>

namespace tcpdiag {

void NetnsPaths::set(const std::string& name, NetnsPlace place) {
  const std::lock_guard lock(mutex_);
  places_.insert_or_assign(name, std::move(place));
}

void NetnsPaths::forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  places_.erase(name);
}

NetnsPlace NetnsPaths::of(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(name);
  return found == places_.end() ? NetnsPlace{.path = name, .inode = {}} : found->second;
}

}  // namespace tcpdiag
