// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/describe.h"
#include "core/finding.h"
#include "core/owner.h"

namespace tcpdiag {

/// Whether a member of that type may be absent.
template <class V>
inline constexpr bool kMayLack = false;
template <class T>
inline constexpr bool kMayLack<std::optional<T>> = true;
template <class T>
inline constexpr bool kMayLack<std::vector<T>> = true;
template <>
inline constexpr bool kMayLack<Errc> = true;  // an older daemon has none

/// Reads from JSON what DescribedJson writes. Of values that are not as documented the first one is
/// remembered in wrong(), with its place; what was read is worth nothing then. Keys that are not known are
/// passed over; absent ones are an error unless they may be empty.
class DescribedReader {
 public:
  using Json = nlohmann::json;
  using WallTime = std::chrono::system_clock::time_point;

  /// "findings[1].severity: an unknown word"; empty: nothing is wrong.
  [[nodiscard]] const std::string& wrong() const { return wrong_; }
  void complain(const std::string& place, std::string_view what);

  /// The members of a struct, out of an object at that place; empty: the answer itself.
  template <Described T>
  void read(const Json& json, T& object, const std::string& place) {
    if (!is_object(json, place)) return;
    for_each_member(object, [&]<class V>(const auto& member, V& value) {
      if (member.shown == Shown::never) return;
      if constexpr (std::is_same_v<V, Owner>)
        read_owner(json, value, place);
      else
        read_member(json, member.name, value, place, member.shown == Shown::always && !kMayLack<V>);
    });
  }

  /// One member of an object at that place.
  template <class V>
  void read_member(const Json& object, std::string_view name, V& value, const std::string& place,
                   bool is_needed = false) {
    const auto found = object.find(std::string(name));
    const auto its_place = place_of(place, name);
    if (found != object.end())
      read(*found, value, its_place);
    else if (is_needed)
      complain(its_place, "missing");
  }

  bool is_object(const Json& json, const std::string& place);
  static std::string place_of(const std::string& place, std::string_view name);

  void read(const Json& json, std::string& text, const std::string& place);
  void read(const Json& json, bool& flag, const std::string& place);
  void read(const Json& json, double& number, const std::string& place);
  /// As to_rfc3339() writes it.
  void read(const Json& json, WallTime& time, const std::string& place);
  void read(const Json& json, std::chrono::seconds& time, const std::string& place);
  /// A code of a newer daemon is none of ours: it counts as one that might have been read.
  void read(const Json& json, Errc& code, const std::string& place);

  template <std::integral T>
  void read(const Json& json, T& whole, const std::string& place) {
    if (!json.is_number()) return complain(place, "not a number");
    constexpr auto kMost = static_cast<double>(
        std::min<std::uint64_t>(std::numeric_limits<T>::max(), std::numeric_limits<std::int64_t>::max() / 2));
    const auto value = json.get<double>();
    if (!json.is_number_integer() || value < 0 || value > kMost) return complain(place, "out of range");
    whole = json.get<T>();
  }
  template <class T>
  void read(const Json& json, std::optional<T>& value, const std::string& place) {
    T read_value{};
    read(json, read_value, place);
    value = std::move(read_value);
  }
  template <class T>
  void read(const Json& json, std::vector<T>& values, const std::string& place) {
    read_list(json, values, place,
              [this](const Json& each, T& value, const std::string& at) { read(each, value, at); });
  }
  /// Calls read_one(element, value, place) for each.
  template <class T, class Read>
  void read_list(const Json& json, std::vector<T>& values, const std::string& place, Read read_one) {
    if (!json.is_array()) return complain(place, "not a list");
    for (const auto& each : json) {
      if (!wrong_.empty()) return;
      auto& value = values.emplace_back();
      read_one(each, value, place + "[" + std::to_string(values.size() - 1) + "]");
    }
  }

  /// The value whose to_string() the text is.
  template <class E>
    requires std::is_enum_v<E>
  void read(const Json& json, E& word, const std::string& place) {
    std::string text;
    read(json, text, place);
    for (const auto each : values_of(Type<E>{}))
      if (text == to_string(each)) return void(word = each);
    complain(place, "an unknown word");
  }

 private:
  void read_owner(const Json& object, Owner& owner, const std::string& place);

  std::string wrong_;
};

}  // namespace tcpdiag
