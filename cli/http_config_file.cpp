// SPDX-License-Identifier: Apache-2.0
#include "cli/http_config_file.h"

#include <algorithm>

#include "daemon/config_file.h"

namespace tcpdiag {
namespace {

/// Fills in texts; after the first error it does nothing.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  void read(TextSource& source, const std::string& key) {
    if (error_ || source.file.empty()) return;
    auto text = read_config_file(path_beside(path_, source.file));
    if (!text) return fail(text.error().code, key + "_file: " + text.error().detail);
    if (text->empty())
      return fail(Errc::malformed, key + "_file: " + path_beside(path_, source.file) + ": it is empty");
    source.text = std::move(*text);
  }

  /// What becomes a part of a header.
  void read_secret(TextSource& source, const std::string& key) {
    constexpr std::string_view kBlank = " \t\r\n\v\f";
    read(source, key);
    const auto where = source.file.empty() ? key : key + "_file: " + path_beside(path_, source.file);
    if (!source.file.empty()) {
      source.text.erase(0, source.text.find_first_not_of(kBlank));
      source.text.erase(source.text.find_last_not_of(kBlank) + 1);
      if (source.text.empty()) fail(Errc::malformed, where + ": it is empty");
    }
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::ranges::any_of(source.text, is_control))
      fail(Errc::malformed, where + ": it has a line break or another control character inside");
  }

  void fail(Errc code, const std::string& what) {
    if (!error_) error_ = Error{code, path_ + ": " + what};
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  const std::string& path_;
  std::optional<Error> error_;
};

}  // namespace

Result<HttpConfig> read_http_config(const std::string& path) {
  const auto text = read_config_file(path);
  if (!text) return tl::unexpected<Error>(text.error());
  auto config = parse_http_config(path, *text);
  if (!config) return config;
  Reader reader(path);
  if (auto& auth = config->basic_auth) {
    reader.read_secret(auth->username, "username");
    reader.read_secret(auth->password, "password");
    if (auth->username.text.find(':') != std::string::npos)
      reader.fail(Errc::malformed, "basic_auth: the username has a colon, which ends it for every server");
  }
  if (config->authorization) reader.read_secret(config->authorization->credentials, "credentials");
  reader.read(config->tls.ca, "ca");
  reader.read(config->tls.cert, "cert");
  reader.read(config->tls.key, "key");
  if (reader.error()) return tl::unexpected<Error>(*reader.error());
  return config;
}

}  // namespace tcpdiag
