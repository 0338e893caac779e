// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tcpdiag {

/// So many sockets of a dump are followed at most.
inline constexpr std::size_t kMostFollowed = 16384;

/// Sockets that a dump shows, each beside what it was at the dump before: they are told apart by their
/// cookies. `Socket` has a member `cookie`.
template <class Socket>
class FollowedSockets {
 public:
  /// One that the present dump shows; beyond kMostFollowed it is only counted.
  void add(Socket socket) {
    if (present_.size() < kMostFollowed)
      present_.push_back(std::move(socket));
    else
      ++cut_;
  }
  /// Ends a dump: calls `see(now, before)` for each socket once, `before` a pointer, null for a new one. What
  /// `see` makes of it is known at the next dump. Returns how many were only counted.
  template <class See>
  std::uint64_t finish(See see) {
    std::ranges::sort(present_, {}, &Socket::cookie);
    const auto shown_twice = [](const auto& a, const auto& b) { return a.cookie == b.cookie; };
    present_.erase(std::unique(present_.begin(), present_.end(), shown_twice), present_.end());
    auto old = before_.cbegin();  // both are ordered: one walk along them finds those that stay
    for (auto& each : present_) {
      old = std::lower_bound(old, before_.cend(), each.cookie,
                             [](const auto& one, auto cookie) { return one.cookie < cookie; });
      see(each, old != before_.cend() && old->cookie == each.cookie ? &*old : nullptr);
    }
    before_.swap(present_);
    const auto cut = cut_;
    discard();
    return cut;
  }
  /// Of the dump that ended last; nullptr: it did not show it.
  [[nodiscard]] Socket* find(std::uint64_t cookie) {
    const auto found = std::ranges::lower_bound(before_, cookie, {}, &Socket::cookie);
    return found == before_.end() || found->cookie != cookie ? nullptr : &*found;
  }
  /// Starts again after a dump that failed half-way; what the one before it showed stays.
  void discard() {
    present_.clear();
    cut_ = 0;
  }
  /// The dump before showed another namespace: nothing is known of this one.
  void forget() { before_.clear(); }

 private:
  std::vector<Socket> present_;  // of this dump, in its order
  std::vector<Socket> before_;   // of the dump before, by cookie
  std::uint64_t cut_ = 0;
};

}  // namespace tcpdiag
