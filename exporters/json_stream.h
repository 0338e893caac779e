// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "exporters/text_sink.h"

namespace tcpdiag {

/// Writes JSON piece by piece, as nlohmann's dump(indent) would write the whole tree, and so in little
/// memory. Texts are shown as json_text() shows them.
class JsonStream {
 public:
  /// On one line where `indent` is negative.
  explicit JsonStream(TextSink sink, int indent = 2) : sink_(std::move(sink)), indent_(indent) {}
  JsonStream(const JsonStream&) = delete;
  JsonStream& operator=(const JsonStream&) = delete;

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }
  /// Before each value of an object.
  void key(std::string_view name);
  template <std::integral T>
  void value(T value) {
    if constexpr (std::is_same_v<T, bool>)
      word(value ? "true" : "false");
    else
      word(std::to_string(value));
  }
  void value(double value);
  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  /// A key and its value.
  template <class T>
  void field(std::string_view name, const T& value) {
    key(name);
    this->value(value);
  }
  /// Hands on what is left, and the line's end behind the whole where it is not on one line.
  void finish();

 private:
  void begin(char bracket);
  void end(char bracket);
  void begin_value();
  void word(std::string_view text);
  void put(std::string_view text);
  [[nodiscard]] std::string new_line() const;

  TextSink sink_;
  const int indent_;
  std::string text_;          // not handed on yet
  std::vector<bool> filled_;  // of the objects and arrays that are open: whether something is in them
  bool after_key_ = false, of_lines_ = false;
};

}  // namespace tcpdiag
