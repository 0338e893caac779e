// SPDX-License-Identifier: Apache-2.0
#include "cli/http_config.h"

#include <algorithm>

#include "cli/http_url.h"
#include "exporters/yaml_keys.h"

namespace tcpdiag {
namespace {

/// The file, before its two ways to give a token are one.
struct Parsed {
  HttpConfig config;
  TextSource bearer_token;
};

template <class T>
YamlWrong refuse(const YamlValue& value, T&) {
  return value.wrong(" is not supported");
}

/// A secret of a secret manager, which promtool does not have either.
template <class T>
YamlWrong refuse_reference(const YamlValue& value, T&) {
  return value.wrong(" is not supported: there is no secret manager");
}

template <auto Member>
YamlWrong store_version(const YamlValue& value, ClientTls& into) {
  const auto name = value.is_text() ? value.text() : "?";
  into.*Member = to_tls_version(name);
  if (into.*Member) return std::nullopt;
  return value.wrong(" is " + in_quotes(name) +
                     "; allowed: TLS12 or TLS13, older versions are not "
                     "supported");
}

YamlWrong store_server_name(const YamlValue& value, ClientTls& into) {
  if (auto wrong = store_text<&ClientTls::server_name>(value, into)) return wrong;
  if (into.server_name.empty() || is_host(into.server_name)) return std::nullopt;
  return value.wrong(" is not the name or address of a host");
}

YamlWrong store_type(const YamlValue& value, Authorization& into) {
  if (!value.is_text()) return value.wrong(" is not a text");
  constexpr std::string_view kToken =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  auto type = value.text();
  type.erase(0, type.find_first_not_of(' '));
  type.erase(type.find_last_not_of(' ') + 1);
  if (type.find_first_not_of(kToken) != std::string::npos) return value.wrong(" is not one word");
  auto lower = type;
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (lower == "basic") return value.wrong(" is basic; use basic_auth instead");
  if (!type.empty()) into.type = type;
  return std::nullopt;
}

YamlWrong store_proxy_url(const YamlValue& value, Parsed& into) {
  if (!value.is_text()) return value.wrong(" is not a text");
  into.config.proxy.url = value.text();
  if (into.config.proxy.url.empty() || is_proxy_url(into.config.proxy.url)) return std::nullopt;
  return value.wrong(" is not the URL of a proxy; allowed: http://HOST:PORT or socks5://HOST:PORT");
}

/// Whether an entry of no_proxy has a port behind a name or an address.
bool has_port(std::string_view entry) {
  return std::ranges::count(entry, ':') == 1 || entry.find("]:") != std::string_view::npos;
}

YamlWrong store_no_proxy(const YamlValue& value, Parsed& into) {
  if (!value.is_text()) return value.wrong(" is not a text");
  into.config.proxy.no_proxy = value.text();
  auto rest = std::string_view(into.config.proxy.no_proxy);
  while (!rest.empty()) {
    const auto entry = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
    if (has_port(entry))
      return value.wrong(" has " + in_quotes(entry) +
                         "; allowed: names, addresses and networks without a port");
  }
  return std::nullopt;
}

constexpr YamlKey<BasicAuth> kBasicAuthKeys[] = {
    {"username", store_source<&BasicAuth::username, &TextSource::text>},
    {"username_file", store_source<&BasicAuth::username, &TextSource::file>},
    {"username_ref", refuse_reference},
    {"password", store_source<&BasicAuth::password, &TextSource::text>},
    {"password_file", store_source<&BasicAuth::password, &TextSource::file>},
    {"password_ref", refuse_reference},
};

constexpr YamlKey<Authorization> kAuthorizationKeys[] = {
    {"type", store_type},
    {"credentials", store_source<&Authorization::credentials, &TextSource::text>},
    {"credentials_file", store_source<&Authorization::credentials, &TextSource::file>},
    {"credentials_ref", refuse_reference},
};

constexpr YamlKey<ClientTls> kTlsKeys[] = {
    {"ca", store_source<&ClientTls::ca, &TextSource::text>},
    {"ca_file", store_source<&ClientTls::ca, &TextSource::file>},
    {"ca_ref", refuse_reference},
    {"cert", store_source<&ClientTls::cert, &TextSource::text>},
    {"cert_file", store_source<&ClientTls::cert, &TextSource::file>},
    {"cert_ref", refuse_reference},
    {"key", store_source<&ClientTls::key, &TextSource::text>},
    {"key_file", store_source<&ClientTls::key, &TextSource::file>},
    {"key_ref", refuse_reference},
    {"server_name", store_server_name},
    {"insecure_skip_verify", store_switch<&ClientTls::insecure_skip_verify>},
    {"min_version", store_version<&ClientTls::min_version>},
    {"max_version", store_version<&ClientTls::max_version>},
    {"next_protos", refuse},
};

std::string both(const std::string& name) { return " has both " + name + " and " + name + "_file"; }

YamlWrong store_basic_auth(const YamlValue& value, Parsed& into) {
  BasicAuth auth;
  if (auto wrong = store_mapping<BasicAuth>(value, kBasicAuthKeys, auth)) return wrong;
  if (auth.username.twice()) return value.wrong(both("username"));
  if (auth.password.twice()) return value.wrong(both("password"));
  if (!auth.username.given()) return value.wrong(" has no username and no username_file");
  into.config.basic_auth = std::move(auth);
  return std::nullopt;
}

YamlWrong store_authorization(const YamlValue& value, Parsed& into) {
  Authorization authorization;
  if (auto wrong = store_mapping<Authorization>(value, kAuthorizationKeys, authorization)) return wrong;
  if (authorization.credentials.twice()) return value.wrong(both("credentials"));
  if (!authorization.credentials.given()) return value.wrong(" has no credentials and no credentials_file");
  into.config.authorization = std::move(authorization);
  return std::nullopt;
}

YamlWrong store_tls(const YamlValue& value, Parsed& into) {
  auto& tls = into.config.tls;
  if (auto wrong = store_mapping<ClientTls>(value, kTlsKeys, tls)) return wrong;
  if (tls.ca.twice()) return value.wrong(both("ca"));
  if (tls.cert.twice()) return value.wrong(both("cert"));
  if (tls.key.twice()) return value.wrong(both("key"));
  if (tls.cert.given() && !tls.key.given())
    return value.wrong(" has a cert or cert_file, but no key_file and no key");
  if (tls.key.given() && !tls.cert.given())
    return value.wrong(" has a key or key_file, but no cert_file and no cert");
  if (tls.min_version && tls.max_version && *tls.max_version < *tls.min_version)
    return value.wrong(" has a max_version below its min_version");
  return std::nullopt;
}

template <auto Member>
YamlWrong store_whole_switch(const YamlValue& value, Parsed& into) {
  return store_switch<Member>(value, into.config);
}

YamlWrong store_from_environment(const YamlValue& value, Parsed& into) {
  return store_switch<&ProxyConfig::from_environment>(value, into.config.proxy);
}

constexpr YamlKey<Parsed> kTopKeys[] = {
    {"basic_auth", store_basic_auth},
    {"authorization", store_authorization},
    {"bearer_token", store_source<&Parsed::bearer_token, &TextSource::text>},
    {"bearer_token_file", store_source<&Parsed::bearer_token, &TextSource::file>},
    {"oauth2", refuse},
    {"tls_config", store_tls},
    {"follow_redirects", store_whole_switch<&HttpConfig::follow_redirects>},
    {"enable_http2", store_whole_switch<&HttpConfig::enable_http2>},
    {"proxy_url", store_proxy_url},
    {"no_proxy", store_no_proxy},
    {"proxy_from_environment", store_from_environment},
    {"proxy_connect_header", refuse},
    {"http_headers", refuse},
};

/// What no single key can tell. Empty: all is well.
std::string contradiction(const Parsed& parsed) {
  const auto& config = parsed.config;
  if (parsed.bearer_token.twice()) return "the file" + both("bearer_token");
  if (config.basic_auth && config.authorization) return "the file has both basic_auth and authorization";
  if (parsed.bearer_token.given() && (config.basic_auth || config.authorization))
    return "the file has a bearer_token as well as basic_auth or authorization";
  if (config.proxy.from_environment && !(config.proxy.url + config.proxy.no_proxy).empty())
    return "the file has proxy_from_environment as well as proxy_url or no_proxy";
  if (!config.proxy.no_proxy.empty() && config.proxy.url.empty())
    return "the file has no_proxy without proxy_url";
  return {};
}

}  // namespace

Result<HttpConfig> parse_http_config(const std::string& name, std::string_view text) {
  const auto top = parse_yaml(name, text, kMaxHttpConfigBytes);
  if (!top) return tl::unexpected<Error>(top.error());
  Parsed parsed;
  if (const auto wrong = store_mapping<Parsed>(*top, kTopKeys, parsed)) return malformed_yaml(name, *wrong);
  if (const auto what = contradiction(parsed); !what.empty())
    return unexpected(Errc::malformed, name + ": " + what);
  if (parsed.bearer_token.given())
    parsed.config.authorization = Authorization{.credentials = std::move(parsed.bearer_token)};
  parsed.config.name = name;
  return std::move(parsed.config);
}

}  // namespace tcpdiag
