// SPDX-License-Identifier: Apache-2.0
#include "exporters/basic_auth.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

std::string parsed(std::string_view header) {
  const auto credentials = parse_basic_auth(header);
  return credentials ? "[" + credentials->user + "] [" + credentials->password + "]" : "none";
}

}  // namespace

TEST_CASE("name and password come out of an Authorization header", "[web]") {
  CHECK(parsed("Basic YW5uYTpzZWNyZXQ=") == "[anna] [secret]");
  CHECK(parsed("bAsIc   YW5uYTpzZWNyZXQ=") == "[anna] [secret]");
  CHECK(parsed("Basic YW5uYTpzZWNyZXQ= \t ") == "[anna] [secret]");
  CHECK(parsed("Basic YTpiOmM=") == "[a] [b:c]");
  CHECK(parsed("Basic Og==") == "[] []");
  CHECK(parsed("Basic /7/vOj8+") == "[\xff\xbf\xef] [?>]");
}

TEST_CASE("what is no Authorization header of the scheme Basic gives no name", "[web]") {
  for (const auto* header :
       {"", "Basic", "Basic ", "Basic  ", "Bearer YW5uYTpzZWNyZXQ=", "YW5uYTpzZWNyZXQ=", "Basic YW5uYQ==",
        "Basic YW5uYTpzZWNyZXQ", "Basic YW5uYTpzZWNyZX!=", "Basic YW5uYTpzZWNyZXQ=x", "Basic =", "Basic ====",
        "Basic YTp=", "Basic YTpi\nYTpi", "Basic YW5uYTpzZWNyZXR=", "Basic YW5u=TpzZWNy"})
    CHECK(parsed(header) == "none");
  const std::string_view whole = "Basic YW5uYTpzZWNyZXQ=";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto text = parsed(whole.substr(0, length));
    CHECK((text == "none" || length == 14 || length == 18));  // whole groups of four
  }
}
