// SPDX-License-Identifier: Apache-2.0
#include "exporters/http_pages.h"

#include <algorithm>
#include <charconv>

#include "core/text.h"
#include "core/utf8.h"
#include "exporters/findings_json.h"
#include "exporters/gzip.h"
#include "exporters/json.h"
#include "exporters/landing_page.h"
#include "exporters/netns_overview.h"
#include "exporters/prometheus.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr auto kWrongName =
    "This host is not known by the name in the request. Use an address, localhost or the host's own name, or "
    "allow the name: --web.allowed-host=NAME (\"allowed_hosts\" in the configuration file).\n";

HttpResponse respond(int status, std::shared_ptr<const std::string> body, std::string_view content_type) {
  return {status,
          std::move(body),
          std::nullopt,
          {{"Content-Type", content_type},
           {"Cache-Control", "no-cache"},
           {"X-Content-Type-Options", "nosniff"},
           {"X-Frame-Options", "deny"},
           {"Referrer-Policy", "no-referrer"},
           {"Cross-Origin-Resource-Policy", "same-origin"},
           {"Content-Security-Policy",
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "
            "'none'"}}};
}

HttpResponse respond(int status, std::string text) {
  return respond(status, std::make_shared<const std::string>(std::move(text)), kPlain);
}

constexpr std::string_view kBlank = " \t";

/// Takes the part before the first `separator` off `text`.
std::string_view next_part(std::string_view& text, char separator) {
  const auto part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return trimmed(part, kBlank);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// The path of "http://host/path", and of "/path" itself.
std::string_view path_of(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const auto path = target.find('/', scheme.size());
    return path == std::string_view::npos ? "/" : target.substr(path);
  }
  return target;
}

/// The host of "http://host/path"; empty where the target is a path.
std::string_view host_of(std::string_view target) {
  const auto path = path_of(target);
  if (path == target) return {};
  const auto host = target.substr(target.find("//") + 2);
  return host.substr(0, host.find('/'));
}

std::string not_ready_text(const Report* report) {
  std::string waiting;
  if (report != nullptr)
    for (const auto& run : report->runs) {
      if (run.has_run()) continue;
      waiting.append(waiting.empty() ? "" : ", ").append(run.collector);
      if (!run.netns.empty()) waiting.append(" of ").append(one_line(run.netns));
    }
  return "tcpdiagd is not ready: waiting for " + (waiting.empty() ? "its first report" : waiting) + ".\n";
}

/// Whether the parameters of a coding leave it a weight above 0.
bool has_weight(std::string_view parameters) {
  while (!parameters.empty()) {
    auto value = next_part(parameters, ';');
    const auto name = next_part(value, '=');
    if (!equal_ignoring_case(name, "q")) continue;
    double weight = 0;
    const auto text = trimmed(value, kBlank);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
    return error == std::errc{} && end == text.data() + text.size() && weight > 0 && weight <= 1;
  }
  return true;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  bool any = false;
  while (!accept_encoding.empty()) {
    auto parameters = next_part(accept_encoding, ',');
    const auto coding = next_part(parameters, ';');
    if (equal_ignoring_case(coding, "gzip") || equal_ignoring_case(coding, "x-gzip"))
      return has_weight(parameters);
    if (coding == "*") any = has_weight(parameters);
  }
  return any;
}

HttpResponse refuse(int status) {
  const auto refused = [&](std::string text, std::string_view name, std::string_view value) {
    auto response = respond(status, std::move(text));
    response.headers.emplace_back(name, value);
    return response;
  };
  if (status == 400) return respond(400, "The request is malformed.\n");
  if (status == 401)
    return refused("A name and a password are needed.\n", "WWW-Authenticate",
                   R"(Basic realm="tcpdiagd", charset="UTF-8")");
  if (status == 429) return refused("Too many requests.\n", "Retry-After", "1");
  return refused("Too many passwords are waiting to be checked.\n", "Retry-After", "1");
}

void set_headers(HttpResponse& response, const std::vector<std::pair<std::string, std::string>>& headers) {
  for (const auto& [name, value] : headers) {
    std::erase_if(response.headers, [&](const auto& header) { return header.first == name; });
    if (!value.empty()) response.headers.emplace_back(name, value);
  }
}

HttpPages::HttpPages(const Published<Report>& reports, HealthCheck health, Limits limits)
    : reports_(reports), health_(std::move(health)), limits_(limits) {}

void HttpPages::set_limits(const Limits& limits) {
  const std::scoped_lock lock(mutex_);
  limits_ = limits;
  rendered_.reset();
}

void HttpPages::set_allowed_hosts(AllowedHosts hosts) {
  const std::scoped_lock lock(mutex_);
  allowed_hosts_ = std::move(hosts);
}

