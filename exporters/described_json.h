// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/describe.h"
#include "exporters/json_stream.h"

namespace tcpdiag {

/// Writes what members_of() describes as JSON: a struct is an object, an empty optional is left out, an
/// enumeration is its to_string(). `Self` derives from it, and has an overload of field() or write() for what
/// its readers know in another form.
template <class Self>
class DescribedJson {
 public:
  template <class T>
  void field(std::string_view name, const T& value) {
    stream_.key(name);
    self().write(value);
  }
  template <class T>
  void field(std::string_view name, const std::optional<T>& value) {
    if (value) self().field(name, *value);
  }

  template <class T>
  void write(const T& value) {
    if constexpr (Described<T>)
      write_object(value);
    else if constexpr (requires { to_string(value); })
      stream_.value(to_string(value));
    else if constexpr (std::is_enum_v<T>)
      stream_.value(static_cast<std::underlying_type_t<T>>(value));
    else
      stream_.value(value);
  }
  void write(std::chrono::seconds time) { stream_.value(time.count()); }
  template <class T>
  void write(const std::vector<T>& values) {
    write_list(values);
  }
  template <class T, std::size_t N>
  void write(const std::array<T, N>& values) {
    write_list(values);
  }
  template <class T, std::size_t N>
  void write(std::span<T, N> values) {
    write_list(values);
  }

 protected:
  template <class T>
  void write_object(const T& object) {
    stream_.begin_object();
    members(object);
    stream_.end_object();
  }
  /// Those that are shown, in their order.
  template <class T>
  void members(const T& object, std::initializer_list<std::string_view> left_out = {}) {
    for_each_member(object, [&]<class V>(const auto& member, const V& value) {
      if (member.shown == Shown::never || std::ranges::find(left_out, member.name) != left_out.end()) return;
      if constexpr (std::is_arithmetic_v<V> || std::is_same_v<V, std::string>)
        if (member.shown == Shown::if_filled && value == V()) return;
      self().field(member.name, value);
    });
  }

  JsonStream& stream_;

 private:
  friend Self;

  explicit DescribedJson(JsonStream& stream) : stream_(stream) {}
  Self& self() { return static_cast<Self&>(*this); }
  template <class List>
  void write_list(const List& list) {
    stream_.begin_array();
    for (const auto& value : list) self().write(value);
    stream_.end_array();
  }
};

}  // namespace tcpdiag
