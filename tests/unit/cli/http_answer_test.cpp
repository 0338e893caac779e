// SPDX-License-Identifier: Apache-2.0
#include "cli/http_answer.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

const std::string kCounted = "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length:  5 \r\n\r\nhello";
const std::string kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nhel\r\n2 \r\nlo\r\n0\r\n\r\n";
const std::string kToTheEnd = "HTTP/1.0 503 Service Unavailable\r\n\r\nhello";

std::string complaint(const std::string& bytes) {
  const auto answer = parse_http_answer(bytes, true);
  REQUIRE_FALSE(answer);
  return answer.error().detail;
}

std::optional<HttpAnswer> parsed(std::string_view bytes, bool ended) {
  auto answer = parse_http_answer(bytes, ended);
  REQUIRE(answer);
  return *answer;
}

}  // namespace

TEST_CASE("an answer is whole when its length, its last chunk or its connection's end says so") {
  CHECK(parsed(kCounted, false) == HttpAnswer{200, "hello"});
  CHECK(parsed(kCounted + "more", false) == HttpAnswer{200, "hello"});
  CHECK(parsed(kChunked, false) == HttpAnswer{200, "hello"});
  CHECK_FALSE(parsed(kToTheEnd, false));
  CHECK(parsed(kToTheEnd, true) == HttpAnswer{503, "hello"});
  CHECK(parsed("HTTP/1.1 204\r\nContent-Length: 0\r\n\r\n", false) == HttpAnswer{204, ""});
}

TEST_CASE("an answer that has only begun is waited for, and is an error when no more comes") {
  for (const auto& whole : {kCounted, kChunked.substr(0, kChunked.size() - 2)}) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      CAPTURE(whole, length);
      CHECK_FALSE(parsed(whole.substr(0, length), false));
      CHECK_FALSE(parse_http_answer(whole.substr(0, length), true));
    }
  }
  CHECK(complaint("") == "no answer");
  CHECK(complaint("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello") == "the answer ends early");
}

TEST_CASE("what is not HTTP/1 is refused as soon as it is seen") {
  for (const auto* bad : {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 200\r\n\r\n", "H ", "\x15\x03\x01",
                          "HTTP/1.1200 OK\r\n\r\n", "HTTP/1.1 2 OK\r\n\r\n", "HTTP/1.1 2000\r\n\r\n",
                          "HTTP/1.1 099 x\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1\r\n\r\n"}) {
    CAPTURE(bad);
    const auto answer = parse_http_answer(bad, false);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().detail == "the answer is not HTTP");
  }
}

TEST_CASE("lengths and codings that cannot be are refused") {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  for (const auto* length : {"-1", "x", "", "5x", "99999999999999999999999", "16777217"})
    CHECK(complaint(head + "Content-Length: " + length + "\r\n\r\nhello") ==
          "the answer has no proper length");
  CHECK(complaint(head + "Transfer-Encoding: gzip, chunked\r\n\r\n") == "the answer has an unknown coding");
  for (const auto* size : {"x", "-1", "", "ffffffffffffffffff", "1000001"})
    CHECK(complaint(head + "Transfer-Encoding: chunked\r\n\r\n" + size + "\r\n") ==
          "a chunk of the answer has no proper size");
  CHECK(complaint(head + "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n") ==
        "a chunk of the answer does not end where it says");
}
