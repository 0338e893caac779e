// SPDX-License-Identifier: Apache-2.0
// What a struct of the report consists of, once: JSON, the binary form and the size in memory follow from it.
// Beside each struct stands members_of(Type<THE_STRUCT>, member), a tuple of its members in their order; one
// that is left out does not compile. It is a template so that only those who ask for it pay for the tuple:
// made by everyone who includes the struct, it was a fifth of a compiler's time.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
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

/// The first N enumerators of an enumeration without gaps. Beside one that has to_string() stands
/// values_of(Type<E>), all of them.
template <class E, std::size_t N>
constexpr std::array<E, N> first_values() {
  std::array<E, N> values{};
  for (std::size_t i = 0; i < N; ++i) values.at(i) = static_cast<E>(i);
  return values;
}

/// What members_of() is given as `member`.
struct MakeMember {
  template <class Object, class T>
  constexpr Member<Object, T> operator()(std::string_view name, T Object::* at,
                                         Shown shown = Shown::always) const {
    return {name, at, shown};
  }
};

template <class T>
concept Described = requires { members_of(Type<std::remove_const_t<T>>{}, MakeMember{}); };

namespace detail {

template <class T, class A, class B>
constexpr bool are_one(const Member<T, A>& a, const Member<T, B>& b) {
  if constexpr (std::is_same_v<A, B>)
    if (a.at == b.at) return true;
  return a.name == b.name;
}

template <class T, class A, class... M>
constexpr bool is_once(const Member<T, A>& member, const Member<T, M>&... all) {
  return (0 + ... + (are_one(member, all) ? 1 : 0)) == 1;
}

/// Whether these are all members of T, each once: it can be made of so many of these types, and not of one
/// more.
template <class T, class... M>
constexpr bool are_all(const Member<T, M>&... members) {
  return (is_once(members, members...) && ...) && requires { T{std::declval<M>()...}; } &&
         !requires { T{std::declval<M>()..., {}}; };
}

}  // namespace detail

/// Calls visit(member, value) for each member of an object, in their order.
template <Described T, class Visit>
constexpr void for_each_member(T& object, Visit&& visit) {
  using Plain = std::remove_const_t<T>;
  constexpr auto kMembers = members_of(Type<Plain>{}, MakeMember{});
  static_assert(std::apply([](const auto&... member) { return detail::are_all(member...); }, kMembers),
                "members_of() leaves a member out, has one twice, or types in another order than the struct");
  std::apply([&](const auto&... member) { (visit(member, object.*member.at), ...); }, kMembers);
}

}  // namespace tcpdiag
