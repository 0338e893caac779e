// SPDX-License-Identifier: Apache-2.0
#include "cli/http_get.h"

#include "tests/http_server.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

HttpUrl url_of(const HttpServer& server) {
  return {.host = "127.0.0.1", .port = server.addresses().front().port};
}

}  // namespace

TEST_CASE("a daemon is asked below its URL, and its answer is given with its status") {
  Published<Report> reports;
  reports.publish(std::make_shared<const Report>());
  const auto server = start(reports);
  auto url = url_of(*server);
  const auto found = http_get(url, "api/v1/findings", {}, 20s);
  REQUIRE(found);
  CHECK(found->status == 200);
  CHECK(found->body.starts_with("{"));
  url.path = "/elsewhere/";
  const auto missing = http_get(url, "api/v1/findings", {}, 20s);
  REQUIRE(missing);
  CHECK(missing->status == 404);
}

TEST_CASE("who listens nowhere is told as one line that begins with host and port") {
  Published<Report> reports;
  auto server = start(reports);
  const auto url = url_of(*server);
  server.reset();
  const auto refused = http_get(url, "", {}, 20s);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail == authority(url) + ": Connection refused");
}
