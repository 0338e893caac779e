// SPDX-License-Identifier: Apache-2.0
#include "exporters/metric_catalog.h"

#include <cstring>
#include <map>
#include <set>

#include "core/facts/connections.h"
#include "core/facts/processes.h"
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

/// Keeps samples as "label,label=value", by family.
class Recorded : public Samples {
 public:
  explicit Recorded(const Report& report, const Limits& limits = {}) : Samples(limits) {
    collect_samples(report, *this);
  }

  std::multimap<std::string, std::string, std::less<>> samples;

  [[nodiscard]] bool has(std::string_view family, std::string_view sample) const {
    const auto [begin, end] = samples.equal_range(family);
    return std::any_of(begin, end, [&](const auto& entry) { return entry.second == sample; });
  }

 private:
  void write(const MetricSpec& spec, bool, LabelValues labels, double value) override {
    REQUIRE(labels.size() == spec.labels.size());
    std::string text;
    for (const auto label : labels) text.append(text.empty() ? "" : ",").append(label);
    char number[32];
    std::snprintf(number, sizeof number, "=%.16g", value);
    samples.emplace(spec.name, text + number);
  }
  void write(const MetricSpec& spec, bool first, LabelValues labels, const FillHistogram& fill) override {
    REQUIRE(spec.type == MetricType::histogram);
    write(spec, first, labels, fill.sum);
  }
};

}  // namespace

TEST_CASE(
    "every metric has a name of its own with our prefix, help, a source and a type that fits its name") {
  std::set<std::string_view> names;
  for (const auto& spec : metric_catalog()) {
    CAPTURE(spec.name);
    CHECK(names.insert(spec.name).second);
    CHECK((spec.name.starts_with("tcpdiag_") || spec.name.starts_with("process_")));
    CHECK(spec.name.ends_with("_total") == (spec.type == MetricType::counter));
    CHECK(spec.help.ends_with('.'));
    CHECK_FALSE(spec.source.empty());
    CHECK((spec.fill == nullptr) == (spec.tcp_counter != nullptr));
  }
}

TEST_CASE("the rows of a group stand together") {
  std::set<std::string_view> groups;
  std::string_view last;
  for (const auto& spec : metric_catalog()) {
    if (spec.group == last) continue;
    CHECK(groups.insert(spec.group).second);
    last = spec.group;
  }
}

TEST_CASE("every TCP counter fills exactly one metric") {
  constexpr auto kMembers = sizeof(TcpCounters) / sizeof(Count);
  static_assert(kMembers * sizeof(Count) == sizeof(TcpCounters));
  for (std::size_t member = 0; member < kMembers; ++member) {
    TcpCounters counters;
    const Count one = 1;
    std::memcpy(reinterpret_cast<char*>(&counters) + member * sizeof(Count), &one, sizeof one);
    Report report;
    report.snapshot.namespaces.push_back({.name = "host"});
    report.snapshot.namespaces[0].tcp.value = std::make_shared<const TcpCounters>(counters);
    const Recorded recorded(report);
    std::size_t filled = 0;
    for (const auto& spec : metric_catalog())
      if (spec.tcp_counter != nullptr) filled += recorded.samples.count(std::string(spec.name));
    CAPTURE(member);
    CHECK(filled == 1);
  }
}

TEST_CASE("a full report has samples of every metric, apart from counters that its kernel lacks") {
  const auto report = sample_report();
  const Recorded recorded(report);
  for (const auto& spec : metric_catalog()) {
    if (spec.tcp_counter != nullptr || spec.name == "tcpdiag_conntrack_early_drops_total") continue;
    CAPTURE(spec.name);
    CHECK(recorded.samples.contains(spec.name));
  }
  CHECK(recorded.has("tcpdiag_tcp_listen_overflows_total", "host=392"));
  CHECK_FALSE(recorded.samples.contains("tcpdiag_tcp_out_rsts_total"));
  CHECK_FALSE(recorded.samples.contains("tcpdiag_conntrack_early_drops_total"));
}

