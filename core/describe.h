// SPDX-License-Identifier: Apache-2.0
// What a struct of the report consists of, once: JSON and the size in memory follow from it. Beside each
// struct stands members_of(Type<THE_STRUCT>), a tuple of its members in their order; one that is left out
// does not compile.
#pragma once

#include <concepts>
#include <string_view>
#include <tuple>
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

/// Whether these are all members of T: it can be made of so many, and not of one more.
template <class T, class... M>
consteval bool are_all(Type<std::tuple<Member<T, M>...>>) {
  return requires { T{std::declval<M>()...}; } && !requires { T{std::declval<M>()..., {}}; };
}

}  // namespace detail

/// Calls visit(member, value) for each member of an object, in their order.
template <Described T, class Visit>
constexpr void for_each_member(T& object, Visit&& visit) {
  using Plain = std::remove_const_t<T>;
  constexpr auto kMembers = members_of(Type<Plain>{});
  static_assert(detail::are_all<Plain>(Type<std::remove_const_t<decltype(kMembers)>>{}),
                "members_of() leaves a member out, or has another order than the struct");
  std::apply([&](const auto&... member) { (visit(member, object.*member.at), ...); }, kMembers);
}

}  // namespace tcpdiag
