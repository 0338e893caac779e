// SPDX-License-Identifier: Apache-2.0
#include "collectors/unaccepted.h"

#include <algorithm>

namespace tcpdiag {
namespace {

constexpr unsigned kCookieBits = 48;

std::uint64_t to_key(std::uint16_t port, std::uint64_t cookie) {
  return std::uint64_t{port} << kCookieBits | (cookie & ((std::uint64_t{1} << kCookieBits) - 1));
}

std::uint16_t port_of(std::uint64_t key) { return static_cast<std::uint16_t>(key >> kCookieBits); }

}  // namespace

// Where the key is, or the empty slot where it would be. Some slots are always empty.
std::size_t UnacceptedFollower::slot_of(std::uint64_t key) const {
  constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15U;  // spreads numbers that follow one another
  auto slot = static_cast<std::size_t>(((key * kGoldenRatio) >> 32) * before_.size() >> 32);
  while (before_[slot] != 0 && before_[slot] != key) slot = slot + 1 == before_.size() ? 0 : slot + 1;
  return slot;
}

void UnacceptedFollower::add(std::uint16_t port, std::uint64_t cookie) {
  const auto key = to_key(port, cookie);
  if (key == 0) return;
  if (!before_.empty()) {
    if (const auto slot = slot_of(key); before_[slot] == key) still_there_[slot] = true;
  }
  present_all_ = present_all_ && present_.size() < kMost;
  if (present_all_) present_.push_back(key);
}

void UnacceptedFollower::finish(std::vector<PortConnections>& rows) {
  if (before_known_) {
    for (auto& row : rows) row.unaccepted_left = 0;
    for (std::size_t slot = 0; slot < before_.size(); ++slot) {
      if (before_[slot] == 0 || still_there_[slot]) continue;
      const auto port = port_of(before_[slot]);
      const auto row = std::lower_bound(rows.begin(), rows.end(), port,
                                        [](const auto& each, auto wanted) { return each.port < wanted; });
      if (row != rows.end() && row->port == port) ++*row->unaccepted_left;
    }
  }
  keep_present();
}

void UnacceptedFollower::keep_present() {
  before_known_ = present_all_;
  if (!present_all_) present_ = {};
  before_.assign(present_.empty() ? 0 : present_.size() + present_.size() / 2 + 1, 0);
  for (const auto key : present_) before_[slot_of(key)] = key;
  discard();
}

void UnacceptedFollower::discard() {
  present_.clear();
  present_all_ = true;
  still_there_.assign(before_.size(), false);
}

void UnacceptedFollower::forget() {
  before_.clear();
  still_there_.clear();
  before_known_ = false;
}

}  // namespace tcpdiag
