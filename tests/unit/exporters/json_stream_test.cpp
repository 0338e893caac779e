// SPDX-License-Identifier: Apache-2.0
#include "exporters/json_stream.h"

#include <nlohmann/json.hpp>

#include "exporters/json_text.h"
#include "tests/catch.h"

using namespace tcpdiag;
using Json = nlohmann::ordered_json;

namespace {

/// Writes a whole tree in the smallest steps.
void write_by_hand(JsonStream& stream, const Json& tree) {
  if (tree.is_object()) {
    stream.begin_object();
    for (const auto& [name, value] : tree.items()) {
      stream.key(name);
      write_by_hand(stream, value);
    }
    stream.end_object();
  } else if (tree.is_array()) {
    stream.begin_array();
    for (const auto& value : tree) write_by_hand(stream, value);
    stream.end_array();
  } else if (tree.is_string()) {
    stream.value(tree.get<std::string>());
  } else if (tree.is_boolean()) {
    stream.value(tree.get<bool>());
  } else if (tree.is_number_float()) {
    stream.value(tree.get<double>());
  } else {
    stream.value(tree.get<std::int64_t>());
  }
}

std::string text_of(const Json& tree, int indent) {
  std::string text;
  JsonStream stream([&](std::string_view piece) { text += piece; }, indent);
  write_by_hand(stream, tree);
  stream.finish();
  return text;
}

}  // namespace

TEST_CASE("what is written piece by piece reads as the whole tree would") {
  const Json trees[] = {Json::object(),
                        Json::array(),
                        1.5,
                        "two\nlines \"quoted\"",
                        {{"a", 1}, {"b", Json::array()}, {"c", {{"d", Json::object()}, {"e", {1, 2, 3}}}}},
                        {{"list", {{{"x", "1"}}, {{"y", {true, -7}}}}}, {"na\tme", "\x01"}},
                        {{"command", "one\ntwo\t\x01"}, {"text", "one\ntwo"}}};
  for (const auto& tree : trees) {
    CAPTURE(tree.dump());
    CHECK(text_of(tree, 2) == json_text(tree, 2) + "\n");
    CHECK(text_of(tree, -1) == json_text(tree, -1));
  }
  CHECK(text_of("\xff", 2) == "\"\\\\xff\"\n");
}

TEST_CASE("a long text is handed on in pieces") {
  std::size_t pieces = 0, bytes = 0;
  JsonStream stream([&](std::string_view piece) {
    ++pieces;
    bytes += piece.size();
  });
  stream.begin_array();
  for (int i = 0; i < 100'000; ++i) stream.value("0123456789");
  stream.end_array();
  stream.finish();
  CHECK(bytes == 2 + 100'000 * 16 + 1);
  CHECK(pieces > 50);
}
