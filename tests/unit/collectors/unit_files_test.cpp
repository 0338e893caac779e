// SPDX-License-Identifier: Apache-2.0
#include "collectors/unit_files.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

std::string shown(const std::vector<FileLimitSetting>& settings) {
  std::string shown;
  for (const auto& setting : settings)
    shown += (shown.empty() ? "" : ", ") + std::to_string(setting.line) + " " + setting.value +
             (!setting.because                                    ? ""
              : *setting.because == IgnoredBecause::wrong_section ? " (not here)"
                                                                  : " (misspelt)");
  return shown.empty() ? "none" : shown;
}

std::string shown(std::string_view text, std::string_view unit = "app.service") {
  return shown(parse_file_limits(unit, text));
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
  CHECK(shown(kNginx) == "4 1 (not here), 11 65536:524288, 15 3 (not here)");
  CHECK(shown(kNginx, "app.socket") == "4 1 (not here), 11 65536:524288 (not here), 15 3 (not here)");
  CHECK(shown("[Socket]\nLimitNOFILE=infinity\n", "app.socket") == "2 infinity");
  CHECK(shown("LimitNOFILE=5\n") == "1 5 (not here)");
  CHECK(shown("[Service]\nLimitNPROC=5\n") == "none");
  CHECK(shown("") == "none");
}

TEST_CASE("every limit of the section is read as it is written, valid or not") {
  CHECK(shown("[Service]\nLimitNOFILE=1\nLimitNOFILE=\n[Service]\n LimitNOFILE = 7 : 8 \n") ==
        "2 1, 3 , 5 7 : 8");
  CHECK(shown("[Service]\nLimitNOFILE=unlimited\nDefaultLimitNOFILE=1\n") == "2 unlimited");
}

TEST_CASE("a limit that is misspelt is kept with its line, and others' settings are not taken for one") {
  CHECK(shown("[Service]\nlimitnofile=1\nLimitNoFile = 2\nLimitNOFILES=3\nLimitFNOILE=4\n") ==
        "2 limitnofile=1 (misspelt), 3 LimitNoFile=2 (misspelt), 4 LimitNOFILES=3 (misspelt), 5 "
        "LimitFNOILE=4 (misspelt)");
  CHECK(shown(parse_default_file_limits("[Manager]\nDefaultLimitNofile=5\n")) ==
        "2 DefaultLimitNofile=5 (misspelt)");
  CHECK(
      shown(
          "[Service]\nX-LimitNOFILE=1\nLimitNICE=1\nLimitFSIZE=1\nLimitNPROC=1\n[X-Own]\nLimitNOFILE=9\n") ==
      "none");
  CHECK(shown("[Unit]\nLimitNoFile=2\n[Service]\nDefaultLimitNofile=1\n") == "none");
  for (const auto* other : {"CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "AS", "NPROC", "MEMLOCK", "LOCKS",
                            "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"})
    CHECK(shown("[Service]\nLimit" + std::string(other) + "=1\n") == "none");
  CHECK(only_file_limits("[Service]\nUser=x\nLimitNoFile=2\n") == "[Service]\n\nLimitNoFile=2\n");
}

TEST_CASE("a byte order mark in front of a unit file does no harm, as with systemd") {
  CHECK(shown("\xef\xbb\xbf[Service]\nLimitNOFILE=7\n") == "2 7");
}

TEST_CASE("the limit for units that have none stands in the manager's section") {
  constexpr std::string_view kText =
      "[Manager]\n#DefaultLimitNOFILE=1\nDefaultLimitNOFILE=1024:524288\nLimitNOFILE=5\n";
  CHECK(shown(parse_default_file_limits(kText)) == "3 1024:524288");
  CHECK(shown(parse_default_file_limits("[Service]\nDefaultLimitNOFILE=1\n")) == "2 1 (not here)");
  CHECK(only_file_limits(kText) == "[Manager]\n\nDefaultLimitNOFILE=1024:524288\nLimitNOFILE=5\n");
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
    CAPTURE(length);
    for (const auto& setting : parse_file_limits("app.service", kNginx.substr(0, length)))
      CHECK((setting.line == 11) == !setting.because);
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
