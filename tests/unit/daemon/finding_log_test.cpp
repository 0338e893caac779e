// SPDX-License-Identifier: Apache-2.0
#include "daemon/finding_log.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/catch.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

std::string lines_about(const IncidentChanges& changes, LogFormat format, std::optional<Journal> journal) {
  std::ostringstream stream;
  Log log(LogLevel::info, format, stream);
  FindingLog(log, std::move(journal)).write(changes);
  return stream.str();
}

IncidentChange sample_change(IncidentEvent event) {
  return {event, sample_report().incidents[event == IncidentEvent::closed ? 3 : 0]};
}

}  // namespace

TEST_CASE("without a journal a finding is a line of the log with the same facts") {
  const auto line = lines_about({{sample_change(IncidentEvent::opened)}}, LogFormat::logfmt, {});
  CHECK_THAT(line, ContainsSubstring(" level=error msg=\"opened: nginx[800] has accepted nobody for 43 s: "));
  CHECK_THAT(line,
             ContainsSubstring(
                 " event=opened finding=accept-queue-app-stalled severity=critical netns=host "
                 "subject_kind=listener subject=0.0.0.0:80 process=nginx pid=800 unit=nginx.service\n"));
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  CHECK_THAT(lines_about({{sample_change(IncidentEvent::closed)}}, LogFormat::logfmt, {}),
             ContainsSubstring(
                 " level=info msg=\"closed after 47 s, explained by accept-queue-app-stalled; it was: "));
}

TEST_CASE("a log in JSON has the finding's own JSON") {
  const auto line = lines_about({{sample_change(IncidentEvent::opened)}}, LogFormat::json, {});
  const auto json = nlohmann::json::parse(line);
  CHECK(json["finding"] == "accept-queue-app-stalled");
  CHECK(json["pid"] == 800);
  CHECK(json["json"]["evidence"][0]["name"] == "ListenOverflows");
}

TEST_CASE("what a journal does not take is a line of the log, and why is said once") {
  const auto lines =
      lines_about({{sample_change(IncidentEvent::opened), sample_change(IncidentEvent::closed)}},
                  LogFormat::logfmt, Journal("/nonexistent/socket"));
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 3);
  CHECK_THAT(lines, ContainsSubstring("level=warn msg=\"the journal takes no entries; findings are logged as "
                                      "lines instead\" error=\"/nonexistent/socket: No such file or "
                                      "directory\""));
  CHECK_THAT(lines, ContainsSubstring("event=opened"));
  CHECK_THAT(lines, ContainsSubstring("event=closed"));
}

TEST_CASE("changes that are too many to be told are counted in a line") {
  CHECK_THAT(lines_about({.left_out = 36}, LogFormat::logfmt, {}),
             ContainsSubstring("msg=\"more findings changed at once than are logged\" left_out=36"));
  CHECK(lines_about({}, LogFormat::logfmt, {}).empty());
}
