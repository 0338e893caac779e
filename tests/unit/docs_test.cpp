// SPDX-License-Identifier: Apache-2.0
// What the documents quote is in the sources, and where they point to there is something.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

/// The lines without what stands before and behind them, blank ones left out.
Strings lines_of(std::istream& text) {
  Strings lines;
  for (std::string line; std::getline(text, line);) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos) continue;
    lines.push_back(line.substr(begin, line.find_last_not_of(" \t") - begin + 1));
  }
  return lines;
}

Strings lines_of_file(const fs::path& path) {
  std::ifstream file(path);
  return lines_of(file);
}

/// A block of a document that begins with "```cpp PATH".
struct Quote {
  std::string path;
  Strings lines;
};

std::vector<Quote> quotes_of(const Strings& document) {
  constexpr std::string_view kBegin = "```cpp ";
  std::vector<Quote> quotes;
  bool inside = false;
  for (const auto& line : document) {
    if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      quotes.back().lines.push_back(line);
    } else if (line.starts_with(kBegin)) {
      quotes.push_back({line.substr(kBegin.size()), {}});
      inside = true;
    }
  }
  return quotes;
}

bool contains(const Strings& source, const Strings& quote) {
  return !quote.empty() &&
         std::search(source.begin(), source.end(), quote.begin(), quote.end()) != source.end();
}

/// The files that a document links to, as it spells them; the Web and places within the page left out.
Strings links_of(const Strings& document) {
  static const std::regex kLink(R"re(\]\(([^)#]+)[^)]*\))re");
  Strings links;
  for (const auto& line : document)
    for (std::sregex_iterator link(line.begin(), line.end(), kLink), none; link != none; ++link)
      if (const auto target = (*link)[1].str(); target.find("://") == std::string::npos)
        links.push_back(target);
  return links;
}

std::vector<fs::path> documents() {
  const fs::path top = TCPDIAG_SOURCE_DIR;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(top)) found.push_back(entry.path());
  for (const auto& entry : fs::recursive_directory_iterator(top / "docs")) found.push_back(entry.path());
  std::erase_if(found, [](const fs::path& path) { return path.extension() != ".md"; });
  return found;
}

}  // namespace

TEST_CASE("the documents quote the sources as they are") {
  std::size_t quotes = 0;
  for (const auto& document : documents()) {
    for (const auto& quote : quotes_of(lines_of_file(document))) {
      CAPTURE(document.string(), quote.path, quote.lines);
      CHECK(contains(lines_of_file(fs::path(TCPDIAG_SOURCE_DIR) / quote.path), quote.lines));
      ++quotes;
    }
  }
  CHECK(quotes > 0);
}

TEST_CASE("the documents link to files that exist") {
  std::size_t links = 0;
  for (const auto& document : documents()) {
    for (const auto& link : links_of(lines_of_file(document))) {
      CAPTURE(document.string(), link);
      CHECK(fs::exists(document.parent_path() / link));
      ++links;
    }
  }
  CHECK(links > 0);
}

TEST_CASE("the documents in docs/ link to each other only, because the packages install nothing else") {
  const auto docs = fs::path(TCPDIAG_SOURCE_DIR) / "docs";
  for (const auto& document : documents()) {
    const auto inside = [&](const fs::path& path) {
      return path.lexically_normal().string().starts_with(docs.string() + "/");
    };
    if (!inside(document)) continue;
    for (const auto& link : links_of(lines_of_file(document))) {
      CAPTURE(document.string(), link);
      CHECK(inside(document.parent_path() / link));
    }
  }
}

TEST_CASE("the check of quotations finds a line that differs") {
  std::istringstream document("text\n  ```cpp a.cpp\n  one();\n\n  two();\n  ```\nmore\n");
  const auto quotes = quotes_of(lines_of(document));
  REQUIRE(quotes.size() == 1);
  CHECK(quotes[0].path == "a.cpp");
  CHECK(contains({"zero();", "one();", "two();", "three();"}, quotes[0].lines));
  CHECK_FALSE(contains({"one();", "other();", "two();"}, quotes[0].lines));
  CHECK_FALSE(contains({"one();"}, quotes[0].lines));
}

TEST_CASE("the check of links finds files and leaves the Web alone") {
  CHECK(links_of({"[a](docs/a.md) and [b](b.md#part)", "[c](https://example.org/c.md)", "[d](#here)"}) ==
        Strings{"docs/a.md", "b.md"});
}
