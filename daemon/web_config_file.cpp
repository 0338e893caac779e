// SPDX-License-Identifier: Apache-2.0
#include "daemon/web_config_file.h"

#include <sys/stat.h>

#include "daemon/config_file.h"

namespace tcpdiag {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  constexpr std::int64_t kPerSecond = 1'000'000'000;
  return time.tv_sec * kPerSecond + time.tv_nsec;
}

class Reader {
 public:
  Reader(const std::string& path, std::vector<FileMark>& marks) : path_(path), marks_(marks) {}

  Result<std::string> read(const std::string& path) {
    marks_.push_back(mark_of(path));
    return read_config_file(path);
  }

  /// The text that a source stands for; `key` is what it is called where it is a file.
  Result<std::string> text_of(const TextSource& source, const std::string& key) {
    if (source.file.empty()) return source.text;
    auto text = read(path_beside(path_, source.file));
    if (!text) return unexpected(text.error().code, path_ + ": " + key + ": " + text.error().detail);
    return text;
  }

  Result<std::shared_ptr<const TlsServer>> load_tls(TlsConfig config) {
    auto cert = text_of(config.cert, "cert_file");
    if (!cert) return tl::unexpected<Error>(cert.error());
    auto key = text_of(config.key, "key_file");
    if (!key) return tl::unexpected<Error>(key.error());
    auto client_ca = text_of(config.client_ca, "client_ca_file");
    if (!client_ca) return tl::unexpected<Error>(client_ca.error());
    auto tls = TlsServer::make(std::move(config), {std::move(*cert), std::move(*key), std::move(*client_ca)});
    if (!tls) return unexpected(tls.error().code, path_ + ": " + tls.error().detail);
    return tls;
  }

 private:
  const std::string& path_;
  std::vector<FileMark>& marks_;
};

}  // namespace

FileMark mark_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {.path = path};
  return {.path = path,
          .there = true,
          .device = status.st_dev,
          .inode = status.st_ino,
          .size = status.st_size,
          .modified_ns = nanoseconds(status.st_mtim),
          .changed_ns = nanoseconds(status.st_ctim)};
}

Result<WebConfigFile> read_web_config(const std::string& path, std::vector<FileMark>& marks) {
  Reader reader(path, marks);
  const auto text = reader.read(path);
  if (!text) return tl::unexpected<Error>(text.error());
  auto config = parse_web_config(path, *text);
  if (!config) return tl::unexpected<Error>(config.error());

  auto security = std::make_shared<WebSecurity>();
  if (config->tls) {
    auto tls = reader.load_tls(std::move(*config->tls));
    if (!tls) return tl::unexpected<Error>(tls.error());
    security->tls = std::move(*tls);
  }
  security->users = std::move(config->users);
  security->headers = std::move(config->headers);
  security->rate_limit = config->rate_limit;
  for (auto& warning : config->warnings) warning.insert(0, path + ": ");
  return WebConfigFile{std::move(security), std::move(config->warnings)};
}

std::vector<std::string> certificate_warnings(const std::string& path, const WebConfigFile& file,
                                              std::chrono::system_clock::time_point now) {
  if (!file.security->tls) return {};
  auto warnings = certificate_warnings(file.security->tls->facts(), now);
  for (auto& warning : warnings) warning.insert(0, path + ": ");
  return warnings;
}

}  // namespace tcpdiag
