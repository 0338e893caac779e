// SPDX-License-Identifier: Apache-2.0
#include "exporters/json_stream.h"

#include <nlohmann/json.hpp>

#include "exporters/json_text.h"

namespace tcpdiag {
namespace {

constexpr int kIndent = 2;
constexpr std::size_t kPiece = 16384;

}  // namespace

std::string JsonStream::new_line() const {
  return "\n" + std::string(static_cast<std::size_t>(kIndent) * filled_.size(), ' ');
}

void JsonStream::put(std::string_view text) {
  text_ += text;
  if (text_.size() < kPiece) return;
  sink_(text_);
  text_.clear();
}

void JsonStream::begin_value() {
  if (!after_key_ && !filled_.empty()) {
    put(filled_.back() ? "," + new_line() : new_line());
    filled_.back() = true;
  }
  after_key_ = false;
}

void JsonStream::begin(char bracket) {
  begin_value();
  put({&bracket, 1});
  filled_.push_back(false);
}

void JsonStream::end(char bracket) {
  const bool filled = filled_.back();
  filled_.pop_back();
  if (filled) put(new_line());
  put({&bracket, 1});
}

void JsonStream::key(std::string_view name) {
  begin_value();
  put(json_text(name, kIndent) + ": ");
  after_key_ = true;
}

void JsonStream::word(std::string_view text) {
  begin_value();
  put(text);
}

void JsonStream::value(double value) { word(nlohmann::json(value).dump()); }

void JsonStream::value(std::string_view text) { word(json_text(text, kIndent)); }

void JsonStream::tree(const nlohmann::ordered_json& value) {
  begin_value();
  const auto text = json_text(value, kIndent);
  const auto line = new_line();
  for (std::size_t begin = 0; begin < text.size();) {  // inside of a string there is no line's end
    const auto end = std::min(text.find('\n', begin), text.size());
    put(std::string_view(text).substr(begin, end - begin));
    if (end < text.size()) put(line);
    begin = end + 1;
  }
}

void JsonStream::finish() {
  put("\n");
  sink_(text_);
  text_.clear();
}

}  // namespace tcpdiag