TEST_CASE("the queue of a listener is that of its fullest member") {
  const auto report = sample_report();
  const Recorded recorded(report);
  CHECK(recorded.has("tcpdiag_listener_queue_length", "host,0.0.0.0,80=129"));
  CHECK(recorded.has("tcpdiag_listener_queue_limit", "host,0.0.0.0,80=128"));
  CHECK(recorded.has("tcpdiag_listener_sockets", "host,0.0.0.0,80=2"));
  CHECK(recorded.has("tcpdiag_listener_half_open", "host,0.0.0.0,80=9"));
}

TEST_CASE("a listener newer than the latest dump has no half-open connections, not zero of them") {
  auto report = sample_report();
  auto connections = *report.snapshot.namespaces[0].connections.get();
  connections.half_open.pop_back();
  report.snapshot.namespaces[0].connections.value = std::make_shared<const Connections>(connections);
  CHECK(Recorded(report).samples.count("tcpdiag_listener_half_open") == 1);
}

TEST_CASE("a listener is shown with its owner, and without labels when nobody knows it") {
  auto report = sample_report();
  CHECK(Recorded(report).has("tcpdiag_listener_info", "host,::,22,sshd,ssh.service=1"));
  report.snapshot.processes.value = unexpected(Errc::denied, "/proc: Permission denied");
  CHECK(Recorded(report).has("tcpdiag_listener_info", "host,::,22,,=1"));
}

TEST_CASE("connections show every state of a port, zero included, and listen never") {
  const auto report = sample_report();
  const Recorded recorded(report);
  CHECK(recorded.has("tcpdiag_connections", "host,server,80,close_wait=12"));
  CHECK(recorded.has("tcpdiag_connections", "host,server,22,closing=0"));
  CHECK(recorded.has("tcpdiag_connections", "host,client,443,established=5"));
  CHECK(recorded.has("tcpdiag_connections", "host,client,other,time_wait=7"));
  CHECK(recorded.samples.count("tcpdiag_connections") == 4 * 10);
}

TEST_CASE("what would say nothing but zero of a namespace that was found has no series") {
  auto report = sample_report();
  auto& blue = report.snapshot.namespaces[1];
  const auto show = [&](std::uint64_t looks_that_found_some, std::uint32_t established) {
    auto listener = report.snapshot.namespaces[0].listeners.get()->listeners.front();
    listener.endpoint.port = 81;
    listener.fill = {};
    listener.fill.samples[0] = 100;
    listener.fill.samples[2] = looks_that_found_some;
    blue.listeners.value = std::make_shared<const Listeners>(Listeners{.listeners = {listener}});
    Connections connections{.server = {{.port = 81}}};
    connections.server[0].by_state[static_cast<std::size_t>(TcpState::listen)] = 1;
    connections.server[0].by_state[static_cast<std::size_t>(TcpState::established)] = established;
    blue.connections.value = std::make_shared<const Connections>(std::move(connections));
    const Recorded recorded(report);
    CHECK(recorded.has("tcpdiag_connections_unaccepted", "blue,81=0"));  // what is looked for stays
    const auto of_blue = [&](std::string_view family) {
      const auto [begin, end] = recorded.samples.equal_range(family);
      return std::count_if(begin, end, [](const auto& entry) { return entry.second.starts_with("blue,"); });
    };
    return std::pair(of_blue("tcpdiag_listener_queue_fill_ratio"), of_blue("tcpdiag_connections"));
  };
  CHECK(show(0, 0) == std::pair<std::ptrdiff_t, std::ptrdiff_t>(0, 0));
  CHECK(show(1, 2) == std::pair<std::ptrdiff_t, std::ptrdiff_t>(1, 10));
  blue.generation = 0;  // configured
  CHECK(show(0, 0) == std::pair<std::ptrdiff_t, std::ptrdiff_t>(1, 20));
}

TEST_CASE("the oldest CLOSE_WAIT is told by role and port, rare remote ports as other") {
  const auto report = sample_report();
  const Recorded recorded(report);
  CHECK(recorded.samples.count("tcpdiag_close_wait_oldest_seconds") == 3);
  CHECK(recorded.has("tcpdiag_close_wait_oldest_seconds", "host,server,80=90"));
  CHECK(recorded.has("tcpdiag_close_wait_oldest_seconds", "host,client,443=1.5"));
  CHECK(recorded.has("tcpdiag_close_wait_oldest_seconds", "host,client,other=0"));
}