bool HttpPages::is_asked_by_allowed_name(const HttpRequest& request) {
  const std::scoped_lock lock(mutex_);
  return allowed_hosts_.allows(request.host) && allowed_hosts_.allows(host_of(request.path));
}

HttpResponse HttpPages::answer(const HttpRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    auto response = respond(405, "Only GET and HEAD are allowed.\n");
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  if (request.has_body) return respond(413, "A request may not have a body.\n");

  const auto path = path_of(request.path);
  if (path == "/metrics")
    return report_page(
        request, &HttpPages::metrics_, kPrometheusContentType,
        [this](const Report& report, const TextSink& sink) { write_prometheus(report, limits_, sink); });
  if (path == "/-/healthy")
    return health_().healthy ? respond(200, "tcpdiagd is healthy.\n")
                             : respond(503, "tcpdiagd is not healthy: its loop is stuck.\n");
  if (path == "/-/ready")
    return health_().ready ? respond(200, "tcpdiagd is ready.\n")
                           : respond(503, not_ready_text(reports_.latest().get()));
  if (!is_asked_by_allowed_name(request)) return respond(421, kWrongName);

  if (path == "/api/v1/report")
    return report_page(request, &HttpPages::api_report_, "application/json", write_json);
  if (path == "/api/v1/findings")
    return report_page(request, &HttpPages::api_findings_, "application/json", write_findings_json);
  if (path == "/api/v1/incidents")
    return report_page(request, &HttpPages::api_incidents_, "application/json", write_incidents_json);
  if (path == "/api/v1/namespaces")
    return report_page(request, &HttpPages::api_namespaces_, "application/json", write_netns_json);
  if (path == "/") return landing(request);
  if (path == "/style.css") {
    static const auto kStyle = std::make_shared<const std::string>(landing_style());
    return respond(200, kStyle, "text/css; charset=utf-8");
  }
  return respond(404, "Not found. See / for what is here.\n");
}

HttpPages::Page HttpPages::rendered(const Report& report, const Render& render) {
  std::string plain;
  std::optional<Gzip> file;
  Page page;
  render(report, [&](std::string_view piece) {
    page.plain_size += piece.size();
    if (!file && page.plain_size <= kKeptPlainBytes) {
      plain += piece;
      return;
    }
    if (!file) file.emplace().add(std::exchange(plain, {}));
    file->add(piece);
  });
  if (file)
    page.compressed = std::make_shared<const std::string>(file->finish());
  else
    page.plain = std::make_shared<const std::string>(std::move(plain));
  return page;
}

HttpResponse HttpPages::report_page(const HttpRequest& request, Page HttpPages::* page,
                                    std::string_view content_type, const Render& render) {
  auto report = reports_.latest();
  if (!report) return respond(503, "No report yet: the daemon has just started.\n");

  const std::scoped_lock lock(mutex_);
  if (rendered_ != report) {
    rendered_ = std::move(report);
    metrics_ = api_report_ = api_findings_ = api_incidents_ = api_namespaces_ = landing_ = netns_page_ = {};
  }
  auto& [plain, compressed, plain_size] = this->*page;
  if (!plain && !compressed) this->*page = rendered(*rendered_, render);
  const bool compress = accepts_gzip(request.accept_encoding);
  if (compress && !compressed) compressed = std::make_shared<const std::string>(gzip(*plain));

  const bool as_kept = compress || plain;
  auto response = respond(200, compress || !plain ? compressed : plain, content_type);
  if (!as_kept) response.unpacked_size = plain_size;
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (compress) response.headers.emplace_back("Content-Encoding", "gzip");
  return response;
}

HttpResponse HttpPages::landing(const HttpRequest& request) {
  constexpr std::string_view kHtml = "text/html; charset=utf-8";
  const auto report = reports_.latest();
  if (report && !request.netns.empty()) {
    if (!has_netns(*report, request.netns))
      return respond(404, "No network namespace is called so. See / for those that are there.\n");
    {
      const std::scoped_lock lock(mutex_);
      if (netns_page_of_ != request.netns) netns_page_ = {};
      netns_page_of_ = request.netns;
    }
    return report_page(request, &HttpPages::netns_page_, kHtml,
                       [netns = std::string(request.netns)](const Report& latest, const TextSink& sink) {
                         sink(netns_page(latest, netns));
                       });
  }
  if (report)
    return report_page(request, &HttpPages::landing_, kHtml,
                       [](const Report& latest, const TextSink& sink) { sink(landing_page(&latest)); });
  return respond(200, std::make_shared<const std::string>(landing_page(nullptr)), kHtml);
}

}  // namespace tcpdiag
