// SPDX-License-Identifier: Apache-2.0
#include "cli/daemon_answer.h"

#include <chrono>
#include <string_view>

#include "cli/http_config_file.h"
#include "cli/http_failure.h"
#include "cli/http_get.h"
#include "core/utf8.h"

namespace tcpdiag {
namespace {

constexpr std::chrono::seconds kPatience{5};

/// The beginning of what a server says about itself, fit to be shown.
std::string first_line(const std::string& body) {
  constexpr std::size_t kMost = 200;
  const auto line = std::string_view(body).substr(0, body.find('\n'));
  const auto shown = utf8_prefix(line, kMost);
  return one_line(shown.substr(0, shown.find_last_not_of(". \r") + 1));
}

}  // namespace

Result<std::string> ask_daemon(const DaemonAddress& daemon, const std::string& path) {
  constexpr int kOk = 200;
  const auto url = parse_http_url(daemon.url);
  if (!url) return tl::unexpected<Error>(url.error());
  Result<HttpConfig> config;
  if (!daemon.http_config_file.empty()) config = read_http_config(daemon.http_config_file);
  if (!config) return tl::unexpected<Error>(config.error());
  auto answer = http_get(*url, path, *config, kPatience);
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (answer->status == kOk) return std::move(answer->body);
  auto detail =
      authority(*url) + ": answers " + std::to_string(answer->status) + " to GET " + url->path + path;
  if (const auto line = first_line(answer->body); !line.empty()) detail += ": " + line;
  if (const auto advice = advice_about(answer->status, *config); !advice.empty()) detail += "; " + advice;
  return unexpected(Errc::failed, detail);
}

}  // namespace tcpdiag
