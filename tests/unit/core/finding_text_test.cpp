// SPDX-License-Identifier: Apache-2.0
#include "core/finding_text.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

std::string text_of(Subject subject, const std::string& netns = "host") {
  return subject_text({.netns = netns, .subject = std::move(subject)});
}

}  // namespace

TEST_CASE("a subject is told with its owner and its namespace, as far as they are known") {
  const Subject listener{.kind = SubjectKind::listener, .address = "::", .port = 80};
  auto owned = listener;
  owned.process = "nginx";
  CHECK(text_of(listener) == "[::]:80");
  CHECK(text_of(owned) == "[::]:80 nginx");
  owned.pid = 800;
  owned.owner = system_unit("nginx.service");
  CHECK(text_of(owned, "blue") == "[::]:80 nginx[800] nginx.service in namespace blue");
  const Subject process{
      .kind = SubjectKind::process, .process = "java", .pid = 7, .owner = system_unit("app.service")};
  CHECK(text_of(process, "") == "java[7] app.service");
  CHECK(text_of({.kind = SubjectKind::netns}) == "network namespace host");
  CHECK(text_of({.kind = SubjectKind::netns}, "blue") == "network namespace blue");
  CHECK(text_of({.kind = SubjectKind::host}, "") == "the whole machine");
  CHECK(text_of({.kind = SubjectKind::setting, .name = "fs.file-max"}, "") == "fs.file-max");
}

TEST_CASE("the unit of a number fits to it") {
  CHECK(unit_text({"x", 1, "connections", {}}) == "connection");
  CHECK(unit_text({"x", 2, "connections", {}}) == "connections");
  CHECK(unit_text({"x", 0, "connections", {}}) == "connections");
  CHECK(unit_text({"x", 1, "entries", {}}) == "entry");
  CHECK(unit_text({"x", 1, "", {}}).empty());
  CHECK(unit_text({"x", 1, "of TCP", {}}) == "of TCP");
}

TEST_CASE("a limit is told with its ceiling, if it has one") {
  CHECK(limit_text({"listen backlog", 128, "net.core.somaxconn", 4096}) ==
        "listen backlog = 128, at most net.core.somaxconn = 4096");
  CHECK(limit_text({"RLIMIT_NOFILE", 1024, "its hard limit", {}}) ==
        "RLIMIT_NOFILE = 1024, at most its hard limit");
  CHECK(limit_text({"fs.file-max", 1024, "", {}}) == "fs.file-max = 1024");
}

TEST_CASE("evidence is of now or of a time") {
  CHECK(window_text({.window = std::chrono::seconds(30)}) == "in 30 s");
  CHECK(window_text({}) == "now");
}

TEST_CASE("rules that cannot tell stand together by reason and namespace") {
  const std::vector<Unknown> unknown = {
      {"a", "", "x"}, {"b", "host", "y"}, {"c", "host", "x"}, {"c", "blue", "x"}, {"a", "host", "x"}};
  const auto groups = by_reason(unknown);
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].netns.empty());
  CHECK(groups[0].why == "x");
  CHECK(joined(groups[0].ids) == "a, c");
  CHECK(joined(groups[1].ids) == "b");
  CHECK(groups[2].netns == "blue");
  CHECK(joined(groups[2].ids) == "c");
  CHECK(by_reason({}).empty());
}
