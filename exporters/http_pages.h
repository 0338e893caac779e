// SPDX-License-Identifier: Apache-2.0
// What the HTTP server says, without the server: no sockets, no threads of its own.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/published.h"
#include "core/report.h"
#include "exporters/allowed_hosts.h"
#include "exporters/samples.h"
#include "exporters/text_sink.h"

namespace tcpdiag {

/// How the daemon is. Asked on the server's threads.
struct Health {
  bool healthy = false;  ///< the loop ticks
  bool ready = false;    ///< every collector has run once
};
using HealthCheck = std::function<Health()>;

/// What of a request decides the answer.
struct HttpRequest {
  std::string_view method;
  std::string_view path;  ///< decoded, without the query; or the whole URI, as a proxy is sent it
  std::string_view accept_encoding;
  bool has_body = false;
  std::string_view host = {};   ///< as in the header of that name; empty: none
  std::string_view netns = {};  ///< the argument of that name in the query, decoded; empty: none
};

struct HttpResponse {
  int status = 200;
  std::shared_ptr<const std::string> body;
  /// The body is a gzip file, and the client is to be sent what is in it: so many bytes. Empty: it is sent
  /// the body.
  std::optional<std::size_t> unpacked_size{};
  std::vector<std::pair<std::string_view, std::string_view>> headers;  ///< constants only
};

/// Whether an Accept-Encoding header allows gzip (RFC 9110, 12.5.3). A header that is not understood does
/// not.
bool accepts_gzip(std::string_view accept_encoding);

/// The answer to who may not have any other: 400 (malformed request), 401 (no right password), 429 (too many
/// requests), 503 (too many passwords to check).
HttpResponse refuse(int status);

/// Replaces or adds headers; those with an empty value are removed. They must outlive `response`.
void set_headers(HttpResponse& response, const std::vector<std::pair<std::string, std::string>>& headers);

/// Answers requests from the latest report. A page is rendered when it is first asked for and kept until the
/// next report, so that many clients cost no more than one. A large one is never held as a whole: it is
/// compressed while it is rendered, kept compressed alone, and unpacked while it is sent to who wants it so.
/// Safe to use from several threads.
class HttpPages {
 public:
  /// What a page may have to be kept as it is.
  static constexpr std::size_t kKeptPlainBytes = 1 << 20;

  HttpPages(const Published<Report>& reports, HealthCheck health, Limits limits);

  HttpResponse answer(const HttpRequest& request);
  /// Takes effect with the next request.
  void set_limits(const Limits& limits);
  /// Who is asked for by another name is answered with 421, but for the metrics and the health, which
  /// scrapers and probes ask for by any name. Takes effect with the next request; until it is called no name
  /// is allowed.
  void set_allowed_hosts(AllowedHosts hosts);

 private:
  using Text = std::shared_ptr<const std::string>;
  /// A rendered page: plain while it is small, and compressed when it is not or somebody has asked for that.
  struct Page {
    Text plain, compressed;
    std::size_t plain_size = 0;
  };
  using Render = std::function<void(const Report&, const TextSink&)>;

  static Page rendered(const Report& report, const Render& render);
  HttpResponse report_page(const HttpRequest& request, Page HttpPages::* page, std::string_view content_type,
                           const Render& render);
  HttpResponse landing(const HttpRequest& request);
  bool is_asked_by_allowed_name(const HttpRequest& request);

  const Published<Report>& reports_;
  const HealthCheck health_;

  std::mutex mutex_;  ///< guards what follows
  Limits limits_;
  AllowedHosts allowed_hosts_;
  std::shared_ptr<const Report> rendered_;
  Page metrics_, api_report_, api_findings_, api_incidents_, api_namespaces_, landing_;
  Page netns_page_;  ///< the latest one that was asked for; there are too many to keep all
  std::string netns_page_of_;
};

}  // namespace tcpdiag
