// SPDX-License-Identifier: Apache-2.0
// The rules about the sources that a compiler does not check: who may include whom, who may read a clock, how
// a file is named and how it begins.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace {

using Strings = std::vector<std::string>;

// core <- {collectors, diagnosis, exporters} <- daemon <- cli; the three siblings do not know one another.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"core", {"core"}},
    {"collectors", {"core", "collectors"}},
    {"diagnosis", {"core", "diagnosis"}},
    {"exporters", {"core", "exporters"}},
    {"daemon", {"core", "collectors", "diagnosis", "exporters", "daemon"}},
    {"cli", {"core", "collectors", "diagnosis", "exporters", "daemon", "cli"}},
};

const std::regex kInclude(R"re(^\s*#\s*include\s*([<"])([^">]+)[">])re");
const std::regex kClock(
    R"re(::now\s*\(|\b(clock_gettime|gettimeofday|timespec_get|ftime)\s*\(|(^|[^\w.>:])(::|std::)?time\s*\(\s*(nullptr|NULL|0|&))re");
const std::regex kNameWithoutMeaning(R"re((^|_)(util|common|manager|helper|base|misc)s?(_|$|\.))re");
// Run by name, such a test would be a flag of Catch2, and pass without having run.
const std::regex kTestNamedAsFlag(R"re(TEST_CASE\("-)re");

/// "collectors" for "collectors/netstat.cpp".
std::string folder_of(const std::string& path) { return path.substr(0, path.find('/')); }

/// The line without its `//` comment. A `//` inside a string cuts it as well, which loses nothing here.
std::string code_of(const std::string& line) { return line.substr(0, line.find("//")); }

void check_include(const std::string& where, const std::string& folder, const std::string& line,
                   Strings& found) {
  std::smatch match;
  if (!std::regex_search(line, match, kInclude)) return;
  const auto target = match[2].str();
  const auto target_folder = folder_of(target);
  const bool ours = kMayInclude.contains(target_folder) || target_folder == "tests";
  if (!ours && match[1] == "\"") found.push_back(where + "includes \"" + target + "\", not from the top");
  if (ours && !kMayInclude.at(folder).contains(target_folder))
    found.push_back(where + folder + " may not include " + target);
}

/// What is wrong with a source file, one sentence each. `path` counts from the top of the tree.
Strings violations(const std::string& path, const std::string& text) {
  Strings found;
  for (const auto& part : std::filesystem::path(path))
    if (std::regex_search(part.string(), kNameWithoutMeaning))
      found.push_back(path + ": a name that says nothing: " + part.string());

  const auto folder = folder_of(path);
  const bool layered = kMayInclude.contains(folder);
  const bool may_read_clock = !layered || folder == "daemon" || folder == "cli";
  std::istringstream lines(text);
  std::string line;
  bool licensed = false;
  for (int number = 1; std::getline(lines, line); ++number) {
    const auto where = path + ":" + std::to_string(number) + ": ";
    if (number <= 2 && line.ends_with("SPDX-License-Identifier: Apache-2.0")) licensed = true;
    if (std::regex_search(line, kTestNamedAsFlag)) found.push_back(where + "a test's name begins with -");
    if (layered) check_include(where, folder, line, found);
    if (!may_read_clock && std::regex_search(code_of(line), kClock))
      found.push_back(where + "reads a clock: time comes in as a TimePoint");
  }
  if (!licensed) found.push_back(path + ": no SPDX line at its top");
  return found;
}

bool is_source(const std::filesystem::path& path) {
  static const std::set<std::string> kEndings = {".cpp", ".h", ".sh", ".bash", ".py", ".cmake"};
  return kEndings.contains(path.extension().string()) || path.filename() == "CMakeLists.txt" ||
         path.filename() == "dev";
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Every source file in the tree, from its top; what was built and hidden folders left out.
Strings source_paths(const std::filesystem::path& top) {
  Strings paths;
  for (auto entry = std::filesystem::recursive_directory_iterator(top); entry != end(entry); ++entry) {
    const auto name = entry->path().filename().string();
    if (entry->is_directory() && (name.starts_with(".") || name == "build")) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && is_source(entry->path())) {
      paths.push_back(std::filesystem::relative(entry->path(), top).string());
    }
  }
  return paths;
}

constexpr auto kSpdx = "// SPDX-License-Identifier: Apache-2.0\n";

bool is_clean(const std::string& path, const std::string& code) {
  return violations(path, kSpdx + code).empty();
}

}  // namespace

