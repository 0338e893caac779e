// SPDX-License-Identifier: Apache-2.0
// Who gets the few places there are: whoever has very much must not push out what others have.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <type_traits>
#include <utility>
#include <vector>

namespace tcpdiag {

/// Puts what competes for places in the order in which it gets them: the first of every owner, then the
/// second of every owner, and so on. Otherwise the present order stays, in which what matters most comes
/// first. `owner_of` gives a value that can be ordered; `places_of` how many places one takes.
/// Owners within owners, as the units of a user: share out among the inner ones first, then among the outer.
template <class T, class OwnerOf, class PlacesOf>
void share_out(std::vector<T>& wanted, OwnerOf owner_of, PlacesOf places_of) {
  std::map<std::decay_t<std::invoke_result_t<OwnerOf, const T&>>, std::size_t> taken;
  std::vector<std::pair<std::size_t, T>> in_turn;  // with the places that its owner has then
  in_turn.reserve(wanted.size());
  for (auto& each : wanted) {
    const auto then = taken[std::invoke(owner_of, std::as_const(each))] +=
        std::invoke(places_of, std::as_const(each));
    in_turn.emplace_back(then, std::move(each));
  }
  std::ranges::stable_sort(in_turn, {}, [](const auto& each) { return each.first; });
  std::ranges::transform(in_turn, wanted.begin(), [](auto& each) { return std::move(each.second); });
}

/// The same where each takes one place.
template <class T, class OwnerOf>
void share_out(std::vector<T>& wanted, OwnerOf owner_of) {
  share_out(wanted, owner_of, [](const T&) { return std::size_t{1}; });
}

/// Shares out and keeps the first `most`. Returns the sum of what `count_of` gives for the others.
template <class T, class OwnerOf, class CountOf>
std::uint64_t keep_shared(std::vector<T>& wanted, std::size_t most, OwnerOf owner_of, CountOf count_of) {
  share_out(wanted, owner_of);
  std::uint64_t cut = 0;
  for (; wanted.size() > most; wanted.pop_back()) cut += std::invoke(count_of, wanted.back());
  return cut;
}

}  // namespace tcpdiag
