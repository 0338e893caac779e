// SPDX-License-Identifier: Apache-2.0
#include "daemon/log.h"

#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::string_view_literals;

namespace {

const std::chrono::system_clock::time_point kAt{
    std::chrono::milliseconds(1767312245678)};  // 2026-01-02 00:04:05.678

std::string logfmt_value(std::string_view value) {
  const LogField field("k", value);
  const auto line = to_logfmt({kAt, LogLevel::info, "m", {&field, 1}});
  return line.substr(line.find(" k=") + 3);
}

}  // namespace

TEST_CASE("a record is a line of logfmt or a JSON object") {
  const std::vector<LogField> fields = {{"collector", "netstat"}, {"port", 80}, {"error", "/x: not there"}};
  const LogRecord record{kAt, LogLevel::warn, "collector fails", fields};
  CHECK(
      to_logfmt(record) ==
      R"(ts=2026-01-02T00:04:05.678Z level=warn msg="collector fails" collector=netstat port=80 error="/x: not there")");
  CHECK(
      to_json(record) ==
      R"({"ts":"2026-01-02T00:04:05.678Z","level":"warn","msg":"collector fails","collector":"netstat","port":80,"error":"/x: not there"})");
}

TEST_CASE("a record is an entry of the journal, with its level and fields in their own right") {
  const std::vector<LogField> fields = {{"collector", "netstat"}, {"error", "/x: not\nthere"}};
  const LogRecord record{kAt, LogLevel::warn, "collector fails", fields};
  const auto entry = to_journal_fields(record, LogFormat::logfmt);
  CHECK(entry == JournalFields{{"MESSAGE", R"(collector fails collector=netstat error="/x: not\\nthere")"},
                               {"PRIORITY", "4"},
                               {"SYSLOG_IDENTIFIER", "tcpdiagd"},
                               {"TCPDIAG_COLLECTOR", "netstat"},
                               {"TCPDIAG_ERROR", R"(/x: not\nthere)"}});
  CHECK(to_journal_fields(record, LogFormat::json).front().second == to_json(record));
}

TEST_CASE("the levels are the priorities of syslog") {
  const auto priority = [](LogLevel level) {
    return to_journal_fields({kAt, level, "m", {}}, LogFormat::logfmt).at(1).second;
  };
  CHECK(priority(LogLevel::trace) == "7");
  CHECK(priority(LogLevel::debug) == "7");
  CHECK(priority(LogLevel::info) == "6");
  CHECK(priority(LogLevel::warn) == "4");
  CHECK(priority(LogLevel::error) == "3");
}

TEST_CASE("a moment before 1970 or with fewer than three digits of milliseconds keeps its form") {
  CHECK(to_logfmt({{}, LogLevel::info, "m", {}}) == "ts=1970-01-01T00:00:00.000Z level=info msg=\"m\"");
  CHECK(
      to_logfmt(
          {std::chrono::system_clock::time_point(-std::chrono::milliseconds(1)), LogLevel::info, "m", {}}) ==
      "ts=1969-12-31T23:59:59.999Z level=info msg=\"m\"");
}

TEST_CASE("values that could be taken for more than one are quoted and escaped") {
  CHECK(logfmt_value("plain-1.2:/x") == "plain-1.2:/x");
  CHECK(logfmt_value("") == R"("")");
  CHECK(logfmt_value("a=b") == R"("a=b")");
  CHECK(logfmt_value("a b") == R"("a b")");
  CHECK(logfmt_value("a\"b\\") == R"("a\"b\\")");
  CHECK(logfmt_value("a\nts=0 level=info") == R"("a\\nts=0 level=info")");
  CHECK(logfmt_value("\x1b[31m\r\t\x7f\0"sv) == R"("\\x1b[31m\\x0d\\t\\x7f\\x00")");
  CHECK(logfmt_value("é") == "\"é\"");
  CHECK(logfmt_value("\xc2\x9b") == R"("\\u{009b}")");  // a terminal's control sequence begins with it
}

TEST_CASE("whatever a record holds, JSON can read it back") {
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  const LogField field("k", every);
  const auto parsed =
      nlohmann::json::parse(to_json({kAt, LogLevel::error, every, {&field, 1}}), nullptr, false);
  REQUIRE_FALSE(parsed.is_discarded());
  CHECK(parsed["level"] == "error");
  CHECK(parsed["k"] == parsed["msg"]);
}

TEST_CASE("the log leaves out what is below its level, and level and form can change while it runs") {
  std::ostringstream stream;
  Log log(LogLevel::warn, LogFormat::logfmt, stream);
  log.info("not this");
  CHECK(stream.str().empty());
  CHECK_FALSE(log.enabled(LogLevel::info));
  log.configure(LogLevel::trace, LogFormat::json);
  log.write(LogLevel::trace, "this {} %v", {{"n", 1}});
  CHECK_THAT(stream.str(), ContainsSubstring(R"("level":"trace","msg":"this {} %v","n":1})"));
  CHECK(stream.str().ends_with("}\n"));
}

TEST_CASE("lines of several threads do not mix") {
  std::ostringstream stream;
  Log log(LogLevel::info, LogFormat::json, stream);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) log.info("line", {{"i", i}});
    });
  }
  for (auto& thread : threads) thread.join();
  std::istringstream lines(stream.str());
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    CHECK_FALSE(nlohmann::json::parse(line, nullptr, false).is_discarded());
    ++count;
  }
  CHECK(count == 400);
}