TEST_CASE("every source keeps the layers, the clock rule, the names and the licence line") {
  const std::filesystem::path top = TCPDIAG_SOURCE_DIR;
  const auto paths = source_paths(top);
  Strings found;
  for (const auto& path : paths) {
    const auto in_file = violations(path, content_of(top / path));
    found.insert(found.end(), in_file.begin(), in_file.end());
  }
  CHECK(found == Strings{});
  CHECK(std::count(paths.begin(), paths.end(), "core/snapshot.h") == 1);
  CHECK(std::count(paths.begin(), paths.end(), "tests/unit/layering_test.cpp") == 1);
}

TEST_CASE("the layering check lets includes go down and not up or sideways") {
  CHECK(is_clean("collectors/a.cpp", "#include \"core/snapshot.h\"\n#include <vector>\n"));
  CHECK(is_clean("daemon/a.cpp", "#include \"exporters/http.h\"\n#include \"collectors/source.h\"\n"));
  CHECK(is_clean("cli/a.cpp", "#include \"daemon/cycle.h\"\n"));
  CHECK(is_clean("tests/a.cpp", "#include \"cli/check.h\"\n"));

  CHECK_FALSE(is_clean("core/a.h", "#include \"collectors/source.h\"\n"));
  CHECK_FALSE(is_clean("collectors/a.cpp", "#include \"exporters/http.h\"\n"));
  CHECK_FALSE(is_clean("exporters/a.cpp", "#include \"collectors/catalog.h\"\n"));
  CHECK_FALSE(is_clean("diagnosis/a.cpp", "  #  include <collectors/catalog.h>\n"));
  CHECK_FALSE(is_clean("daemon/a.cpp", "#include \"cli/check.h\"\n"));
  CHECK_FALSE(is_clean("daemon/a.cpp", "#include \"tests/fake_source.h\"\n"));
  CHECK_FALSE(is_clean("exporters/a.cpp", "#include \"http.h\"\n"));
  CHECK_FALSE(is_clean("exporters/a.cpp", "#include \"../collectors/source.h\"\n"));
}

TEST_CASE("the layering check finds a clock that is read outside the daemon and the command line") {
  const std::array reads = {"const auto now = std::chrono::steady_clock::now();\n",
                            "Clock::now ()\n",
                            "clock_gettime(CLOCK_MONOTONIC, &t);\n",
                            "gettimeofday(&t, nullptr);\n",
                            "auto t = time(nullptr);\n",
                            "auto t = std::time(NULL);\n",
                            "auto t = ::time(&t);\n"};
  for (const auto* code : reads) {
    CAPTURE(code);
    CHECK_FALSE(is_clean("collectors/a.cpp", code));
    CHECK_FALSE(is_clean("core/a.h", code));
    CHECK(is_clean("daemon/a.cpp", code));
    CHECK(is_clean("cli/a.cpp", code));
  }
  CHECK(is_clean("collectors/a.cpp", "// not steady_clock::now(): the time comes in\n"));
  CHECK(is_clean("collectors/a.cpp", "auto left = remaining_time(0);\nauto x = reading.time(0);\n"));
}

TEST_CASE("the layering check refuses the name of a test that Catch2 would take for a flag") {
  const std::string test = "TEST_CASE(";
  CHECK(is_clean("tests/unit/a_test.cpp", test + "\"the flag --help helps\") {\n"));
  CHECK_FALSE(is_clean("tests/unit/a_test.cpp", test + "\"--help helps\") {\n"));
}

TEST_CASE("the layering check wants the licence line within the first two lines") {
  CHECK(violations("core/a.h", kSpdx).empty());
  CHECK(violations("tests/e2e/a.sh", "#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\n").empty());
  CHECK(violations("core/a.h", "").size() == 1);
  CHECK(violations("core/a.h", "#pragma once\n\n" + std::string(kSpdx)).size() == 1);
  CHECK(violations("core/a.h", "// SPDX-License-Identifier: MIT\n").size() == 1);
}

TEST_CASE("the layering check refuses file and folder names that say nothing") {
  for (const auto* path : {"core/util.h", "core/string_utils.cpp", "core/common/a.h", "cli/socket_manager.h",
                           "tests/unit/helpers.h", "daemon/base.cpp", "daemon/base_loop.cpp"}) {
    CAPTURE(path);
    CHECK_FALSE(is_clean(path, ""));
  }
  CHECK(is_clean("collectors/database.h", ""));
  CHECK(is_clean("exporters/metric_catalog.cpp", ""));
}
