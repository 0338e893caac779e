// SPDX-License-Identifier: Apache-2.0
#include "daemon/web_config_file.h"

#include <sys/stat.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "daemon/web_config_watch.h"
#include "tests/catch.h"
#include "tests/certificates.h"
#include "tests/temporary_directory.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr auto kTls = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";
constexpr auto kHash = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

void write(const TemporaryDirectory& directory, const TestCertificate& certificate) {
  (void)directory.write("server.crt", certificate.certificate);
  (void)directory.write("server.key", certificate.key);
}

std::string complaint(const std::string& path) {
  std::vector<FileMark> marks;
  const auto file = read_web_config(path, marks);
  REQUIRE_FALSE(file);
  REQUIRE(file.error().detail.starts_with(path));
  return file.error().detail.substr(path.size());
}

/// What the watch brought.
class Taken {
 public:
  Result<void> take(const Result<WebConfigFile>& file) {
    {
      const std::scoped_lock lock(mutex_);
      latest_ = file ? "taken" : file.error().detail;
    }
    changed_.notify_all();
    if (!file) return tl::unexpected<Error>(file.error());
    return {};
  }
  /// Waits until the latest has this in it; otherwise gives what it is.
  std::string wait_for(const std::string& part) {
    std::unique_lock lock(mutex_);
    const auto there = [&] { return latest_.find(part) != std::string::npos; };
    return changed_.wait_for(lock, 20s, there) ? part : latest_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string latest_;
};

}  // namespace

TEST_CASE("a web configuration file is read with the files that it names, beside it", "[web]") {
  const TemporaryDirectory directory;
  write(directory, make_certificate({}));
  const auto path = directory.write(
      "web.yml", std::string(kTls) + "basic_auth_users: {anna: " + kHash +
                     "}\nhttp_server_config: {http2: true, headers: {X-Frame-Options: deny}}\n"
                     "rate_limit: {interval: 1s, burst: 5}\n");
  std::vector<FileMark> marks;
  const auto file = read_web_config(path, marks);
  REQUIRE(file);
  CHECK(file->security->tls);
  CHECK(file->security->users.size() == 1);
  CHECK(file->security->headers.size() == 1);
  CHECK(file->security->rate_limit == RateLimit{1s, 5});
  CHECK(file->warnings ==
        std::vector<std::string>{path + ": http2 is true, but only HTTP/1.1 is served, to every client"});
  REQUIRE(marks.size() == 3);
  CHECK(marks[0] == mark_of(path));
  CHECK(marks[1] == mark_of(directory.path("server.crt")));
}

TEST_CASE("a certificate may stand in the file itself, and a client CA in another", "[web]") {
  const TemporaryDirectory directory;
  const auto made = make_certificate({});
  const auto indented = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 5)
      text.replace(at, 1, "\n    ");
    return "|\n    " + text + "\n";
  };
  const auto ca = directory.write("ca.crt", make_certificate({.purpose = Purpose::authority}).certificate);
  const auto path = directory.write(
      "web.yml", "tls_server_config:\n  cert: " + indented(made.certificate) +
                     "  key: " + indented(made.key) +
                     "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: " + ca + "\n");
  std::vector<FileMark> marks;
  const auto file = read_web_config(path, marks);
  REQUIRE(file);
  CHECK(file->security->tls);
  CHECK(marks.size() == 2);
}

TEST_CASE("a file that is missing, no file or no certificate is named with its key", "[web]") {
  const TemporaryDirectory directory;
  CHECK(complaint(directory.path("web.yml")) == ": No such file or directory");
  const auto path = directory.write("web.yml", kTls);
  CHECK(complaint(path) == ": cert_file: " + directory.path("server.crt") + ": No such file or directory");
  (void)directory.write("server.crt", make_certificate({}).certificate);
  REQUIRE(mkfifo(directory.path("server.key").c_str(), 0600) == 0);
  CHECK(complaint(path) == ": key_file: " + directory.path("server.key") + ": not a regular file");
  std::filesystem::remove(directory.path("server.key"));
  (void)directory.write("server.key", make_certificate({}).key);
  CHECK(complaint(path) == ": key_file: not the key of the certificate");
  (void)directory.write("server.key", std::string((1 << 20) + 1, 'x'));
  CHECK(complaint(path) == ": key_file: " + directory.path("server.key") + ": longer than 1048576 bytes");
  (void)directory.write("web.yml", "tls_server_config: {cert_file: c}");
  CHECK(complaint(path) == ":1: tls_server_config has no key_file and no key");
}

TEST_CASE("a mark tells whether a file was changed or replaced", "[web]") {
  const TemporaryDirectory directory;
  const auto path = directory.path("file");
  const auto none = mark_of(path);
  CHECK_FALSE(none.there);
  (void)directory.write("file", "a");
  const auto first = mark_of(path);
  CHECK(first.there);
  CHECK(first == mark_of(path));
  CHECK_FALSE(first == none);
  (void)directory.write("file", "ab");
  CHECK_FALSE(first == mark_of(path));
  const auto longer = mark_of(path);
  std::filesystem::rename(directory.write("other", "ab"), path);
  CHECK_FALSE(longer == mark_of(path));
}

TEST_CASE("changed files are read again once they are settled, and a mended one after a broken one",
          "[web]") {
  const TemporaryDirectory directory;
  write(directory, make_certificate({}));
  const auto path = directory.write("web.yml", kTls);
  std::vector<FileMark> marks;
  REQUIRE(read_web_config(path, marks));
  Taken taken;
  WebConfigWatch watch(path, marks, [&](const auto& file) { return taken.take(file); }, 20ms);
  CHECK(watch.valid());

  (void)directory.write("server.key", "broken");
  CHECK(taken.wait_for("cert_file and key_file: ") == "cert_file and key_file: ");
  write(directory, make_certificate({}));
  CHECK(taken.wait_for("taken") == "taken");
  (void)directory.write("web.yml", "nothing: 1");
  CHECK(taken.wait_for("web.yml:1: unknown key") == "web.yml:1: unknown key");
  (void)directory.write("web.yml", kTls);
  CHECK(taken.wait_for("taken") == "taken");
}

TEST_CASE("files are read again when that is asked for, changed or not", "[web]") {
  const TemporaryDirectory directory;
  const auto path = directory.write("web.yml", "rate_limit: {}\n");
  std::vector<FileMark> marks;
  REQUIRE(read_web_config(path, marks));
  Taken taken;
  WebConfigWatch watch(path, marks, [&](const auto& file) { return taken.take(file); }, 1h);
  watch.reload();
  CHECK(taken.wait_for("taken") == "taken");
  std::filesystem::remove(path);
  watch.reload();
  CHECK(taken.wait_for("No such file") == "No such file");
  while (watch.valid()) std::this_thread::yield();  // it is told after the outcome
  (void)directory.write("web.yml", "rate_limit: {}\n");
  watch.reload();
  CHECK(taken.wait_for("taken") == "taken");
}