TEST_CASE("ephemeral ports leave out reserved ones") {
  const auto report = sample_report();
  const Recorded recorded(report);
  CHECK(recorded.has("tcpdiag_ephemeral_ports", "host=28220"));
  CHECK(recorded.has("tcpdiag_ephemeral_ports_used_max", "host=5"));
}

TEST_CASE("a sysctl shows its numbers by field, or its word") {
  const auto report = sample_report();
  const Recorded recorded(report);
  CHECK(recorded.has("tcpdiag_sysctl", "host,net.core.somaxconn,=4096"));
  CHECK(recorded.has("tcpdiag_sysctl", "host,net.ipv4.tcp_rmem,max=6291456"));
  CHECK(recorded.has("tcpdiag_sysctl", "host,net.ipv4.ip_local_reserved_ports,ports=13"));
  CHECK(recorded.has("tcpdiag_sysctl_info", "host,net.ipv4.tcp_congestion_control,cubic=1"));
  CHECK(recorded.samples.count("tcpdiag_sysctl_info") == 1);
}

TEST_CASE("processes of one name and unit are shown as the fullest of them") {
  const auto report = sample_report();
  const Recorded recorded(report);
  CHECK(recorded.has("tcpdiag_process_open_fds", "nginx,nginx.service=1000"));
  CHECK(recorded.samples.count("tcpdiag_process_open_fds") == 3);
}

TEST_CASE("findings that are open are shown with what they are about") {
  const auto report = sample_report();
  const Recorded recorded(report);
  CHECK(recorded.samples.count("tcpdiag_finding_active") == 3);
  CHECK(recorded.has("tcpdiag_finding_active", "accept-queue-app-stalled,critical,host,0.0.0.0:80=1"));
  CHECK(recorded.has("tcpdiag_finding_active", "ephemeral-ports-low,warning,blue,[2001:db8::9]:5432=1"));
  CHECK(recorded.has("tcpdiag_finding_active", "sysctl-somaxconn-low,info,,net.core.somaxconn=1"));
}

TEST_CASE("a finding that is open says who it is about, and the numbers that prove it") {
  const auto report = sample_report();
  const Recorded recorded(report);
  CHECK(recorded.samples.count("tcpdiag_finding_info") == 3);
  CHECK(recorded.has("tcpdiag_finding_info",
                     "accept-queue-app-stalled,host,0.0.0.0:80,nginx,800,nginx.service,80=1"));
  CHECK(recorded.has("tcpdiag_finding_info", "sysctl-somaxconn-low,,net.core.somaxconn,,,,=1"));
  CHECK(recorded.has("tcpdiag_finding_evidence",
                     "accept-queue-app-stalled,host,0.0.0.0:80,ListenOverflows,events recently=392"));
  CHECK(recorded.has("tcpdiag_finding_evidence",
                     "accept-queue-app-stalled,host,0.0.0.0:80,listen backlog,as limit=128"));
  CHECK(recorded.has("tcpdiag_finding_evidence",
                     "ephemeral-ports-low,blue,[2001:db8::9]:5432,local ports in use,ports now=23100"));
}

TEST_CASE("numbers of the same name and unit are one series of a finding") {
  auto report = sample_report();
  auto& finding = report.incidents[0].finding;
  finding.evidence = {
      {"dropped", 1, "events", {}}, {"dropped", 2, "events", {}}, {"dropped", 3, "packets", {}}};
  const Recorded recorded(report);
  const std::string about = "accept-queue-app-stalled,host,0.0.0.0:80,dropped,";
  CHECK(recorded.has("tcpdiag_finding_evidence", about + "events now=1"));
  CHECK_FALSE(recorded.has("tcpdiag_finding_evidence", about + "events now=2"));
  CHECK(recorded.has("tcpdiag_finding_evidence", about + "packets now=3"));
}

TEST_CASE("a long name of a process is cut in a label, and not within a character") {
  auto report = sample_report();
  report.incidents[0].finding.subject.process = std::string(127, 'a') + "\xc3\xa9";
  CHECK(Recorded(report).has("tcpdiag_finding_info", "accept-queue-app-stalled,host,0.0.0.0:80," +
                                                         std::string(127, 'a') + ",800,nginx.service,80=1"));
}

