// SPDX-License-Identifier: Apache-2.0
#include "exporters/json_stream.h"

#include <nlohmann/json.hpp>

#include "core/utf8.h"
#include "exporters/json_text.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kPiece = 16384;

}  // namespace

std::string JsonStream::new_line() const {
  return indent_ < 0 ? "" : "\n" + std::string(static_cast<std::size_t>(indent_) * filled_.size(), ' ');
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
  put(json_text(name, -1) + (indent_ < 0 ? ":" : ": "));
  after_key_ = true;
  of_lines_ = name == "command";
}

void JsonStream::word(std::string_view text) {
  begin_value();
  put(text);
}

void JsonStream::value(double value) { word(nlohmann::json(value).dump()); }

void JsonStream::value(std::string_view text) {
  word(nlohmann::json(of_lines_ ? many_lines(text) : one_line(text)).dump());
}

void JsonStream::finish() {
  if (indent_ >= 0) put("\n");
  sink_(text_);
  text_.clear();
}

}  // namespace tcpdiag
