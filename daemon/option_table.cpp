// SPDX-License-Identifier: Apache-2.0
#include "daemon/option_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "collectors/catalog.h"
#include "core/listen_address.h"
#include "core/netns_filter.h"
#include "daemon/nearest_name.h"
#include "exporters/allowed_hosts.h"
#include "exporters/external_url.h"

namespace tcpdiag {
namespace {

constexpr std::array kLevels = {LogLevel::trace, LogLevel::debug, LogLevel::info, LogLevel::warn,
                                LogLevel::error};
constexpr std::array kFormats = {LogFormat::logfmt, LogFormat::json};

bool is_listen_address(std::string_view text) { return parse_listen_address(text).has_value(); }

bool has_control(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return std::any_of(text.begin(), text.end(), is_control);
}

bool is_external_url_or_empty(std::string_view text) { return text.empty() || is_external_url(text); }

constexpr std::size_t kLongestPath = 4095;
bool is_path_or_empty(std::string_view text) { return text.size() <= kLongestPath && !has_control(text); }

bool is_namespace(std::string_view text) {
  if (has_control(text)) return false;
  if (text.starts_with('/')) return text.size() > 1 && text.size() <= kLongestPath;
  constexpr std::size_t kLongestFileName = 255;
  return !text.empty() && text.size() <= kLongestFileName && text.find('/') == std::string_view::npos &&
         text != "." && text != ".." && text != "host";
}

constexpr std::string_view kNetnsPatterns =
    "a name such as \"shop\", or a pattern in which * stands for any text, slashes included, and ? for one "
    "character: \"payments/*\", \"*-canary\"; not \"host\", without [ ] { }, quotes and backslashes, at most 128 bytes";

template <class... Overloads>
struct Visitor : Overloads... {
  using Overloads::operator()...;
};
template <class... Overloads>
Visitor(Overloads...) -> Visitor<Overloads...>;

std::string text_of(const OptionValue& value) { return " is " + to_string(value); }

template <class Word>
bool set_word(const WordOption<Word>& kind, const OptionValue& value, Options& options) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return false;
  const auto found =
      std::find_if(kind.words.begin(), kind.words.end(), [&](Word word) { return to_string(word) == *text; });
  if (found == kind.words.end()) return false;
  options.*kind.member = *found;
  return true;
}

bool set_share(const ShareOption& kind, const OptionValue& value, Options& options) {
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr || !(*number > 0 && *number <= 1)) return false;
  options.*kind.member = *number;
  return true;
}

bool set_whole(const WholeOption& kind, const OptionValue& value, Options& options) {
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr || !(*number >= kind.min && *number <= kind.max)) return false;
  if (*number != std::floor(*number)) return false;
  options.*kind.member = static_cast<std::uint32_t>(*number);
  return true;
}

bool set_text(const TextOption& kind, const OptionValue& value, Options& options) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || !kind.valid(*text)) return false;
  options.*kind.member = *text;
  return true;
}

std::string allowed_suffix(const OptionRow& row) { return "; allowed: " + allowed_by(row); }

std::string not_a_list(const OptionRow& row, const OptionValue& value) {
  const auto* other = std::get_if<OtherValue>(&value);  // which may be a list of something else
  const bool list = other != nullptr && other->shown.starts_with('[');
  return text_of(value) + (list ? "" : ", which is not a list") + "; allowed: a list of " + allowed_by(row);
}

std::optional<std::string> set_list(const OptionRow& row, const ListOption& kind, const OptionValue& value,
                                    Options& options) {
  const auto* texts = std::get_if<std::vector<std::string>>(&value);
  if (texts == nullptr) return not_a_list(row, value);
  if (texts->size() < kind.min || texts->size() > kind.max)
    return " has " + std::to_string(texts->size()) + " entries" + allowed_suffix(row);
  std::set<std::string_view> seen;
  for (const auto& text : *texts) {
    if (!kind.valid(text)) return text_of(text) + allowed_suffix(row);
    if (!seen.insert(text).second) return " names " + quote(text) + " twice";
  }
  options.*kind.member = *texts;
  return std::nullopt;
}

std::optional<std::string> set_collectors(const OptionRow& row, const OptionValue& value, Options& options) {
  const auto* switches = std::get_if<Switches>(&value);
  if (switches == nullptr) return text_of(value) + allowed_suffix(row);
  std::vector<std::string> names;
  for (const auto& collector : collector_catalog()) names.emplace_back(collector.name);
  auto off = options.collectors_off;
  for (const auto& [name, on] : switches->members) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      return " has the unknown key " + quote(name) + did_you_mean(name, names);
    if (on)
      off.erase(name);
    else
      off.insert(name);
  }
  options.collectors_off = std::move(off);
  return std::nullopt;
}

