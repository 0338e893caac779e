// SPDX-License-Identifier: Apache-2.0
#include "collectors/unit_files.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

std::string shown(std::string_view text, std::string_view unit = "app.service") {
  const auto setting = parse_file_limit(unit, text);
  return setting ? std::to_string(setting->line) + " " + setting->value : "none";
}

constexpr std::string_view kNginx =
    "# nginx with more descriptors\n"
    "[Unit]\n"
    "Description=A high performance web server\n"
    "LimitNOFILE=1\n"
    "\n"
    "[Service]\n"
    "Type=forking\n"
    "Environment=PASSWORD=secret \\\n"
    "  LimitNOFILE=2\n"
    "ExecStart=/usr/sbin/nginx -g 'daemon on; master_process on;'\n"
    "LimitNOFILE = 65536:524288\n"
    "\n"
    "[Install]\n"
    "WantedBy=multi-user.target\n"
    "LimitNOFILE=3\n";

}  // namespace

TEST_CASE("the limit of open files is read from the unit's own section") {
  CHECK(shown(kNginx) == "11 65536:524288");
  CHECK(shown(kNginx, "app.socket") == "none");
  CHECK(shown("[Socket]\nLimitNOFILE=infinity\n", "app.socket") == "2 infinity");
  CHECK(shown("LimitNOFILE=5\n") == "none");
  CHECK(shown("[Service]\nLimitNPROC=5\n") == "none");
  CHECK(shown("") == "none");
}

TEST_CASE("the last limit counts, an empty one takes it back and a bad one is passed over") {
  CHECK(shown("[Service]\nLimitNOFILE=1\nLimitNOFILE=2\n") == "3 2");
  CHECK(shown("[Service]\nLimitNOFILE=1\nLimitNOFILE=\n") == "3 ");
  CHECK(shown("[Service]\nLimitNOFILE=1\nLimitNOFILE=\n[Service]\nLimitNOFILE=7\n") == "5 7");
  for (const auto* bad : {"many", "64K", "-1", "1:", ":1", "1:2:3", "1 2", "infinity:x"})
    CHECK(shown(std::string("[Service]\nLimitNOFILE=1\nLimitNOFILE=") + bad + "\n") == "2 1");
}

TEST_CASE("a line that goes on in the next one is one line") {
  CHECK(shown("[Service]\nLimitNOFILE=\\\n# a comment between\n  1024\nX=1\n") == "2 1024");
  CHECK(shown("[Service]\nX=a\\\nLimitNOFILE=1\nLimitNOFILE=2\n") == "4 2");
  CHECK(shown("[Service]\nX=a\\\\\nLimitNOFILE=1\n") == "3 1");
  CHECK(shown("[Service]\n# a \\\nLimitNOFILE=1\n") == "3 1");
  CHECK(shown("[Service]\r\nLimitNOFILE=1\r\n") == "2 1");
  CHECK(shown("[Service]\nLimitNOFILE=1\\") == "2 1");
}

TEST_CASE("a unit file cut at any byte has no other limit than one that was being written") {
  for (std::size_t length = 0; length < kNginx.size(); ++length) {
    const auto setting = parse_file_limit("app.service", kNginx.substr(0, length));
    CAPTURE(length);
    if (setting) CHECK(setting->line == 11);
  }
}

TEST_CASE("of a unit file nothing but sections and limits is kept, every line in its place") {
  CHECK(only_file_limits(kNginx) ==
        "\n[Unit]\n\nLimitNOFILE=1\n\n[Service]\n\n\n\n\nLimitNOFILE = "
        "65536:524288\n\n[Install]\n\nLimitNOFILE=3\n");
  CHECK(shown(only_file_limits(kNginx)) == shown(kNginx));
}

TEST_CASE("an instance has its own name and its template's") {
  CHECK(unit_file_names("app.service") == std::vector<std::string>{"app.service"});
  CHECK(unit_file_names("app@blue.service") == std::vector<std::string>{"app@blue.service", "app@.service"});
  CHECK(unit_file_names("app@.service") == std::vector<std::string>{"app@.service"});
}

TEST_CASE("drop-ins are looked for under every prefix of the unit's name") {
  CHECK(drop_in_directory_names("app.service") == std::vector<std::string>{"app.service.d"});
  CHECK(drop_in_directory_names("foo-bar-baz.service") ==
        std::vector<std::string>{"foo-bar-baz.service.d", "foo-bar-.service.d", "foo-.service.d"});
  CHECK(drop_in_directory_names("a-b@1-2.service") ==
        std::vector<std::string>{"a-b@1-2.service.d", "a-b@.service.d", "a-@1-2.service.d", "a-@.service.d"});
  CHECK(drop_in_directory_names("---.service").front() == "---.service.d");
  CHECK(drop_in_directory_names("nothing").empty());
  CHECK(drop_in_directory_names(std::string(1000, '-') + ".service").size() <= 16);
}
