// SPDX-License-Identifier: Apache-2.0
// Every incident of the suite that could be recorded, replayed without root: the same rules on the same
// evidence.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "cli/replay.h"
#include "tests/catch.h"

using namespace tcpdiag;

namespace {

using Ids = std::set<std::string>;

// A line of tests/recordings/incidents/expected: "NAME: must be found ... | may be found ...".
struct Expected {
  Ids found, allowed;
};

Ids words_of(const std::string& text) {
  std::istringstream words(text);
  Ids ids;
  for (std::string word; words >> word;) ids.insert(word);
  return ids;
}

std::map<std::string, Expected> read_expected() {
  std::ifstream file(std::string(TCPDIAG_SOURCE_DIR) + "/tests/recordings/incidents/expected");
  std::map<std::string, Expected> expected;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto colon = line.find(':');
    const auto bar = line.find('|');
    REQUIRE(colon != std::string::npos);
    expected[line.substr(0, colon)] = {
        words_of(line.substr(colon + 1, bar == std::string::npos ? bar : bar - colon - 1)),
        bar == std::string::npos ? Ids{} : words_of(line.substr(bar + 1))};
  }
  return expected;
}

// Everything that was found at any time.
Ids found_in(const std::filesystem::path& recording) {
  const auto report = replay(recording);
  REQUIRE(report);
  Ids ids;
  for (const auto& incident : report->incidents) ids.insert(incident.finding.id);
  return ids;
}

}  // namespace

TEST_CASE("every recorded incident is named when it is replayed, and nothing else is") {
  const auto expected = read_expected();
  REQUIRE(expected.size() > 30);
  for (const auto& [name, ids] : expected) {
    INFO(name);
    const auto found = found_in(std::filesystem::path(TCPDIAG_RECORDINGS) / name);
    for (const auto& id : found) {
      INFO(id << " is not expected");
      CHECK((ids.found.contains(id) || ids.allowed.contains(id)));
    }
    for (const auto& id : ids.found) {
      INFO(id << " is missing");
      CHECK(found.contains(id));
    }
  }
}

TEST_CASE("every recording of an incident says what is expected of it") {
  const auto expected = read_expected();
  for (const auto& entry : std::filesystem::directory_iterator(TCPDIAG_RECORDINGS))
    CHECK(expected.contains(entry.path().filename().string()));
}
