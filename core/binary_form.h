// SPDX-License-Identifier: Apache-2.0
// What members_of() describes as bytes, for files that another version of the program may read:
//
//   version, names, value
//
// A struct is the number of its members and for each the place of its name among `names`, its length in bytes
// and its value; so a reader passes over what it does not know, and what is not there keeps its default. An
// enumerator with a word is the place of that word. Arrays go by place: what indexes them only grows at its
// end. Numbers are LEB128, signed ones zigzag.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/describe.h"
#include "core/facts/settings.h"
#include "core/facts/tcp_counters.h"
#include "core/section.h"

namespace tcpdiag {
namespace detail {

template <class T>
concept Duration = requires { typename T::period; };

/// Appends values to what becomes a value's binary form.
class BinaryWriter {
 public:
  template <Described T>
  void put(const T& object) {
    Members members;
    for_each_member(object, [&](const auto& member, const auto& value) { add(members, member.name, value); });
    put_members(members);
  }
  void put(const TcpCounters& counters);

  template <class T>
    requires std::unsigned_integral<T>
  void put(T value) {
    put_number(value);
  }
  template <class T>
    requires std::signed_integral<T>
  void put(T value) {
    put_number((static_cast<std::uint64_t>(value) << 1U) ^
               static_cast<std::uint64_t>(std::int64_t{value} >> 63U));
  }
  void put(char letter) { put(static_cast<std::uint8_t>(letter)); }
  void put(double value) { put_number(std::bit_cast<std::uint64_t>(value)); }
  void put(std::string_view text);
  template <Duration T>
  void put(T duration) {
    put(std::int64_t{duration.count()});
  }
  void put(TimePoint at) { put(at.time_since_epoch()); }
  template <class E>
    requires std::is_enum_v<E>
  void put(E value) {
    if constexpr (requires { to_string(value); })
      put_number(place_of(to_string(value)));
    else
      put(static_cast<std::underlying_type_t<E>>(value));
  }
  template <class T, std::size_t N>
  void put(const std::array<T, N>& values) {
    put_list(values);
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put_list(values);
  }
  template <class T>
  void put(const Section<T>& section) {
    Members members;
    add(members, "read_at", section.read_at);
    if (const auto* value = section.get())
      add(members, "value", *value);
    else
      add(members, "error", section.value.error());
    put_members(members);
  }

  /// All of it; the writer is done.
  std::string finish();

 private:
  struct Members {
    std::uint64_t count = 0;
    std::string bytes;
  };

  template <class T>
  void add(Members& members, std::string_view name, const T& value) {
    auto outer = std::exchange(bytes_, {});
    put(value);
    add_bytes(members, name, std::exchange(bytes_, std::move(outer)));
  }
  template <class T>
  void add(Members& members, std::string_view name, const std::optional<T>& value) {
    if (value) add(members, name, *value);
  }
  template <class List>
  void put_list(const List& values) {
    put_number(values.size());
    for (const auto& value : values) put(value);
  }
  void add_bytes(Members& members, std::string_view name, const std::string& bytes);
  void put_members(const Members& members);
  void put_number(std::uint64_t value);
  std::uint64_t place_of(std::string_view name);

  std::string bytes_;
  std::map<std::string, std::uint64_t, std::less<>> places_;
  std::vector<std::string> names_;
};

/// Takes values out of a binary form. After malformed input failed() is true and what was read is worth
/// nothing.
class BinaryReader {
 public:
  /// Reads version and names.
  explicit BinaryReader(std::string_view bytes);

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

  template <Described T>
  void take(T& object) {
    take_members([&](std::string_view name) {
      for_each_member(object, [&](const auto& member, auto& value) {
        if (member.name == name) take(value);
      });
    });
  }
  void take(TcpCounters& counters);

