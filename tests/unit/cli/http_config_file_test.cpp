// SPDX-License-Identifier: Apache-2.0
#include "cli/http_config_file.h"

#include <sys/stat.h>

#include <filesystem>

#include "tests/catch.h"
#include "tests/temporary_directory.h"

using namespace tcpdiag;

namespace {

HttpConfig read(const std::string& path) {
  auto config = read_http_config(path);
  if (!config) FAIL(config.error().detail);
  return std::move(*config);
}

std::string complaint(const std::string& path) {
  const auto config = read_http_config(path);
  REQUIRE_FALSE(config);
  REQUIRE(config.error().detail.starts_with(path));
  return config.error().detail.substr(path.size());
}

}  // namespace

TEST_CASE("files that an HTTP configuration file names count from its directory", "[http_config]") {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path("secrets"));
  (void)directory.write("secrets/password", "\n hunter 2\t\r\n");
  (void)directory.write("name", "anna\n");
  (void)directory.write("ca.crt", "PEM\n");
  const auto path = directory.write("http.yml",
                                    "basic_auth: {username_file: name, password_file: "
                                    "secrets/password}\ntls_config: {ca_file: ca.crt, cert: c, key_file: " +
                                        directory.path("ca.crt") + "}\n");
  const auto config = read(path);
  CHECK(config.name == path);
  CHECK(config.basic_auth->username.text == "anna");
  CHECK(config.basic_auth->password.text == "hunter 2");
  CHECK(config.tls.ca.text == "PEM\n");
  CHECK(config.tls.cert.text == "c");
  CHECK(config.tls.key.text == "PEM\n");
  const auto token = directory.write("token.yml", "authorization: {credentials_file: secrets/password}");
  CHECK(read(token).authorization->credentials.text == "hunter 2");
}

TEST_CASE("what stands in the file itself is taken as it is, an empty password as well", "[http_config]") {
  const TemporaryDirectory directory;
  const auto config = read(directory.write("http.yml", "basic_auth: {username: ' anna ', password: ''}"));
  CHECK(config.basic_auth->username.text == " anna ");
  CHECK(config.basic_auth->password.text.empty());
}

TEST_CASE("a file that cannot be read is named with its key", "[http_config]") {
  const TemporaryDirectory directory;
  const auto none = directory.path("none.yml");
  CHECK(complaint(none) == ": No such file or directory");
  const auto with = [&](const std::string& text) { return complaint(directory.write("http.yml", text)); };
  const auto missing = directory.path("none") + ": No such file or directory";
  CHECK(with("basic_auth: {username: a, password_file: none}") == ": password_file: " + missing);
  CHECK(with("authorization: {credentials_file: none}") == ": credentials_file: " + missing);
  CHECK(with("tls_config: {ca_file: none}") == ": ca_file: " + missing);
  CHECK(with("tls_config: {cert: x, key_file: none}") == ": key_file: " + missing);
  REQUIRE(::mkfifo(directory.path("fifo").c_str(), 0600) == 0);
  CHECK(with("basic_auth: {username: a, password_file: fifo}") ==
        ": password_file: " + directory.path("fifo") + ": not a regular file");
  CHECK(with("tls_config: {ca_file: .}") == ": ca_file: " + directory.path(".") + ": not a regular file");
}

TEST_CASE("what cannot stand in a header is refused without being shown", "[http_config]") {
  const TemporaryDirectory directory;
  (void)directory.write("lines", "hunter2\nX: y\n");
  (void)directory.write("blank", " \n");
  const auto with = [&](const std::string& text) { return complaint(directory.write("http.yml", text)); };
  const std::string control = ": it has a line break or another control character inside";
  CHECK(with("authorization: {credentials: \"hunter2\\nX: y\"}") == ": credentials" + control);
  CHECK(with("authorization: {credentials_file: lines}") ==
        ": credentials_file: " + directory.path("lines") + control);
  CHECK(with("basic_auth: {username: a, password_file: lines}") ==
        ": password_file: " + directory.path("lines") + control);
  CHECK(with("basic_auth: {username: a, password_file: blank}") ==
        ": password_file: " + directory.path("blank") + ": it is empty");
  (void)directory.write("empty", "");
  CHECK(with("tls_config: {ca_file: empty}") == ": ca_file: " + directory.path("empty") + ": it is empty");
  CHECK(with("basic_auth: {username: 'a:b'}") ==
        ": basic_auth: the username has a colon, which ends it for every server");
}
