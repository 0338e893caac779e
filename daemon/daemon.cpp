// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon.h"

#include "collectors/catalog.h"
#include "core/listen_address.h"
#include "core/text.h"
#include "core/version.h"
#include "daemon/host_names.h"
#include "daemon/loop.h"
#include "daemon/option_table.h"
#include "daemon/run_change.h"
#include "daemon/status_line.h"
#include "daemon/this_machine.h"
#include "exporters/external_url.h"
#include "exporters/listen_socket.h"

namespace tcpdiag {
namespace {

// A dump of listeners takes microseconds, and some hundred milliseconds where any user has opened 60 000 on a
// busy machine; one that does not end must not stop the loop for long.
constexpr DumpDeadlines kDeadlines{.loop = std::chrono::seconds(1), .worker = std::chrono::seconds(30)};
// A loop that has not ticked for so long is stuck, whatever the reason.
constexpr auto kStuckAfter = std::chrono::seconds(10);

CycleOptions cycle_options(const Options& options) {
  return {.collectors_off = options.collectors_off, .cpu_budget = options.cpu_budget};
}

NetnsFilter filter_of(const Options& options) {
  return {.include = options.netns_include, .exclude = options.netns_exclude};
}

Limits limits_of(const Options& options) {
  Limits limits;
  limits.listeners = options.max_listeners;
  limits.server_ports = options.max_server_ports;
  limits.processes = options.max_processes;
  return limits;
}

AllowedHosts allowed_hosts(const Options& options) {
  auto names = read_host_names();
  names.insert(names.end(), options.allowed_hosts.begin(), options.allowed_hosts.end());
  if (!options.external_url.empty()) names.emplace_back(host_of(options.external_url));
  return AllowedHosts(std::move(names));
}

HttpOptions http_options(const Options& options) {
  HttpOptions http{.listen = {},
                   .max_connections = options.max_connections,
                   .max_connections_per_ip = options.max_connections_per_ip,
                   .limits = limits_of(options),
                   .allowed_hosts = allowed_hosts(options)};
  for (const auto& text : options.listen_addresses)
    if (const auto address = parse_listen_address(text))
      http.listen.push_back(*address);  // load_options() saw to it
  return http;
}

}  // namespace

Daemon::Daemon(std::vector<std::string> arguments, Options options, Log& log, StartedBy started_by,
               Clocks clocks)
    : arguments_(std::move(arguments)),
      options_(std::move(options)),
      web_config_path_(options_.web_config_file),
      log_(log),
      finding_log_(log, std::move(started_by.journal)),
      manager_(std::move(started_by.manager)),
      sockets_(std::move(started_by.sockets)),
      clocks_(std::move(clocks)),
      cycle_(collector_catalog(), with_host(options_.namespaces),
             open_this_machine(
                 clocks_, [this] { return stopping_.load(); }, kDeadlines, netns_paths_,
                 std::move(started_by.open_door)),
             cycle_options(options_), clocks_),
      netns_watch_(cycle_, options_.namespaces, netns_paths_),
      worker_(clocks_, [this] { return stopping_.load(); }) {
  netns_watch_.set_filter(filter_of(options_));
}

Daemon::~Daemon() { stopping_ = true; }

Result<void> Daemon::run() {
  if (auto serving = serve(); !serving) return serving;
  log_.info("started", {{"version", version()}});
  auto outcome = run_loop({.tick = [this](std::uint64_t missed) { tick(missed); },
                           .reload = [this] { reload(); },
                           .finished_fd = worker_.finished_fd(),
                           .finished = [this] { finish_batch(); }});
  manager_.stopping();
  stopping_ = true;  // a dump that is running is given up, so that the worker ends
  web_config_.reset();
  server_.reset();
  worker_.stop();
  log_.info("stopped");
  return outcome;
}

Result<void> Daemon::serve() {
  last_tick_ =
      clocks_.monotonic().time_since_epoch().count();  // who asks before the first is not told of a hang
  const auto health = [this] {
    const TimePoint last_tick{TimePoint::duration(last_tick_.load())};
    return Health{.healthy = clocks_.monotonic() - last_tick < kStuckAfter, .ready = ready_.load()};
  };
  auto http = http_options(options_);
  http.clock = clocks_.monotonic;
  std::vector<FileMark> web_config_marks;
  if (!options_.web_config_file.empty()) {
    const auto file = read_web_config(options_.web_config_file, web_config_marks);
    if (!file) return tl::unexpected<Error>(file.error());
    warn_of(*file);
    http.security = file->security;
  }
  const HttpLog log{.warn = [this](const std::string& message) { log_.warn(message); },
                    .debug = [this](const std::string& message) { log_.debug(message); }};
  http.inherited = sockets_;
  auto server = HttpServer::start(http, published_, health, log);
  if (!server) return tl::unexpected<Error>(server.error());
  server_ = std::move(*server);
  for (const auto& address : server_->addresses()) log_.info("listening", {{"address", to_string(address)}});
  if (http.security)
    web_config_ = std::make_unique<WebConfigWatch>(
        options_.web_config_file, std::move(web_config_marks),
        [this](const Result<WebConfigFile>& file) { return take_web_config(file); });
  return {};
}

void Daemon::warn_of(const WebConfigFile& file) {
  for (const auto& warning : file.warnings) log_.warn(warning);
  for (const auto& warning : certificate_warnings(web_config_path_, file, clocks_.wall())) log_.warn(warning);
}

Result<void> Daemon::take_web_config(const Result<WebConfigFile>& file) {
  auto taken = file.and_then([this](const WebConfigFile& read) -> Result<void> {
    auto set = server_->set_security(read.security);
    if (!set) return unexpected(set.error().code, web_config_path_ + ": " + set.error().detail);
    return set;
  });
  if (!taken) {
    log_.error("web configuration not reloaded, the old one stays in force",
               {{"error", taken.error().detail}});
    return taken;
  }
  warn_of(*file);
  log_.info("web configuration reloaded");
  return {};
}

void Daemon::tick(std::uint64_t missed) {
  const auto now = clocks_.monotonic();
  last_tick_ = now.time_since_epoch().count();
  cycle_.count_late_ticks(missed);
  const bool publishes = now >= publish_at_;
  cycle_.run_loop_collectors(now, publishes);
  if (auto batch = cycle_.take_batch(now)) worker_.start(std::move(batch));
  if (publishes) publish();
  manager_.ticked(now);
}

void Daemon::finish_batch() {
  auto batch = worker_.take_finished();
  if (batch == nullptr) return;
  const bool news = cycle_.finish(std::move(batch));
  netns_watch_.follow();
  // With many namespaces some batch ends all the time.
  if (news) publish_at_ = std::min(publish_at_, published_at_ + kDiagnosisPeriod / 2);
}

void Daemon::publish() {
  const auto now = clocks_.monotonic();  // later than anything in the report
  cycle_.diagnose(now);
  auto report = std::make_shared<Report>(cycle_.report(now));
  netns_watch_.note_states(*report);
  server_->drop_slow(now);
  report->http = server_->usage();
  report->http->external_url = with_slash(options_.external_url);
  if (web_config_) report->http->web_config_valid = web_config_->valid();
  log_changes(*report);
  finding_log_.write(changes_between(published_.latest().get(), *report));
  manager_.status(status_line(*report));
  published_.publish(std::move(report));
  if (!announced_) manager_.ready();
  announced_ = true;
  published_at_ = now;
  publish_at_ = now + kDiagnosisPeriod;
  ready_ = ready_ || cycle_.complete();
}

void Daemon::log_changes(const Report& report) {
  const auto before = published_.latest();
  for (const auto& line :
       changes_of_runs(before ? std::span(before->runs) : std::span<const CollectorRun>(), report.runs))
    log_.write(line.level, line.message, line.fields);
}

void Daemon::reload() {
  manager_.reloading(clocks_.monotonic());
  auto options = load_options(arguments_);
  if (options) {
    apply(std::move(*options));
  } else {
    std::string_view why = options.error().text;
    log_.error("configuration not reloaded, the old one stays in force", {{"error", next_line(why)}});
  }
  manager_.ready();
}

void Daemon::apply(Options options) {
  for (const auto& key : needs_restart(options_, options))
    log_.warn("takes effect only after a restart", {{"key", key}});
  log_.configure(options.log_level, options.log_format);
  cycle_.configure(cycle_options(options));
  netns_watch_.set_filter(filter_of(options));
  server_->set_limits(limits_of(options));
  server_->set_allowed_hosts(allowed_hosts(options));
  if (web_config_) web_config_->reload();
  // What takes effect after a restart only stays as it is, so that the next reload names it again.
  for (const auto& row : option_table())
    if (row.restart) copy(row, options_, options);
  options_ = std::move(options);
  log_.info("configuration reloaded");
}

}  // namespace tcpdiag