TEST_CASE("a finding that came again on a subject within an hour says how often, each subject by itself") {
  auto report = sample_report();
  const auto now = report.at;
  auto incident = report.incidents[0];
  report.incidents.clear();
  const auto opened = [&](std::uint16_t port, std::chrono::minutes ago, const char* closed_by = "") {
    incident.finding.subject.port = port;
    incident.opened.at = now - ago;
    incident.closed = incident.opened;
    incident.closed_by = closed_by;
    report.incidents.push_back(incident);
  };
  using std::chrono::minutes;
  for (const auto ago : {minutes(1), minutes(30), minutes(59), minutes(60), minutes(90)}) opened(80, ago);
  opened(80, minutes(2), "fd-limit-reached");
  opened(81, minutes(3));
  const Recorded recorded(report);
  CHECK(recorded.samples.count("tcpdiag_finding_opened_last_hour") == 1);
  CHECK(recorded.has("tcpdiag_finding_opened_last_hour", "accept-queue-app-stalled,host,0.0.0.0:80=3"));
}

TEST_CASE("links to the page need the URL that is configured, or else the scheme") {
  auto report = sample_report();
  CHECK(Recorded(report).has("tcpdiag_web_info", "https://web1.example.com/tcpdiag/,https=1"));
  report.http->external_url.clear();
  report.http->certificate_expires.reset();
  CHECK(Recorded(report).has("tcpdiag_web_info", "http=1"));  // no external URL
  report.http.reset();
  CHECK(Recorded(report).samples.count("tcpdiag_web_info") == 0);
}

TEST_CASE("every rule says how often it found something, and whether it can tell") {
  const auto report = sample_report();
  const Recorded recorded(report);
  CHECK(recorded.has("tcpdiag_findings_opened_total", "syn-queue-overflow=7"));
  CHECK(recorded.has("tcpdiag_findings_opened_total", "conntrack-full=0"));
  CHECK(recorded.samples.count("tcpdiag_findings_opened_total") == report.rules.size());
  CHECK(recorded.has("tcpdiag_finding_unknown", "syn-queue-overflow=0"));
  CHECK(recorded.has("tcpdiag_finding_unknown", "conntrack-full=1"));
  CHECK(recorded.samples.count("tcpdiag_finding_unknown") == report.rules.size());
}

TEST_CASE("of more findings than the limit the first ones, the worst, are shown and the rest counted") {
  const auto report = sample_report();
  const Recorded recorded(report, {.findings = 1});
  CHECK(recorded.samples.count("tcpdiag_finding_active") == 1);
  CHECK(recorded.has("tcpdiag_finding_active", "accept-queue-app-stalled,critical,host,0.0.0.0:80=1"));
  CHECK(recorded.has("tcpdiag_samples_cut", "tcpdiag_finding_active=2"));
}

TEST_CASE("what the daemon may not read has no sample, and its collectors no success") {
  const auto report = report_of_errors();
  const Recorded recorded(report);
  CHECK(recorded.has("tcpdiag_collector_success", "netstat,host=0"));
  CHECK(recorded.has("tcpdiag_collector_success", "softnet,=0"));
  CHECK(recorded.samples.count("tcpdiag_collector_duration_seconds") == 1);  // softnet has not run
  CHECK_FALSE(recorded.samples.contains("tcpdiag_collector_age_seconds"));
  std::set<std::string> families;
  for (const auto& [family, sample] : recorded.samples) families.insert(family);
  CHECK(families == std::set<std::string>{"tcpdiag_build_info", "tcpdiag_collector_cpu_seconds",
                                          "tcpdiag_collector_duration_seconds",
                                          "tcpdiag_collector_period_seconds", "tcpdiag_collector_success",
                                          "tcpdiag_loop_late_ticks_total", "tcpdiag_netns_watched",
                                          "tcpdiag_report_timestamp_seconds", "tcpdiag_samples_cut"});
}

TEST_CASE("a report of nothing at all can be shown") {
  const Report report;
  CHECK(Recorded(report).has("tcpdiag_loop_late_ticks_total", "=0"));
}

