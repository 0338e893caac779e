// SPDX-License-Identifier: Apache-2.0
// The server over loopback, on a port that the kernel chooses.
#include "exporters/http.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "exporters/listen_socket.h"
#include "exporters/prometheus.h"
#include "tests/catch.h"
#include "tests/http_server.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<const Report> shared(Report report) {
  return std::make_shared<const Report>(std::move(report));
}

}  // namespace

TEST_CASE("the server answers over HTTP with the metrics of the latest report", "[http]") {
  Published<Report> reports;
  const auto server = start(reports);
  CHECK_THAT(ask(*server, request("GET /metrics")), ContainsSubstring("HTTP/1.1 503 "));
  reports.publish(shared(sample_report()));
  const auto answer = ask(*server, request("GET /metrics"));
  CHECK(answer.starts_with("HTTP/1.1 200 "));
  CHECK(answer.ends_with("\r\n\r\n" + to_prometheus_text(sample_report())));
  CHECK_THAT(answer, ContainsSubstring("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
}

TEST_CASE("a path is decoded, but not beyond what would end it", "[http]") {
  Published<Report> reports;
  const auto server = start(reports);
  CHECK(ask(*server, request("GET /%2d/healthy?x=%00")).starts_with("HTTP/1.1 200 "));
  CHECK(ask(*server, request("GET http://proxied/-/healthy?x=y")).starts_with("HTTP/1.1 200 "));
  for (const auto* path : {"/-/healthy%00", "/-/healthy%00x", "/%2500", "/-/healthy%2500"})
    CHECK(ask(*server, request(std::string("GET ") + path)).starts_with("HTTP/1.1 404 "));
}

TEST_CASE("HEAD has the headers of GET and no body", "[http]") {
  Published<Report> reports;
  reports.publish(shared(sample_report()));
  const auto server = start(reports);
  const auto answer = ask(*server, request("HEAD /metrics"));
  CHECK(answer.ends_with("\r\n\r\n"));
  CHECK_THAT(answer, ContainsSubstring("Content-Length: " +
                                       std::to_string(to_prometheus_text(sample_report()).size()) + "\r\n"));
}

TEST_CASE("a connection serves one request after the other", "[http]") {
  Published<Report> reports;
  const auto server = start(reports);
  const Client client(*server);
  for (int i = 0; i < 3; ++i) {
    client.send(request("GET /-/healthy", ""));
    CHECK_THAT(client.read_until("is healthy.\n"), ContainsSubstring("HTTP/1.1 200 "));
  }
}

TEST_CASE("a request with a body is refused before the body is read, and the connection closed", "[http]") {
  Published<Report> reports;
  const auto server = start(reports);
  const auto huge = ask(*server, request("GET /metrics", "Content-Length: 1000000000\r\n"));
  CHECK(huge.starts_with("HTTP/1.1 413 "));
  CHECK(ask(*server, request("GET /metrics", "Transfer-Encoding: chunked\r\n")).starts_with("HTTP/1.1 413 "));
  CHECK(
      ask(*server, request("POST /metrics", "Content-Length: 5\r\n") + "hello").starts_with("HTTP/1.1 405 "));
  CHECK(ask(*server, request("DELETE /")).starts_with("HTTP/1.1 405 "));
}

TEST_CASE("a request that others could read as another one is malformed, and ends the connection", "[http]") {
  Published<Report> reports;
  const auto server = start(reports);
  const std::string line = "GET /-/healthy HTTP/1.1\r\n", host = "Host: x\r\n";
  const std::string behind = "\r\nGET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const auto& headers :
       {std::string(), host + host, host + "Host: y\r\n",
        host + "Content-Length: 0\r\ncontent-length: 35\r\n",
        host + "Content-Length: 35\r\nContent-Length: 0\r\n",
        host + "Content-Length: 0\r\nContent-Length: 0\r\n",
        host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", host + "Content-Length: x\r\n",
        host + "Transfer-Encoding : chunked\r\n", std::string("Host : x\r\n"),
        host + "Content-Length:\r\n 35\r\n", host + "Content-Length: 0\r\n 35\r\n",
        host + "Transfer-Encoding:\r\n\tchunked\r\n", std::string("Host:\r\n x\r\n")}) {
    INFO(headers);
    const auto answer = ask(*server, line + headers + behind);
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK_THAT(answer, !ContainsSubstring("is ready."));
  }
  CHECK(ask(*server, "GET /-/healthy HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 "));
  CHECK(ask(*server, request("GET /-/healthy", "Content-Length: 0\r\nConnection: close\r\n"))
            .starts_with("HTTP/1.1 200 "));
  CHECK(ask(*server, request("GET /", "Transfer-Encoding: Chunked\r\n")).starts_with("HTTP/1.1 413 "));
  for (const auto* encoding : {"", " ", "identity", "gzip, chunked"})
    CHECK(ask(*server, request("GET /", std::string("Transfer-Encoding:") + encoding + "\r\n"))
              .starts_with("HTTP/1.1 400 "));
}

TEST_CASE("a header whose name only begins with Host is like any other", "[http]") {
  Published<Report> reports;
  const auto server = start(reports);
  for (const auto* header : {"Hostname: x\r\n", "Host-Id: 1\r\n", "Hosts:\r\n"})
    CHECK(ask(*server, request("GET /-/healthy", header + std::string("Connection: close\r\n")))
              .starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a header that is too long is refused", "[http]") {
  Published<Report> reports;
  const auto server = start(reports);
  const auto answer = ask(*server, request("GET /metrics", "X: " + std::string(100'000, 'x') + "\r\n"));
  CHECK((answer.empty() || answer.starts_with("HTTP/1.1 4")));  // empty: reset while it was being sent
  CHECK(ask(*server, request("GET /-/healthy")).starts_with("HTTP/1.1 200 "));
}

TEST_CASE("connections from one address are limited, and other addresses still served", "[http]") {
  Published<Report> reports;
  HttpOptions options;
  options.max_connections_per_ip = 4;
  const auto server = start(reports, options);
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 4; ++i) {  // an answer proves that the connection is taken in
    idle.push_back(std::make_unique<Client>(*server));
    idle.back()->send(request("GET /-/healthy", ""));
    REQUIRE_FALSE(idle.back()->read_until("is healthy.\n").empty());
  }
  CHECK(ask(*server, request("GET /-/healthy")).empty());
  const Client other(*server, "127.0.0.2");
  other.send(request("GET /-/healthy"));
  CHECK_THAT(other.read_to_end(), ContainsSubstring("HTTP/1.1 200 "));
}

TEST_CASE("when the server is full of slow clients a newcomer gets in at once", "[http]") {
  Published<Report> reports;
  HttpOptions options;
  options.max_connections = 4;
  const auto server = start(reports, options);
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 12; ++i) {
    slow.push_back(std::make_unique<Client>(*server));
    slow.back()->send("GET /metrics HTT");
  }
  for (int i = 0; i < 8; ++i)
    CHECK(slow[static_cast<std::size_t>(i)]->read_to_end().empty());  // for the last four
  const Client newcomer(*server, "127.0.0.2");
  newcomer.send(request("GET /-/healthy"));
  CHECK_THAT(newcomer.read_to_end(), ContainsSubstring("HTTP/1.1 200 "));
  CHECK(slow[8]->read_to_end().empty());
}

TEST_CASE("slow clients are dropped, counted and logged", "[http]") {
  Published<Report> reports;
  std::mutex mutex;
  std::vector<std::string> warnings;
  const auto warn = [&](const std::string& message) {
    const std::scoped_lock lock(mutex);
    warnings.push_back(message);
  };
  const auto server = start(reports, {}, {.warn = warn, .debug = kNoLog.debug});
  const Client slow(*server);
  slow.send("GET /metrics HTT");
  std::thread seconds([&] {  // of which ten are enough, once the server has looked at it
    for (TimePoint now; server->usage().dropped < 1; now += 1s) {
      server->drop_slow(now);
      std::this_thread::yield();
    }
  });
  CHECK(slow.read_to_end().empty());
  seconds.join();
  const std::scoped_lock lock(mutex);
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings.front(),
             ContainsSubstring("HTTP connections dropped: 1 because the client was too slow") &&
                 ContainsSubstring("one of them from 127.0.0.1"));
}

TEST_CASE("a refused connection is counted and logged with the option that refused it", "[http]") {
  Published<Report> reports;
  HttpOptions options;
  options.max_connections_per_ip = 1;
  std::mutex mutex;
  std::string warning;
  const auto warn = [&](const std::string& message) {
    const std::scoped_lock lock(mutex);
    warning = message;
  };
  const auto server = start(reports, options, {.warn = warn, .debug = kNoLog.debug});
  const Client first(*server);
  first.send(request("GET /-/healthy", ""));
  REQUIRE_FALSE(first.read_until("is healthy.\n").empty());
  CHECK(ask(*server, request("GET /-/healthy")).empty());
  CHECK(server->usage().refused == 1);
  const std::scoped_lock lock(mutex);
  CHECK(warning == "HTTP connection refused: max_connections_per_ip (1) reached");
}

TEST_CASE("a port in use is an error that names the address", "[http]") {
  Published<Report> reports;
  const auto server = start(reports);
  const auto port = server->addresses().front().port;
  HttpOptions options;
  options.listen = {kLoopback, {kLoopback.address, port}};
  const auto second = HttpServer::start(options, reports, [] { return Health{}; }, kNoLog);
  REQUIRE_FALSE(second);
  CHECK(second.error().detail == "127.0.0.1:" + std::to_string(port) + ": Address already in use");
}

TEST_CASE("the server listens at several addresses", "[http]") {
  Published<Report> reports;
  HttpOptions options;
  options.listen = {kLoopback, {std::nullopt, 0}};
  const auto server = start(reports, options);
  REQUIRE(server->addresses().size() == 2);
  CHECK(server->addresses()[0].port != server->addresses()[1].port);
  CHECK(ask(*server, request("GET /-/ready")).starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a socket that listens already is served instead of the listen addresses", "[http]") {
  auto socket = ListenSocket::open(kLoopback);
  REQUIRE(socket);
  const auto address = socket->address();
  HttpOptions options;
  options.inherited = {socket->release()};
  Published<Report> reports;
  const auto server = HttpServer::start(options, reports, [] { return Health{}; }, kNoLog);
  REQUIRE(server);
  CHECK((*server)->addresses() == std::vector{address});
  CHECK(ask(**server, request("GET /-/ready")).starts_with("HTTP/1.1 "));
}

TEST_CASE("a socket that the service manager keeps goes on listening when the server stops", "[http]") {
  auto socket = ListenSocket::open(kLoopback);
  REQUIRE(socket);
  Published<Report> reports;
  HttpOptions options;
  for (int start = 0; start < 2; ++start) {
    options.inherited = {::fcntl(socket->fd(), F_DUPFD_CLOEXEC, 0)};
    const auto server = HttpServer::start(options, reports, [] { return Health{}; }, kNoLog);
    REQUIRE(server);
    CHECK(ask(**server, request("GET /-/ready")).starts_with("HTTP/1.1 "));
  }
}

TEST_CASE("what is inherited and no TCP socket that listens is refused", "[http]") {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    const auto socket = ListenSocket::adopt(fd);
    REQUIRE_FALSE(socket);
    CHECK(socket.error().detail ==
          "inherited socket " + std::to_string(fd) + ": not a TCP socket that listens");
    ::close(fd);
  }
  CHECK_FALSE(ListenSocket::adopt(-1));
}

TEST_CASE("a listening socket says where it listens", "[http]") {
  for (const auto* text : {":0", "127.0.0.1:0", "[::1]:0", "[::]:0"}) {
    const auto wanted = parse_listen_address(text);
    const auto socket = ListenSocket::open(*wanted);
    if (!socket) continue;  // no IPv6 here
    CHECK(socket->address().address == wanted->address);
    CHECK(socket->address().port != 0);
  }
}

TEST_CASE("listen addresses are written as they are read", "[http]") {
  for (const auto* text : {":10180", "127.0.0.1:1", "[::1]:65535"}) {
    const auto address = parse_listen_address(text);
    REQUIRE(address);
    CHECK(to_string(*address) == text);
  }
}

TEST_CASE("many clients and new reports at the same time do not disturb one another", "[http]") {
  Published<Report> reports;
  reports.publish(shared(sample_report()));
  HttpOptions options;
  options.max_connections_per_ip = 256;
  auto server = start(reports, options);
  std::atomic<int> served = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i)
    clients.emplace_back([&, i] {
      const auto* path = i % 3 == 0 ? "GET /metrics" : i % 3 == 1 ? "GET /api/v1/report" : "GET /";
      for (int j = 0; j < 10; ++j)
        if (ask(*server, request(path, "Connection: close\r\nAccept-Encoding: gzip\r\n"))
                .starts_with("HTTP/1.1 200"))
          ++served;
    });
  for (int i = 0; i < 20; ++i) {
    reports.publish(shared(i % 2 == 0 ? hostile_report() : sample_report()));
    server->set_limits({.listeners = static_cast<std::size_t>(i)});
  }
  for (auto& client : clients) client.join();
  CHECK(served == 80);
  server.reset();
}
