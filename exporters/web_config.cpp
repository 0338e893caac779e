// SPDX-License-Identifier: Apache-2.0
#include "exporters/web_config.h"

#include <algorithm>

#include "exporters/bcrypt.h"
#include "exporters/duration_text.h"
#include "exporters/tls_priority.h"
#include "exporters/yaml_keys.h"

namespace tcpdiag {
namespace {

using Complaint = YamlComplaint;
using Wrong = YamlWrong;
using Value = YamlValue;
template <class T>
using KeyRow = YamlKey<T>;

template <std::vector<std::string> TlsConfig::* Member>
Wrong store_texts(const Value& value, TlsConfig& into) {
  if (value.node.IsNull()) return std::nullopt;
  if (!value.node.IsSequence()) return value.wrong(" is not a list");
  for (const auto& item : value.node) {
    if (!item.IsScalar()) return Complaint{line_of(item), value.key + " has an entry that is not a text"};
    (into.*Member).push_back(item.Scalar());
  }
  return std::nullopt;
}

/// A list of names out of `known`, which is asked for their go_name.
template <std::vector<std::string> TlsConfig::* Member, auto Known>
Wrong store_names(const Value& value, TlsConfig& into) {
  if (auto wrong = store_texts<Member>(value, into)) return wrong;
  for (const auto& item : value.node) {
    const auto& name = item.Scalar();
    const auto known = Known();
    const auto is_it = [&](const auto& each) { return each.go_name == name; };
    if (std::ranges::any_of(known, is_it)) continue;
    std::string allowed;
    for (const auto& each : known) allowed.append(allowed.empty() ? "" : ", ").append(each.go_name);
    return Complaint{line_of(item),
                     value.key + " has " + in_quotes(name) + ", which is not served; allowed: " + allowed};
  }
  return std::nullopt;
}

template <TlsVersion TlsConfig::* Member>
Wrong store_version(const Value& value, TlsConfig& into) {
  const auto name = value.is_text() ? value.text() : "?";
  const auto version = to_tls_version(name);
  if (!version)
    return value.wrong(" is " + in_quotes(name) +
                       "; allowed: TLS12 or TLS13, older versions are not "
                       "supported");
  into.*Member = *version;
  return std::nullopt;
}

Wrong store_client_auth(const Value& value, TlsConfig& into) {
  constexpr std::pair<std::string_view, ClientAuth> kTypes[] = {
      {"", ClientAuth::none},
      {"NoClientCert", ClientAuth::none},
      {"RequestClientCert", ClientAuth::request},
      {"RequireAnyClientCert", ClientAuth::require_any},
      {"RequireClientCert", ClientAuth::require_any},  // its name in old files
      {"VerifyClientCertIfGiven", ClientAuth::verify_if_given},
      {"RequireAndVerifyClientCert", ClientAuth::require_and_verify},
  };
  const auto name = value.is_text() ? value.text() : "?";
  for (const auto& [known, type] : kTypes)
    if (name == known) {
      into.client_auth = type;
      return std::nullopt;
    }
  return value.wrong(" is " + in_quotes(name) +
                     "; allowed: NoClientCert, RequestClientCert, RequireAnyClientCert, "
                     "VerifyClientCertIfGiven or RequireAndVerifyClientCert");
}

constexpr KeyRow<TlsConfig> kTlsKeys[] = {
    {"cert", store_source<&TlsConfig::cert, &TextSource::text>},
    {"cert_file", store_source<&TlsConfig::cert, &TextSource::file>},
    {"key", store_source<&TlsConfig::key, &TextSource::text>},
    {"key_file", store_source<&TlsConfig::key, &TextSource::file>},
    {"client_ca", store_source<&TlsConfig::client_ca, &TextSource::text>},
    {"client_ca_file", store_source<&TlsConfig::client_ca, &TextSource::file>},
    {"client_auth_type", store_client_auth},
    {"client_allowed_sans", store_texts<&TlsConfig::client_allowed_sans>},
    {"min_version", store_version<&TlsConfig::min_version>},
    {"max_version", store_version<&TlsConfig::max_version>},
    {"cipher_suites", store_names<&TlsConfig::cipher_suites, cipher_suites>},
    {"curve_preferences", store_names<&TlsConfig::curve_preferences, curves>},
    {"prefer_server_cipher_suites", store_switch<&TlsConfig::prefer_server_cipher_suites>},
};

/// What no single key can tell. Empty: all is well.
std::string contradiction(const TlsConfig& tls, bool names_sans) {
  if (tls.cert.twice()) return " has both cert and cert_file";
  if (tls.key.twice()) return " has both key and key_file";
  if (tls.client_ca.twice()) return " has both client_ca and client_ca_file";
  if (!tls.cert.given()) return " has no cert_file and no cert";
  if (!tls.key.given()) return " has no key_file and no key";
  if (tls.max_version < tls.min_version) return " has a max_version below its min_version";
  const bool verifies =
      tls.client_auth == ClientAuth::verify_if_given || tls.client_auth == ClientAuth::require_and_verify;
  if (tls.client_ca.given() && tls.client_auth == ClientAuth::none)
    return " has a client CA but no client_auth_type that asks for a certificate";
  if (verifies && !tls.client_ca.given())
    return " has a client_auth_type that verifies certificates, but no client_ca_file and no client_ca";
  const bool requires_one =
      tls.client_auth == ClientAuth::require_any || tls.client_auth == ClientAuth::require_and_verify;
  if (names_sans && !requires_one)
    return " has client_allowed_sans, which need the client_auth_type RequireAndVerifyClientCert or "
           "RequireAnyClientCert";
  if (names_sans && tls.client_allowed_sans.empty()) return " has client_allowed_sans without an entry";
  return {};
}

Wrong store_tls(const Value& value, WebConfig& into) {
  TlsConfig tls;
  if (auto wrong = store_mapping<TlsConfig>(value, kTlsKeys, tls)) return wrong;
  if (value.node.IsNull() || value.node.size() == 0) return std::nullopt;  // plain HTTP
  const bool names_sans = value.node["client_allowed_sans"].IsDefined();
  if (const auto what = contradiction(tls, names_sans); !what.empty()) return value.wrong(what);
  into.tls = std::move(tls);
  return std::nullopt;
}

Wrong store_headers(const Value& value, WebConfig& into) {
  constexpr std::string_view kKnown[] = {"Content-Security-Policy", "X-Frame-Options",
                                         "X-Content-Type-Options", "X-XSS-Protection",
                                         "Strict-Transport-Security"};
  return for_each_member(value, [&](const Value& header) -> Wrong {
    if (std::ranges::find(kKnown, header.key) == std::end(kKnown))
      return Complaint{header.line,
                       "headers has " + in_quotes(header.key) +
                           "; allowed: Content-Security-Policy, X-Frame-Options, X-Content-Type-Options, "
                           "X-XSS-Protection and Strict-Transport-Security"};
    if (!header.is_text()) return header.wrong(" is not a text");
    const auto text = header.text();
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::ranges::any_of(text, is_control))
      return header.wrong(" has a line break or another control character");
    if (header.key == "X-Frame-Options" && text != "deny" && text != "sameorigin")
      return header.wrong(" is " + in_quotes(text) + "; allowed: deny or sameorigin");
    if (header.key == "X-Content-Type-Options" && text != "nosniff")
      return header.wrong(" is " + in_quotes(text) + "; allowed: nosniff");
    into.headers.emplace_back(header.key, text);
    return std::nullopt;
  });
}

Wrong store_http2(const Value& value, WebConfig& into) {
  struct {
    bool on = false;
  } http2;
  if (auto wrong = store_switch<&decltype(http2)::on>(value, http2)) return wrong;
  if (http2.on) into.warnings.emplace_back("http2 is true, but only HTTP/1.1 is served, to every client");
  return std::nullopt;
}

constexpr KeyRow<WebConfig> kHttpKeys[] = {{"http2", store_http2}, {"headers", store_headers}};

Wrong store_http(const Value& value, WebConfig& into) {
  return store_mapping<WebConfig>(value, kHttpKeys, into);
}

Wrong store_users(const Value& value, WebConfig& into) {
  return for_each_member(value, [&](const Value& user) -> Wrong {
    const auto wrong = [&](const std::string& what) {
      return Complaint{user.line, "basic_auth_users: the user " + in_quotes(user.key) + what};
    };
    if (user.key.find(':') != std::string::npos) return wrong(" has a colon in its name");
    const auto hash = user.text();
    const auto cost = bcrypt_cost(hash);
    if (cost == 0) return wrong(" has no bcrypt hash ($2a$, $2b$ or $2y$)");
    if (cost > kMaxBcryptCost)
      return wrong(" has a hash of cost " + std::to_string(cost) + "; allowed: 4 to " +
                   std::to_string(kMaxBcryptCost) + ", a higher one takes seconds for each login");
    into.users.emplace(user.key, hash);
    return std::nullopt;
  });
}

Wrong store_interval(const Value& value, RateLimit& into) {
  const auto interval = parse_go_duration(value.is_text() ? value.text() : "?");
  if (!interval || *interval < std::chrono::nanoseconds{})
    return value.wrong(" is not a time such as 100ms or 1s");
  into.interval = *interval;
  return std::nullopt;
}

Wrong store_burst(const Value& value, RateLimit& into) {
  int burst = 0;
  if (!value.is_plain() || !YAML::convert<int>::decode(value.node, burst) || burst < 0)
    return value.wrong(" is not a whole number from 0 up");
  into.burst = static_cast<std::uint32_t>(burst);
  return std::nullopt;
}

constexpr KeyRow<RateLimit> kRateLimitKeys[] = {{"interval", store_interval}, {"burst", store_burst}};

Wrong store_rate_limit(const Value& value, WebConfig& into) {
  RateLimit limit;
  if (auto wrong = store_mapping<RateLimit>(value, kRateLimitKeys, limit)) return wrong;
  if (limit.interval.count() == 0) return std::nullopt;
  if (limit.burst == 0)
    return value.wrong(" has an interval, but a burst of 0: every request would be refused");
  into.rate_limit = limit;
  return std::nullopt;
}

constexpr KeyRow<WebConfig> kTopKeys[] = {{"tls_server_config", store_tls},
                                          {"http_server_config", store_http},
                                          {"basic_auth_users", store_users},
                                          {"rate_limit", store_rate_limit}};

}  // namespace

std::optional<TlsVersion> to_tls_version(std::string_view name) {
  if (name == "TLS12") return TlsVersion::tls12;
  if (name == "TLS13") return TlsVersion::tls13;
  return std::nullopt;
}

Result<WebConfig> parse_web_config(const std::string& name, std::string_view text) {
  const auto top = parse_yaml(name, text, kMaxWebConfigBytes);
  if (!top) return tl::unexpected<Error>(top.error());
  WebConfig config;
  if (const auto wrong = store_mapping<WebConfig>(*top, kTopKeys, config))
    return malformed_yaml(name, *wrong);
  return config;
}

}  // namespace tcpdiag