template <class Word>
std::string listed(std::span<const Word> words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += to_string(words[i]);
  }
  return text;
}

}  // namespace

std::span<const OptionRow> option_table() {
  static const OptionRow kTable[] = {
      {"listen_addresses", "--web.listen-address", "ADDRESS",
       ListOption{&Options::listen_addresses, 1, 16, is_listen_address,
                  "an IPv4 address and \":PORT\", an IPv6 address in brackets and \":PORT\", "
                  "\"localhost:PORT\", or \":PORT\" alone"},
       true,
       "Where the HTTP server listens; \":PORT\" alone means every address; with port 0 the kernel chooses "
       "one."},
      {"allowed_hosts", "--web.allowed-host", "NAME",
       ListOption{&Options::allowed_hosts, 0, 64, is_allowed_host_name,
                  "a host name such as \"web1.example.com\", or \"*.example.com\" for all below it"},
       false,
       "Another name under which the page and /api may be asked for. Always allowed: addresses, localhost, "
       "and the host's own names (its hostname, what /etc/hosts calls it, and the hostname with the search "
       "domains of /etc/resolv.conf). Other names get 421, so that no foreign web site can read them through "
       "a browser; /metrics and /-/ answer to all."},
      {"web_external_url", "--web.external-url", "URL",
       TextOption{&Options::external_url, is_external_url_or_empty,
                  "\"http://HOST[:PORT][/PATH]\" or the same with https, without user name, query and "
                  "fragment, or \"\" for none"},
       false,
       "The URL at which people reach this daemon's page, perhaps through a proxy: alerts link to it. "
       "Without it they link to the target that Prometheus scrapes. Its host name is allowed as well. What "
       "is served, and where, does not change: a proxy that serves the page below a PATH has to strip that."},
      {"web_config_file", "--web.config.file", "FILE",
       TextOption{&Options::web_config_file, is_path_or_empty, "the path of a file, or \"\" for none"}, true,
       "Web configuration file in the format that all exporters of Prometheus share: TLS, passwords, "
       "headers, a rate limit. See web-security.md in /usr/share/doc/tcpdiagd. The file and the certificates "
       "it names are read again when they change, and on SIGHUP."},
      {"max_connections", "--web.max-connections", "N", WholeOption{&Options::max_connections, 1, 10000},
       true,
       "How many connections the HTTP server holds at once at each address. A request must arrive, and its "
       "answer be taken, within 10 s. When all are in use, a new connection takes the place of the oldest "
       "without a complete request; an eighth is kept for addresses that were answered before."},
      {"max_connections_per_ip", "--web.max-connections-per-ip", "N",
       WholeOption{&Options::max_connections_per_ip, 1, 10000}, true,
       "How many of them may come from one address, so that one slow client cannot shut out the others; any "
       "more are closed at once. Never more than max_connections."},
      {"log_level", "--log.level", "LEVEL", WordOption<LogLevel>{&Options::log_level, kLevels}, false,
       "The lowest level that is logged."},
      {"log_format", "--log.format", "FORMAT", WordOption<LogFormat>{&Options::log_format, kFormats}, false,
       "The format of the log lines."},
      {"collectors", "--[no-]collector.NAME", "", CollectorsOption{}, false,
       "Which collectors run. What a disabled one would have read is unknown, never zero."},
      {"cpu_budget", "--cpu-budget", "SHARE", ShareOption{&Options::cpu_budget}, false,
       "Share of one CPU core that collecting may use. To stay within it on a large host, expensive "
       "collectors run less often, each according to its cost, but at least every ten minutes."},
      {"namespaces", "--netns", "NETNS",
       ListOption{
           &Options::namespaces, 0, 64, is_namespace,
           "a name under /run/netns other than \"host\", or an absolute path such as /proc/PID/ns/net"},
       true,
       "Network namespaces to watch in any case, named by hand: one of a host where the others are not "
       "looked for, or that only a descriptor or a mount elsewhere holds. All others are found."},
      {"netns_include", "--netns.include", "PATTERN",
       ListOption{&Options::netns_include, 0, 64, is_netns_pattern, kNetnsPatterns}, false,
       "Which of the network namespaces that are found on the machine are watched, by their names as "
       "`tcpdiag namespaces` shows them: all of them where there is no pattern. The daemon's own is always "
       "watched."},
      {"netns_exclude", "--netns.exclude", "PATTERN",
       ListOption{&Options::netns_exclude, 0, 64, is_netns_pattern, kNetnsPatterns}, false,
       "Which of them are not watched, whatever netns_include says: \"*\" for all but the daemon's own. They "
       "are listed as excluded, and have no series but tcpdiag_netns_info."},
      {"max_listeners", "--max-listeners", "N", WholeOption{&Options::max_listeners, 1, 100000}, false,
       "How many listeners of each namespace are exported; those left out are counted."},
      {"max_server_ports", "--max-server-ports", "N", WholeOption{&Options::max_server_ports, 1, 65535},
       false, "How many server ports of each namespace are exported; those left out are counted."},
      {"max_processes", "--max-processes", "N", WholeOption{&Options::max_processes, 1, 10000}, false,
       "How many processes are exported; those left out are counted."},
  };
  return kTable;
}

