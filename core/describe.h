// SPDX-License-Identifier: Apache-2.0
// What a struct of the report consists of, once: JSON and the size in memory follow from it. Beside each
// struct stands members_of(Type<THE_STRUCT>), a tuple of its members in their order; one that is left out
// does not compile.
#pragma once

#include <concepts>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tcpdiag {

template <class T>
struct Type {};

enum class Shown {
  always,
  if_filled,  ///< an empty text, or 0, says that there is nothing to say
  never,      ///< it means something in this process only
};

/// A member under the name that it has outside: in JSON.
template <class Object, class T>
struct Member {
  std::string_view name;
  T Object::* at;
  Shown shown = Shown::always;
};
template <class Object, class T>
Member(const char*, T Object::*) -> Member<Object, T>;
template <class Object, class T>
Member(const char*, T Object::*, Shown) -> Member<Object, T>;

template <class T>
concept Described = requires { members_of(Type<std::remove_const_t<T>>{}); };

namespace detail {

template <class T, class A, class B>
constexpr bool differ(const Member<T, A>& a, const Member<T, B>& b) {
  if constexpr (std::is_same_v<A, B>)
    if (a.at == b.at) return false;
  return a.name != b.name;
}

/// Whether these are all members of T, each once: it can be made of so many of these types, and not of one
/// more.
template <class T, class... M>
constexpr bool are_all(const std::tuple<Member<T, M>...>& members) {
  const auto is_once = [&](const auto& member) {
    return std::apply([&](const auto&... other) { return (0 + ... + (differ(member, other) ? 0 : 1)) == 1; },
                      members);
  };
  const bool all_differ =
      std::apply([&](const auto&... member) { return (is_once(member) && ...); }, members);
  return all_differ && requires { T{std::declval<M>()...}; } && !requires { T{std::declval<M>()..., {}}; };
}

}  // namespace detail

/// Calls visit(member, value) for each member of an object, in their order.
template <Described T, class Visit>
constexpr void for_each_member(T& object, Visit&& visit) {
  using Plain = std::remove_const_t<T>;
  constexpr auto kMembers = members_of(Type<Plain>{});
  static_assert(detail::are_all<Plain>(kMembers),
                "members_of() leaves a member out, has one twice, or types in another order than the struct");
  std::apply([&](const auto&... member) { (visit(member, object.*member.at), ...); }, kMembers);
}

}  // namespace tcpdiag
