// SPDX-License-Identifier: Apache-2.0
#include "daemon/host_names.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("a host is known by its hostname, by what /etc/hosts calls it, and within the domains searched") {
  const auto names =
      host_names("web1",
                 "127.0.0.1 localhost\n# 10.0.0.9 web1 commented\n"
                 "10.0.0.1\tweb1.example.com web1 www # its address\n10.0.0.2 web2\n",
                 "nameserver 10.0.0.53\nsearch example.com corp.example .\n# search no.example\n");
  CHECK(names ==
        std::vector<std::string>{"web1", "web1.example.com", "web1.corp.example", "web1.local", "www"});
}

TEST_CASE("a hostname with its domain is known by its first part, too") {
  CHECK(host_names("web1.example.com", "", "") ==
        std::vector<std::string>{"web1.example.com", "web1", "web1.local"});
}

TEST_CASE("without a hostname there are no names, and endless files do not make endless lists") {
  CHECK(host_names("", "10.0.0.1 a\n", "search b\n").empty());
  std::string hosts = "10.0.0.1 web1";
  for (int i = 0; i < 1000; ++i) hosts += " n" + std::to_string(i);
  CHECK(host_names("web1", hosts, "").size() == 200);
}
