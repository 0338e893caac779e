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

void UnacceptedFollower::add(std::uint16_t port, std::uint64_t cookie) {
  const auto key = to_key(port, cookie);
  present_all_ = present_all_ && present_.size() < kMost;
  if (present_all_) present_.push_back(key);
}

// Sockets that stay keep their places in the kernel's table: the two dumps are nearly alike, and one walk
// along both finds nearly all of them.
std::vector<std::uint64_t> UnacceptedFollower::gone() const {
  constexpr std::ptrdiff_t kLookAhead = 16;
  std::vector<std::uint64_t> missed;
  auto old = before_.begin();
  for (const auto key : present_) {
    const auto end = old + std::min(kLookAhead, before_.end() - old);
    const auto found = std::find(old, end, key);
    if (found == end) continue;
    missed.insert(missed.end(), old, found);
    old = found + 1;
  }
  missed.insert(missed.end(), old, before_.end());
  if (!missed.empty()) remove_present(missed);
  return missed;
}

void UnacceptedFollower::remove_present(std::vector<std::uint64_t>& keys) const {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::vector<bool> there(keys.size());
  for (const auto key : present_) {
    const auto found = std::lower_bound(keys.begin(), keys.end(), key);
    if (found != keys.end() && *found == key) there[static_cast<std::size_t>(found - keys.begin())] = true;
  }
  std::size_t left = 0;
  for (std::size_t index = 0; index < keys.size(); ++index)
    if (!there[index]) keys[left++] = keys[index];
  keys.resize(left);
}

void UnacceptedFollower::finish(std::vector<PortConnections>& rows) {
  if (before_known_ && present_all_) {
    for (auto& row : rows) row.unaccepted_left = 0;
    for (const auto key : gone()) {
      const auto row = std::lower_bound(rows.begin(), rows.end(), port_of(key),
                                        [](const auto& each, auto port) { return each.port < port; });
      if (row != rows.end() && row->port == port_of(key)) ++*row->unaccepted_left;
    }
  }
  before_known_ = present_all_;
  if (!present_all_) present_.clear();
  before_.swap(present_);
  discard();
}

void UnacceptedFollower::discard() {
  present_.clear();
  present_all_ = true;
}

void UnacceptedFollower::forget() {
  before_.clear();
  before_known_ = false;
}

}  // namespace tcpdiag
