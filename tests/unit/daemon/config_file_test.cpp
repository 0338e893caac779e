// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_file.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

std::string complaint(std::string_view text) {
  const auto entries = parse_config_file("c.json", text);
  REQUIRE_FALSE(entries);
  CHECK(entries.error().code == Errc::malformed);
  return entries.error().detail;
}

}  // namespace

TEST_CASE("entries keep the file's order and types") {
  const auto entries = parse_config_file(
      "c.json",
      R"({"b": true, "a": 1.5, "t": "x", "l": ["p", "q"], "o": {"on": true, "off": false}, "n": 7})");
  REQUIRE(entries);
  REQUIRE(entries->size() == 6);
  CHECK((*entries)[0].key == "b");
  CHECK(std::get<bool>((*entries)[0].value));
  CHECK(std::get<double>((*entries)[1].value) == 1.5);
  CHECK(std::get<std::string>((*entries)[2].value) == "x");
  CHECK(std::get<std::vector<std::string>>((*entries)[3].value) == std::vector<std::string>{"p", "q"});
  CHECK(to_string((*entries)[4].value) == R"({"on": true, "off": false})");
  CHECK((*entries)[5].key == "n");
  CHECK(parse_config_file("c.json", "{}")->empty());
  CHECK(parse_config_file("c.json", "\xef\xbb\xbf{} // a byte order mark is no mistake")->empty());
}

TEST_CASE("what is not JSON is named with line and column") {
  CHECK(complaint("") == "c.json: line 1, column 1: not valid JSON: the text ends too early");
  CHECK(complaint("{\n  \"a\": 1,\n  \"b\" 2\n}") == "c.json: line 3, column 7: not valid JSON at '2'");
  CHECK(complaint("{\"a\": 1,}") == "c.json: line 1, column 9: not valid JSON at '}'");
  CHECK(complaint("{\"a\": 1}\n{}") == "c.json: line 2, column 1: not valid JSON at '{'");
  CHECK(complaint("{\n\"a\": tru }") == "c.json: line 2, column 9: not valid JSON");
  CHECK(complaint("{\"a\": 1e999}") == "c.json: line 1, column 11: not valid JSON at '9'");
  CHECK(complaint("# yaml\nlog_level: info\n") == "c.json: line 1, column 1: not valid JSON at '#'");
  CHECK(complaint("{ /* open") == "c.json: line 1, column 10: not valid JSON: the text ends too early");
}

TEST_CASE("a control character is refused, and its place is named") {
  const std::string whole = "{\n \"a\": true\n}";
  for (std::size_t at = 0; at <= whole.size(); ++at)
    for (const char control : {'\0', '\x01', '\x1b', '\x7f'})
      CHECK_THAT(complaint(std::string(whole).insert(at, 1, control)),
                 ContainsSubstring(": a control character, \\x"));
  using namespace std::string_view_literals;
  CHECK(complaint("{\"a\": true}\0\"b\": 1"sv) == "c.json: line 1, column 12: a control character, \\x00");
  CHECK(complaint("{}\n// \0"sv) == "c.json: line 2, column 4: a control character, \\x00");
  CHECK(complaint(R"({"a": "x\u0000y"})") == R"(c.json: key "a": a control character in its text "x\x00y")");
  CHECK(complaint(R"({"a": ["x\n"]})") == R"(c.json: key "a": a control character in its text "x\n")");
  CHECK(complaint(R"({"a\u0000": 1})") == R"(c.json: a control character in key "a\x00")");
}

TEST_CASE("a file whose outermost value is no object is refused") {
  for (const auto* text : {"[]", "1", "\"x\"", "null", "true", "[{}]"})
    CHECK(complaint(text) == "c.json: not an object: the file begins with '{' and ends with '}'");
}

TEST_CASE("a key that is there twice is refused at every depth") {
  CHECK(complaint(R"({"a": 1, "b": 2, "a": 1})") == "c.json: key \"a\" is there twice");
  CHECK(complaint(R"({"o": {"x": true, "x": false}})") == "c.json: key \"x\" is there twice");
  CHECK(complaint(R"({"l": [[{"x": 1, "x": 2}]]})") == "c.json: key \"x\" is there twice");
  CHECK(parse_config_file("c.json", R"({"a": {"a": true}, "b": {"a": true}})"));
}

TEST_CASE("values that no option takes are shown by what does not fit") {
  const auto shown = [](std::string_view value) {
    const auto entries = parse_config_file("c.json", "{\"k\": " + std::string(value) + "}");
    REQUIRE(entries);
    REQUIRE(entries->size() == 1);
    return to_string(entries->front().value);
  };
  CHECK(shown("null") == "null");
  CHECK(shown("[\"a\", 1, \"b\"]") == "[... 1 ...]");
  CHECK(shown("[[]]") == "[... [...] ...]");
  CHECK(shown("[{\"x\": 1}, 3]") == "[... {...} ...]");
  CHECK(shown("{\"x\": {\"y\": 1}}") == "{... \"x\": {...} ...}");
  CHECK(shown("{\"x\": true, \"y\": [true]}") == "{... \"y\": [...] ...}");
}

TEST_CASE("a file nested beyond all reason is refused") {
  const std::string deep = "{\"a\": " + std::string(100000, '[');
  CHECK(complaint(deep) == "c.json: nested deeper than 16 levels");
}

TEST_CASE("a configuration cut at any byte is an error, never a shorter configuration") {
  const std::string whole = R"({"cpu_budget": 0.02, /* c */ "collectors": {"netstat": false}, "l": ["é"]})";
  REQUIRE(parse_config_file("c.json", whole));
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_FALSE(parse_config_file("c.json", whole.substr(0, length)));
}

TEST_CASE("values are shown on one line, however long or strange they are") {
  CHECK(to_string(OptionValue(0.01)) == "0.01");
  CHECK(to_string(OptionValue(100000.0)) == "100000");
  CHECK(to_string(OptionValue(1e-300)) == "1e-300");
  CHECK(to_string(OptionValue(std::string("a\"\\\n\x7f"))) == "\"a\"\\\\n\\x7f\"");
  CHECK(quote(std::string(79, 'x') + "é") == "\"" + std::string(79, 'x') + "...\"");
  CHECK(quote(std::string(200, 'x')) == "\"" + std::string(80, 'x') + "...\"");
  CHECK(to_string(OptionValue(std::vector<std::string>(10, "x"))) ==
        R"(["x", "x", "x", "x", "x", "x", "x", "x", ...])");
}
