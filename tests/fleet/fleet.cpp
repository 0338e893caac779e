// SPDX-License-Identifier: Apache-2.0
// fleet PORT HOSTS TROUBLED_OF RECORDING... -- RECORDING...: HOSTS simulated hosts on one port of the
// loopback device, the page of host N at /host/N/metrics. Each plays a recording over and over, from a moment
// of its own. The recordings in front of "--" are of healthy hosts; every TROUBLED_OF-th host plays one of
// those behind it. Says "ready" when it serves, and ends with its standard input.
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/gzip.h"
#include "exporters/http_pages.h"
#include "exporters/prometheus.h"
#include "tests/fleet/course.h"

namespace tcpdiag::fleet {
namespace {

using std::chrono::milliseconds;

/// A simulated host: which recording it plays, and since when.
struct Host {
  const Course* course;
  std::chrono::system_clock::time_point started;
  std::optional<std::chrono::system_clock::time_point> stood_still;  ///< its daemon's loop, since then

  [[nodiscard]] std::string page() const {
    return course->page(started, stood_still.value_or(std::chrono::system_clock::now()));
  }
};
using Fleet = std::vector<Host>;

// No two hosts are at the same moment of a recording.
constexpr milliseconds kApart{77'377};

/// The hosts take turns with the recordings. They are up for hours, each for another time.
Fleet make_fleet(std::size_t hosts, std::size_t troubled_of, const std::vector<Course>& healthy,
                 const std::vector<Course>& troubled) {
  const auto now = std::chrono::system_clock::now();
  Fleet fleet;
  for (std::size_t n = 0; n < hosts; ++n) {
    const bool ill = !troubled.empty() && n % troubled_of == troubled_of - 1;
    const auto& courses = ill ? troubled : healthy;
    const auto turn = ill ? n / troubled_of : n;
    fleet.push_back(
        {&courses[turn % courses.size()], now - std::chrono::hours(1) - n * kApart, std::nullopt});
  }
  if (!fleet.empty()) fleet.back().stood_still = now - std::chrono::minutes(5);
  return fleet;
}

std::optional<std::size_t> number_in(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// N of "/host/N/metrics".
std::optional<std::size_t> host_in(std::string_view path) {
  constexpr std::string_view kBefore = "/host/", kBehind = "/metrics";
  if (!path.starts_with(kBefore) || !path.ends_with(kBehind)) return std::nullopt;
  return number_in(path.substr(kBefore.size(), path.size() - kBefore.size() - kBehind.size()));
}

MHD_Result answer(void* fleet, MHD_Connection* connection, const char* path, const char*, const char*,
                  const char*, std::size_t*, void** asked) {
  if (*asked == nullptr) {  // MHD calls a first time when it has the header only
    *asked = fleet;
    return MHD_YES;
  }
  const auto& hosts = *static_cast<Fleet*>(fleet);
  const auto number = host_in(path);
  const bool found = number && *number < hosts.size();
  auto page = found ? hosts[*number].page() : std::string("there is no such host\n");
  const char* accepts = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept-Encoding");
  const bool compressed = accepts != nullptr && accepts_gzip(accepts);
  if (compressed) page = gzip(page);
  auto* response = MHD_create_response_from_buffer(page.size(), page.data(), MHD_RESPMEM_MUST_COPY);
  MHD_add_response_header(response, "Content-Type", std::string(kPrometheusContentType).c_str());
  if (compressed) MHD_add_response_header(response, "Content-Encoding", "gzip");
  const auto queued = MHD_queue_response(connection, found ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND, response);
  MHD_destroy_response(response);
  return queued;
}

int fail(const std::string& what) {
  std::fprintf(stderr, "fleet: %s\n", what.c_str());
  return 1;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 4) return fail("PORT HOSTS TROUBLED_OF RECORDING... [-- RECORDING...]");
  const auto port = number_in(arguments[0]), hosts = number_in(arguments[1]), of = number_in(arguments[2]);
  if (!port || *port > 65535 || !hosts || !of || *of == 0) return fail("a number is wrong");

  std::vector<Course> healthy, troubled;
  auto* courses = &healthy;
  for (std::size_t i = 3; i < arguments.size(); ++i) {
    if (arguments[i] == "--") {
      courses = &troubled;
      continue;
    }
    auto course = Course::of(arguments[i]);
    if (!course) return fail(course.error().detail);
    courses->push_back(std::move(*course));
  }
  if (healthy.empty()) return fail("no recording of a healthy host");
  auto fleet = make_fleet(*hosts, *of, healthy, troubled);

  sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(static_cast<std::uint16_t>(*port))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* server =
      MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, nullptr, nullptr, answer, &fleet,
                       MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT, 10'000U, MHD_OPTION_END);
  if (server == nullptr) return fail("port " + arguments[0] + ": " + std::strerror(errno));
  std::puts("ready");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  MHD_stop_daemon(server);
  return 0;
}

}  // namespace
}  // namespace tcpdiag::fleet

int main(int argc, char** argv) { return tcpdiag::fleet::run({argv + 1, argv + argc}); }