TEST_CASE("what is beyond the limits is left out and counted") {
  const auto report = sample_report();
  const Recorded recorded(report, {.listeners = 1, .server_ports = 1, .processes = 2, .samples = 45});
  CHECK(recorded.samples.count("tcpdiag_listener_queue_length") == 1);
  CHECK(recorded.has("tcpdiag_samples_cut", "tcpdiag_listener_queue_length=1"));
  CHECK(recorded.samples.count("tcpdiag_connections") == 3 * 10);
  CHECK(recorded.has("tcpdiag_samples_cut", "tcpdiag_connections=10"));
  CHECK(recorded.samples.count("tcpdiag_process_open_fds") == 2);
  CHECK(recorded.has("tcpdiag_process_open_fds", "nginx,nginx.service=1000"));
  CHECK(recorded.has("tcpdiag_samples_cut", "tcpdiag_process_open_fds=1"));
  CHECK(recorded.has("tcpdiag_samples_cut", "tcpdiag_sysctl=0"));
}

TEST_CASE("with more listeners than the limit, the one in trouble is shown, whatever its port") {
  Report report;
  Listeners listeners;
  Connections connections;
  for (const auto port : std::initializer_list<std::uint16_t>{80, 443, 8080, 40000, 40001}) {
    listeners.listeners.push_back(sample_listener("0.0.0.0", port, port == 40000 ? 129 : 0, 128, port));
    listeners.listeners.back().peak_length = 0;
    connections.server.push_back({.port = port, .unaccepted = port == 8080 ? 1u : 0u});
  }
  report.snapshot.namespaces.push_back({.name = "host"});
  auto& host = report.snapshot.namespaces[0];
  host.connections.value = std::make_shared<const Connections>(connections);

  const auto ports_with = [&](Listener changed) {
    auto all = listeners;
    all.listeners[4] = std::move(changed);
    host.listeners.value = std::make_shared<const Listeners>(all);
    std::string ports;
    const Recorded recorded(report, {.listeners = 2});
    const auto [begin, end] = recorded.samples.equal_range("tcpdiag_listener_sockets");
    for (auto sample = begin; sample != end; ++sample) ports += sample->second + " ";
    CHECK(recorded.has("tcpdiag_samples_cut", "tcpdiag_listener_sockets=3"));
    return ports;
  };
  auto last = listeners.listeners[4];
  CHECK(ports_with(last) == "host,0.0.0.0,80=1 host,0.0.0.0,40000=1 ");
  last.drops = 0;
  CHECK(ports_with(last) == "host,0.0.0.0,80=1 host,0.0.0.0,40000=1 ");
  last.drops = 1;
  CHECK(ports_with(last) == "host,0.0.0.0,40000=1 host,0.0.0.0,40001=1 ");
  last.drops.reset();
  last.peak_length = 7;
  CHECK(ports_with(last) == "host,0.0.0.0,40000=1 host,0.0.0.0,40001=1 ");

  const Recorded recorded(report, {.server_ports = 3});
  CHECK(recorded.samples.count("tcpdiag_connections_unaccepted") == 3);
  for (const auto* shown : {"host,8080=1", "host,40000=0", "host,40001=0"})
    CHECK(recorded.has("tcpdiag_connections_unaccepted", shown));
}

TEST_CASE("no family has more samples than the limit, whatever it is about") {
  const auto report = sample_report();
  const Recorded recorded(report, {.samples = 1});
  for (const auto& spec : metric_catalog()) CHECK(recorded.samples.count(std::string(spec.name)) <= 1);
  CHECK(recorded.has("tcpdiag_tcp_active_opens_total", "host=13"));
}

TEST_CASE("names of any bytes give no two samples with the same labels") {
  auto report = hostile_report();
  auto processes = *report.snapshot.processes.get();
  processes.processes[0].comm = "x\xff";
  processes.processes[1].comm = "x\\xff";  // shown alike
  processes.processes[0].owner = processes.processes[1].owner = {};
  report.snapshot.processes.value = std::make_shared<const Processes>(processes);
  for (const auto* name : {"x\xff", "x\\xff"}) {
    report.incidents.push_back(report.incidents[0]);
    report.incidents.back().finding.netns = name;
  }
  const Recorded recorded(report);
  std::set<std::pair<std::string, std::string>> series;
  for (const auto& [family, sample] : recorded.samples)
    CHECK(series.emplace(family, sample.substr(0, sample.rfind('='))).second);
}