std::string type_of(const OptionRow& row) {
  return std::visit(
      Visitor{[](const ShareOption&) { return "number"; }, [](const WholeOption&) { return "whole number"; },
              [](const ListOption&) { return "list of texts"; },
              [](const CollectorsOption&) { return "object"; }, [](const auto&) { return "text"; }},
      row.kind);
}

std::string allowed_by(const OptionRow& row) {
  const auto whole = [](const WholeOption& kind) {
    return "a whole number from " + std::to_string(kind.min) + " to " + std::to_string(kind.max);
  };
  const auto list = [](const ListOption& kind) {
    const auto range = kind.min == 0 ? "up to " : std::to_string(kind.min) + " to ";
    return range + std::to_string(kind.max) + " of: " + std::string(kind.allowed);
  };
  return std::visit(
      Visitor{[](const ShareOption&) { return std::string("a number above 0 and up to 1"); }, whole, list,
              [](const TextOption& kind) { return std::string(kind.allowed); },
              [](const CollectorsOption&) { return std::string("collectors' names, each true or false"); },
              [](const auto& kind) { return listed(kind.words); }},
      row.kind);
}

std::string shown(const OptionRow& row, const Options& options) {
  const auto collectors = [&](const CollectorsOption&) {
    Switches off;
    for (const auto& name : options.collectors_off) off.members.emplace_back(name, false);
    return OptionValue(off);
  };
  return to_string(std::visit(
      Visitor{[&](const ShareOption& kind) { return OptionValue(options.*kind.member); },
              [&](const WholeOption& kind) { return OptionValue(static_cast<double>(options.*kind.member)); },
              [&](const ListOption& kind) { return OptionValue(options.*kind.member); }, collectors,
              [&](const TextOption& kind) { return OptionValue(options.*kind.member); },
              [&](const auto& kind) { return OptionValue(std::string(to_string(options.*kind.member))); }},
      row.kind));
}

bool same(const OptionRow& row, const Options& a, const Options& b) {
  return std::visit(Visitor{[&](const CollectorsOption&) { return a.collectors_off == b.collectors_off; },
                            [&](const auto& kind) { return a.*kind.member == b.*kind.member; }},
                    row.kind);
}

void copy(const OptionRow& row, const Options& from, Options& to) {
  std::visit(Visitor{[&](const CollectorsOption&) { to.collectors_off = from.collectors_off; },
                     [&](const auto& kind) { to.*kind.member = from.*kind.member; }},
             row.kind);
}

std::optional<std::string> set(const OptionRow& row, const OptionValue& value, Options& options) {
  const auto done = [&](bool stored) {
    return stored ? std::nullopt : std::optional(text_of(value) + allowed_suffix(row));
  };
  return std::visit(Visitor{[&](const ShareOption& kind) { return done(set_share(kind, value, options)); },
                            [&](const WholeOption& kind) { return done(set_whole(kind, value, options)); },
                            [&](const ListOption& kind) { return set_list(row, kind, value, options); },
                            [&](const TextOption& kind) { return done(set_text(kind, value, options)); },
                            [&](const CollectorsOption&) { return set_collectors(row, value, options); },
                            [&](const auto& kind) { return done(set_word(kind, value, options)); }},
                    row.kind);
}

OptionValue to_value(const OptionRow& row, const std::vector<std::string>& texts) {
  if (std::holds_alternative<ListOption>(row.kind)) return texts;
  const auto& text = texts.back();
  if (!std::holds_alternative<ShareOption>(row.kind) && !std::holds_alternative<WholeOption>(row.kind))
    return text;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return text;
  return number;
}

}  // namespace tcpdiag
