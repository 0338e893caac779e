// SPDX-License-Identifier: Apache-2.0
// The web configuration file that Prometheus and its exporters share: who may ask, and over what. The format
// is that of docs/web-configuration.md in github.com/prometheus/exporter-toolkit.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "exporters/text_source.h"

namespace tcpdiag {

/// What is asked of a client's certificate.
enum class ClientAuth {
  none,         ///< NoClientCert
  request,      ///< RequestClientCert: it is asked for one, and may come without
  require_any,  ///< RequireAnyClientCert: it must have one; who signed that does not matter
  /// VerifyClientCertIfGiven: it may come without; one that it shows must be signed by the client CA.
  verify_if_given,
  require_and_verify,  ///< RequireAndVerifyClientCert: it must have one that the client CA signed
};

enum class TlsVersion { tls12, tls13 };
/// Of "TLS12" or "TLS13"; empty: it is another word.
std::optional<TlsVersion> to_tls_version(std::string_view name);

struct TlsConfig {
  TextSource cert, key, client_ca;
  ClientAuth client_auth = ClientAuth::none;
  std::vector<std::string> client_allowed_sans;  ///< empty: any
  TlsVersion min_version = TlsVersion::tls12, max_version = TlsVersion::tls13;
  std::vector<std::string> cipher_suites;      ///< Go's names, each one that GnuTLS has; empty: its choice
  std::vector<std::string> curve_preferences;  ///< Go's names, each one that GnuTLS has; empty: its choice
  bool prefer_server_cipher_suites = true;
};

/// One request every `interval`, and `burst` at once after a silence.
struct RateLimit {
  std::chrono::nanoseconds interval{};
  std::uint32_t burst = 0;

  bool operator==(const RateLimit&) const = default;
};

struct WebConfig {
  std::optional<TlsConfig> tls;  ///< empty: plain HTTP
  /// Bcrypt hash by name; empty: no password is asked.
  std::map<std::string, std::string, std::less<>> users;
  std::vector<std::pair<std::string, std::string>> headers;  ///< of every answer; an empty value: without it
  std::optional<RateLimit> rate_limit;                       ///< empty: none
  std::vector<std::string> warnings;  ///< what it asks for and cannot have; each a line for the log
};

inline constexpr std::size_t kMaxWebConfigBytes = 256 << 10;

/// Strict, as the other exporters are: an unknown key, one that is there twice and a value that cannot be
/// honoured are errors. The detail reads "NAME:LINE: KEY what is wrong with it", and never contains a secret.
Result<WebConfig> parse_web_config(const std::string& name, std::string_view text);

}  // namespace tcpdiag
