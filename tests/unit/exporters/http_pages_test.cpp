// SPDX-License-Identifier: Apache-2.0
#include "exporters/http_pages.h"

#include <zlib.h>

#include "exporters/gzip.h"
#include "exporters/json.h"
#include "exporters/prometheus.h"
#include "tests/catch.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

struct Server {
  Published<Report> reports;
  Health health{true, true};
  HttpPages pages{reports, [this] { return health; }, {}};

  HttpResponse get(std::string_view path, std::string_view accept_encoding = "") {
    return pages.answer({"GET", path, accept_encoding, false});
  }
};

std::string header(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return std::string(value);
  return "";
}

std::string gunzip(std::string compressed) {
  std::string text(1 << 20, '\0');
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  REQUIRE(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

std::shared_ptr<const Report> shared(Report report) {
  return std::make_shared<const Report>(std::move(report));
}

}  // namespace

TEST_CASE("gzip is used when the client accepts it, and only then") {
  for (const auto* yes :
       {"gzip", "GZIP", "x-gzip", "deflate, gzip", "gzip;q=0.5", "gzip ; q=1", "*", "*;q=0.1",
        "br;q=1.0, gzip;q=0.001", "identity;q=0,gzip", "gzip;level=1", "gzip,"}) {
    CAPTURE(yes);
    CHECK(accepts_gzip(yes));
  }
  for (const auto* no : {"", "identity", "deflate, br", "gzip;q=0", "gzip; q=0.000", "gzip;Q=0", "*;q=0",
                         "gzip;q=0, *", "*, gzip;q=0", "gzipped", "gzip;q=", "gzip;q=x", "gzip;q=nan",
                         "gzip;q=-1", "gzip;q=2", ",,;;", ";q=1"}) {
    CAPTURE(no);
    CHECK_FALSE(accepts_gzip(no));
  }
}

TEST_CASE("a compressed text comes back the same") {
  for (const auto& text : {std::string(), std::string("x"), std::string(300'000, 'a')})
    CHECK(gunzip(gzip(text)) == text);
}

TEST_CASE("metrics are served plain or compressed") {
  Server server;
  server.reports.publish(shared(sample_report()));
  const auto plain = server.get("/metrics");
  CHECK(plain.status == 200);
  CHECK(*plain.body == to_prometheus_text(sample_report()));
  CHECK(header(plain, "Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(header(plain, "Content-Encoding").empty());
  CHECK(header(plain, "Vary") == "Accept-Encoding");
  const auto compressed = server.get("/metrics", "gzip");
  CHECK(header(compressed, "Content-Encoding") == "gzip");
  CHECK(gunzip(*compressed.body) == *plain.body);
}

TEST_CASE("a report is rendered once, however many ask for it") {
  Server server;
  server.reports.publish(shared(sample_report()));
  const auto first = server.get("/metrics");
  CHECK(server.get("/metrics").body == first.body);
  const auto compressed = server.get("/metrics", "gzip");
  CHECK(server.get("/metrics", "gzip").body == compressed.body);
  server.reports.publish(shared(report_of_errors()));
  const auto second = server.get("/metrics");
  CHECK(second.body != first.body);
  CHECK(*second.body == to_prometheus_text(report_of_errors()));
}

TEST_CASE("a namespace has a page of its own, one that is not there has none") {
  Server server;
  const auto page_of = [&](std::string_view netns) {
    return server.pages.answer({.method = "GET", .path = "/", .host = "localhost", .netns = netns});
  };
  CHECK_THAT(*page_of("blue").body, ContainsSubstring("No report yet"));
  server.reports.publish(shared(sample_report()));
  const auto blue = page_of("blue");
  CHECK(blue.status == 200);
  CHECK_THAT(*blue.body, ContainsSubstring("Only network namespace <strong>blue</strong>"));
  CHECK(page_of("blue").body == blue.body);
  CHECK_THAT(*page_of("payments/checkout-7d9f").body, ContainsSubstring("<strong>payments/checkout-7d9f<"));
  CHECK_THAT(*page_of("blue").body, ContainsSubstring("<strong>blue<"));
  CHECK_THAT(*page_of("").body, ContainsSubstring("<h2>Network namespaces</h2>"));
  CHECK(page_of("<script>").status == 404);
  CHECK(page_of("<script>").body->find("<script>") == std::string::npos);
}

TEST_CASE("new limits show with the next request") {
  Server server;
  server.reports.publish(shared(sample_report()));
  const Limits limits{.listeners = 1};
  const auto before = server.get("/metrics");
  server.pages.set_limits(limits);
  CHECK(*server.get("/metrics").body == to_prometheus_text(sample_report(), limits));
}

TEST_CASE("before the first report there are no metrics, and the page says so") {
  Server server;
  CHECK(server.get("/metrics").status == 503);
  CHECK_THAT(*server.get("/metrics").body, ContainsSubstring("No report yet"));
  CHECK(server.get("/api/v1/report").status == 503);
  CHECK(server.get("/").status == 200);
  CHECK_THAT(*server.get("/").body, ContainsSubstring("No report yet"));
}

TEST_CASE("health is told apart from readiness") {
  Server server;
  CHECK(server.get("/-/healthy").status == 200);
  CHECK(server.get("/-/ready").status == 200);
  server.health = {true, false};
  CHECK(server.get("/-/healthy").status == 200);
  CHECK(server.get("/-/ready").status == 503);
  server.health = {false, true};
  CHECK(server.get("/-/healthy").status == 503);
}

TEST_CASE("who asks too early is told which collectors have not run") {
  Server server;
  server.health.ready = false;
  CHECK(*server.get("/-/ready").body == "tcpdiagd is not ready: waiting for its first report.\n");
  Report report;
  report.runs = {{.collector = "self"}, {.collector = "sysctl", .netns = "blue\n"}, {.collector = "softnet"}};
  report.runs[2].outcome = {};
  server.reports.publish(shared(report));
  CHECK(*server.get("/-/ready").body == "tcpdiagd is not ready: waiting for self, sysctl of blue\\n.\n");
}

TEST_CASE("a target may be a whole URI, with a host that is allowed") {
  Server server;
  for (const auto* target : {"http://host/-/healthy", "HTTPS://[::1]:10180/-/healthy", "http:///-/healthy"})
    CHECK(server.get(target).status == 200);
  CHECK(*server.get("http://localhost").body == *server.get("/").body);
  for (const auto* target :
       {"http:/-/healthy", "ftp://host/-/healthy", "host/-/healthy", "http://localhost/x"})
    CHECK(server.get(target).status == 404);
  CHECK(server.get("http://host/").status == 421);
}

TEST_CASE("who asks by a foreign name gets the metrics and the health, and neither page nor API") {
  Server server;
  server.reports.publish(shared(sample_report()));
  server.pages.set_allowed_hosts(AllowedHosts({"web1"}));
  const auto status = [&](std::string_view path, std::string_view host) {
    return server.pages.answer({.method = "GET", .path = path, .host = host}).status;
  };
  for (const auto* path :
       {"/", "/style.css", "/api/v1/report", "/api/v1/findings", "/api/v1/incidents", "/api/v1/namespaces"}) {
    CHECK(status(path, "evil.example:10180") == 421);
    for (const auto* host : {"", "web1:10180", "10.0.0.1:10180", "localhost"})
      CHECK(status(path, host) == 200);
  }
  for (const auto* path : {"/metrics", "/-/healthy", "/-/ready"}) CHECK(status(path, "evil.example") == 200);
  const auto refused = server.pages.answer({.method = "GET", .path = "/", .host = "evil.example"});
  CHECK_THAT(*refused.body, ContainsSubstring("--web.allowed-host=NAME"));
}

TEST_CASE("only GET and HEAD are allowed, and no body") {
  Server server;
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "", "\xff"}) {
    const auto response = server.pages.answer({method, "/metrics", "", true});
    CHECK(response.status == 405);
    CHECK(header(response, "Allow") == "GET, HEAD");
  }
  CHECK(server.pages.answer({"GET", "/-/healthy", "", true}).status == 413);
  CHECK(server.pages.answer({"HEAD", "/-/healthy", "", false}).status == 200);
}

TEST_CASE("what is not there is not found") {
  Server server;
  for (const auto* path : {"", "*", "/metrics/", "//", "/../etc/passwd", "/api/v1/report\n", "/%00"})
    CHECK(server.get(path).status == 404);
}

TEST_CASE("every answer forbids guessing its type and running anything in it") {
  Server server;
  server.reports.publish(shared(sample_report()));
  for (const auto* path : {"/", "/metrics", "/api/v1/report", "/style.css", "/nothing", "/-/ready"}) {
    const auto response = server.get(path);
    CHECK(header(response, "X-Content-Type-Options") == "nosniff");
    CHECK_THAT(header(response, "Content-Security-Policy"), ContainsSubstring("default-src 'none'"));
  }
}

TEST_CASE("a success of this very moment is now, not some nanoseconds ago") {
  Server server;
  Report report;
  report.at += std::chrono::seconds(10);
  for (const auto age : {std::chrono::microseconds(999), std::chrono::microseconds(1500)})
    report.runs.push_back({.collector = "self", .succeeded_at = report.at - age});
  server.reports.publish(shared(report));
  const auto page = *server.get("/").body;
  CHECK_THAT(page, ContainsSubstring("<td class=\"number\">now</td>"));
  CHECK_THAT(page, ContainsSubstring("<td class=\"number\">1.5 ms ago</td>"));
}

TEST_CASE("the page shows how each collector does, whatever names hold") {
  Server server;
  server.reports.publish(shared(hostile_report()));
  const auto page = *server.get("/").body;
  CHECK_THAT(page, ContainsSubstring("<td>netstat</td><td>host</td><td class=\"good\">works</td>"));
  CHECK_THAT(page, ContainsSubstring("<td class=\"bad\">denied</td><td class=\"detail\">"));
  CHECK_THAT(page, ContainsSubstring("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("{{") == std::string::npos);
}

namespace {

Report report_of_many_listeners() {
  auto report = sample_report();
  auto listeners = std::make_shared<Listeners>();
  for (std::uint16_t port = 1; port <= 8000; ++port)
    listeners->listeners.push_back({.endpoint = {.port = port}, .sockets = {{.inode = port}}});
  report.snapshot.namespaces[0].listeners.value = std::move(listeners);
  return report;
}

std::string unpacked(const HttpResponse& response) {
  Gunzip file(response.body);
  std::string text, piece(1000, '\0');
  while (const auto bytes = file.read(piece.data(), piece.size())) text.append(piece, 0, bytes);
  return text;
}

}  // namespace

TEST_CASE("a large page is kept compressed alone, and unpacked for who wants it so") {
  Server server;
  server.reports.publish(shared(report_of_many_listeners()));
  const auto compressed = server.get("/api/v1/report", "gzip");
  const auto plain = server.get("/api/v1/report");
  CHECK(plain.body == compressed.body);
  CHECK(compressed.body->size() < HttpPages::kKeptPlainBytes);
  CHECK_FALSE(compressed.unpacked_size);
  CHECK(header(compressed, "Content-Encoding") == "gzip");
  CHECK(header(plain, "Content-Encoding").empty());
  const auto text = to_json_text(report_of_many_listeners());
  CHECK(text.size() > HttpPages::kKeptPlainBytes);
  CHECK(plain.unpacked_size == text.size());
  CHECK((unpacked(plain) == text));
}

TEST_CASE("a small page is sent as it is kept") {
  Server server;
  server.reports.publish(shared(sample_report()));
  CHECK_FALSE(server.get("/api/v1/report").unpacked_size);
}

TEST_CASE("a damaged file is no end of the page") {
  Gunzip file(std::make_shared<const std::string>("no gzip file"));
  std::string piece(10, '\0');
  CHECK_THROWS(file.read(piece.data(), piece.size()));
}