  template <class T>
    requires std::unsigned_integral<T>
  void take(T& value) {
    const auto number = take_number();
    if (number > std::numeric_limits<T>::max()) return fail();
    value = static_cast<T>(number);
  }
  template <class T>
    requires std::signed_integral<T>
  void take(T& value) {
    const auto number = take_number();
    const auto whole = static_cast<std::int64_t>((number >> 1U) ^ (~(number & 1U) + 1));
    if (whole < std::numeric_limits<T>::min() || whole > std::numeric_limits<T>::max()) return fail();
    value = static_cast<T>(whole);
  }
  void take(char& letter) {
    std::uint8_t value = 0;
    take(value);
    letter = static_cast<char>(value);
  }
  void take(double& value) { value = std::bit_cast<double>(take_number()); }
  void take(std::string& text) { text = take_text(); }
  /// A name that the program knows: of a sysctl or a collector. Another one is empty.
  void take(std::string_view& name);
  template <Duration T>
  void take(T& duration) {
    std::int64_t count = 0;
    take(count);
    duration = T(count);
  }
  void take(TimePoint& at) {
    auto since = at.time_since_epoch();
    take(since);
    at = TimePoint(since);
  }
  /// A word that the program does not know leaves the value as it is; in a list, the element is left out.
  template <class E>
    requires std::is_enum_v<E>
  void take(E& value) {
    if constexpr (requires { to_string(value); }) {
      const auto word = name_at(take_number());
      for (const auto each : values_of(Type<E>{}))
        if (word == to_string(each)) return void(value = each);
      strange_ = true;
    } else {
      std::underlying_type_t<E> number{};
      take(number);
      value = E{number};
    }
  }
  template <class T>
  void take(std::optional<T>& value) {
    take(value.emplace());
  }
  /// One that has become longer or shorter: what both have.
  template <class T, std::size_t N>
  void take(std::array<T, N>& values) {
    const auto count = take_count();
    for (std::uint64_t i = 0; i < count && !failed_; ++i) {
      T beyond{};
      take(i < N ? values.at(i) : beyond);
    }
  }
  template <class T>
  void take(std::vector<T>& values) {
    const auto count = take_count();
    const bool outer_is_strange = std::exchange(strange_, false);
    values.clear();
    for (std::uint64_t i = 0; i < count && !failed_; ++i) {
      T value{};
      take(value);
      if constexpr (requires(T t) { requires std::is_same_v<decltype(t.name), std::string_view>; })
        strange_ = strange_ || value.name.empty();
      if (std::exchange(strange_, false)) continue;
      if (budget_ < sizeof(T)) return fail();
      budget_ -= sizeof(T);
      values.push_back(std::move(value));
    }
    strange_ = outer_is_strange;
  }
  template <class T>
  void take(Section<T>& section) {
    take_members([&](std::string_view name) {
      if (name == "read_at") {
        take(section.read_at);
      } else if (name == "value") {
        auto value = std::make_shared<T>();
        take(*value);
        section.value = std::shared_ptr<const T>(std::move(value));
      } else if (name == "error") {
        Error error;
        take(error);
        section.value = tl::unexpected<Error>(std::move(error));
      }
    });
  }

 private:
  /// Calls take_one(name) with nothing but that member left to read; what it leaves is passed over.
  template <class Take>
  void take_members(Take take_one) {
    const auto count = take_count();
    for (std::uint64_t i = 0; i < count && !failed_; ++i) {
      const auto name = name_at(take_number());
      const auto value = take_text();
      if (failed_) return;
      const auto behind = std::exchange(bytes_, value);
      take_one(name);
      bytes_ = behind;
    }
  }
  std::uint64_t take_number();
  /// How many follow, of which each has at least a byte.
  std::uint64_t take_count();
  std::string_view take_text();
  std::string_view name_at(std::uint64_t place);
  void fail();

  std::string_view bytes_;
  std::vector<std::string_view> names_;
  std::size_t budget_;  // bytes that lists may still take: an element of a list may be a single byte
  bool failed_ = false;
  bool strange_ = false;  // the element that is read has a word that is not known
};

}  // namespace detail

/// The binary form of a value that members_of() describes.
template <Described T>
std::string to_binary(const T& value) {
  detail::BinaryWriter writer;
  writer.put(value);
  return writer.finish();
}

/// What to_binary() of this version or another one wrote, in memory of 64 times its length and 1 MiB at most.
/// Whether the values fit together is not looked at. Errors: Errc::malformed, also for a part of it.
template <Described T>
Result<T> from_binary(std::string_view bytes) {
  detail::BinaryReader reader(bytes);
  T value{};
  reader.take(value);
  if (reader.failed() || !reader.at_end()) return unexpected(Errc::malformed, "not a binary form");
  return value;
}

}  // namespace tcpdiag
