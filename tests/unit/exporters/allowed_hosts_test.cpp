// SPDX-License-Identifier: Apache-2.0
#include "exporters/allowed_hosts.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("addresses, localhost and no name at all are allowed, whatever the port") {
  const AllowedHosts hosts;
  for (const auto* host :
       {"", "127.0.0.1", "127.0.0.1:10180", "10.1.2.3:1", "[::1]", "[2001:db8::1]:10180",
        "[fe80::1%25eth0]:10180", "localhost", "LocalHost:10180", "a.localhost", "localhost."})
    CHECK(hosts.allows(host));
}

TEST_CASE("a name that is not this host's is not allowed, however it is written") {
  const AllowedHosts hosts({"web1", "web1.example.com"});
  for (const auto* host : {"evil.example", "evil.example:10180", "web1.evil.example", "evilweb1",
                           "notlocalhost", "localhost.evil.example", "127.0.0.1.evil.example", "1.2.3.4.5",
                           "[::1].evil.example", "[evil]", "[::1", "::1", ".", ".localhost.x"})
    CHECK_FALSE(hosts.allows(host));
}

TEST_CASE("the host's own names are allowed in any case, with a dot at the end, and none below them") {
  const AllowedHosts hosts({"Web1.Example.com", "web1"});
  for (const auto* host : {"web1", "WEB1:10180", "web1.example.com", "web1.example.com.:10180"})
    CHECK(hosts.allows(host));
  CHECK_FALSE(hosts.allows("a.web1.example.com"));
}

TEST_CASE("a name with a star stands for all below its domain, and not for the domain") {
  const AllowedHosts hosts({"*.example.com"});
  CHECK(hosts.allows("web1.example.com"));
  CHECK(hosts.allows("a.b.example.com:10180"));
  CHECK_FALSE(hosts.allows("example.com"));
  CHECK_FALSE(hosts.allows("evilexample.com"));
}

TEST_CASE("what cannot be a host's name is no name to allow") {
  for (const auto* name : {"web1", "web-1.example.com", "*.example.com", "a_b", "10.0.0.1"})
    CHECK(is_allowed_host_name(name));
  for (const auto* name :
       {"", "*", "*.", "web*", "a b", "a:10180", "http://a", ".a", "a..b", "-a", "a\n", "[::1]"})
    CHECK_FALSE(is_allowed_host_name(name));
  CHECK_FALSE(is_allowed_host_name(std::string(254, 'a')));
}
