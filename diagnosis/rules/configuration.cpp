// SPDX-License-Identifier: Apache-2.0
// The lint of what configures the host: keys that do nothing, limits that cannot be given, namespaces whose
// settings are not the host's.
#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "core/facts/listeners.h"
#include "core/file_limit.h"
#include "core/nearest_name.h"
#include "core/sysctls.h"
#include "core/text.h"
#include "core/utf8.h"
#include "diagnosis/container_settings.h"
#include "diagnosis/entry.h"
#include "diagnosis/evidence.h"
#include "diagnosis/own_addresses.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/setting_facts.h"
#include "diagnosis/unseen_processes.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

// A key that kernels had once.
struct GoneKey {
  std::string_view name, what;
};
constexpr GoneKey kGone[] = {
    {"net.ipv4.tcp_tw_recycle",
     "Linux 4.12 removed it because it broke clients behind NAT; nothing replaces it"},
    {"net.ipv4.ip_conntrack_max", "it is net.netfilter.nf_conntrack_max now"},
    {"net.ipv4.netfilter.ip_conntrack_max", "it is net.netfilter.nf_conntrack_max now"},
};

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

// What the kernel has: of the sysctls that we know, and of those that the files name.
std::vector<std::string> present_keys(const Settings& settings, const HostConfig& config) {
  std::vector<std::string> names;
  names.reserve(settings.sysctls.size() + config.sysctls.size());
  for (const auto& sysctl : settings.sysctls) names.emplace_back(sysctl.name);
  for (const auto& line : config.sysctls)
    if (line.exists == true && !line.excludes) names.push_back(line.name);
  return names;
}

// The key that somebody has written in capitals or as a path, "/proc/sys/net/ipv4/tcp_ecn".
std::string as_key(std::string_view name) {
  std::string key(name);
  std::ranges::transform(key, key.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == '/' ? '.' : c;
  });
  constexpr std::string_view kPath = "proc.sys.";
  return key.starts_with(kPath) ? key.substr(kPath.size()) : key;
}

// The sysctl of ours that somebody has written so, or without its beginning, as "tcp_syncookies". Empty:
// there is none.
std::string_view misplaced_key(std::string_view name) {
  if (find_sysctl(name) != nullptr) return {};
  const auto key = as_key(name);
  for (const auto& spec : sysctl_table())
    if (spec.name == key || spec.name.ends_with("." + key)) return spec.name;
  return {};
}

// The key that was probably meant: one whose last part is the same or nearly. Empty: none is near.
std::string meant_key(std::string_view name, const std::vector<std::string>& present) {
  const auto key = misplaced_key(name);
  if (!key.empty() && std::ranges::find(present, key) != present.end()) return std::string(key);
  auto otherwise = as_key(name);
  if (otherwise != name && name.find('/') == std::string_view::npos) return otherwise;
  std::vector<std::string> parts;
  parts.reserve(present.size());
  for (const auto& one : present) parts.emplace_back(last_part(one));
  const auto near = nearest_name(last_part(name), parts);
  if (near.empty()) return {};
  return present[static_cast<std::size_t>(std::ranges::find(parts, near) - parts.begin())];
}

bool has_any(std::string_view name, std::initializer_list<std::string_view> beginnings) {
  return std::ranges::any_of(beginnings,
                             [&](std::string_view beginning) { return name.starts_with(beginning); });
}

// Whether a key that is not there is a mistake. Files of packages name keys of other kernels on purpose; a
// key of a module, of another namespace or of IPv6 comes and goes.
bool is_worth_a_word(const SysctlLine& line, bool has_ipv6) {
  constexpr std::size_t kLongest = 128;
  if (line.exists != false || line.excludes || line.name.size() > kLongest) return false;
  if (has_any(line.file, {"/usr/lib/", "/lib/"})) return false;
  const auto key = as_key(line.name);
  if (has_any(key, {"net.ipv4.vs.", "net.ipv4.neigh.", "net.ipv6.neigh."})) return false;
  if (key.starts_with("net.ipv6.")) return has_ipv6 && !last_part(key).starts_with("nf_");
  return has_any(key, {"net.core.", "net.ipv4.", "fs."}) || !misplaced_key(line.name).empty();
}

Facts unknown_key_facts(const SysctlLine& line, const std::vector<std::string>& present) {
  Facts facts{.subject = {.kind = SubjectKind::setting, .name = line.name}, .severity = Severity::info};
  add_reading(facts, one_line(line.file), line.line, "line");
  facts.values["place"] = place_of(line);
  facts.values["file"] = one_line(line.file);
  facts.values["path"] = line.file;
  facts.values["line"] = std::to_string(line.line);
  const auto* gone = std::ranges::find(kGone, line.name, &GoneKey::name);
  if (gone != std::end(kGone)) {
    facts.values["gone"] = gone->what;
    if (line.name.ends_with("tcp_tw_recycle")) facts.values["tw_recycle"] = line.name;
    return facts;
  }
  const auto meant = meant_key(line.name, present);
  if (meant.empty()) return facts;
  facts.severity = Severity::warning;
  facts.values["meant"] = meant;
  facts.values["right_value"] = single_blanks(line.value);
  return facts;
}

Verdict unknown_key(const Window& window, const Thresholds& t) {
  const auto config = window.latest(&Snapshot::config);
  if (!config) return Verdict::unknown(config.error());
  const auto settings = window.latest(&NetnsView::settings);
  if (!settings) return Verdict::unknown(settings.error());
  // Other namespaces lack keys that the kernel has, and nobody applies the files in them.
  const bool first_netns = (*settings)->find("net.ipv4.tcp_max_orphans") != nullptr;
  if (!first_netns) return Verdict::clear();
  const bool has_ipv6 = (*settings)->find("net.ipv6.neigh.default.gc_thresh3") != nullptr;
  const auto present = present_keys(**settings, **config);
  std::vector<Facts> found;
  std::set<std::string_view> names;
  for (const auto& line : (*config)->sysctls) {
    if (found.size() == t.unknown_keys_max) break;
    if (!is_worth_a_word(line, has_ipv6) || !names.insert(line.name).second) continue;
    auto facts = unknown_key_facts(line, present);
    const bool a_modules = line.name.starts_with("fs.");  // those of file systems, unless it is nearly ours
    if (!a_modules || facts.values.contains("meant")) found.push_back(std::move(facts));
  }
  if (found.empty() && !(*config)->unread_sysctls.empty())
    return Verdict::unknown((*config)->unread_sysctls.front());
  return Verdict::found(std::move(found));
}

// The larger of "SOFT:HARD"; empty for "infinity", which asks for as much as there may be.
std::optional<std::int64_t> files_asked_for(std::string_view value) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto limit = parse_file_limit_value(value);
  const auto most = limit ? limit->most() : std::nullopt;
  return most ? std::optional(static_cast<std::int64_t>(std::min(*most, kMost))) : std::nullopt;
}

// Those of the units that run, and the one for units that have none.
std::vector<UnitFileLimit> unit_limits(const HostConfig& config) {
  auto limits = config.file_limits;
  if (config.default_file_limit) limits.push_back(*config.default_file_limit);
  return limits;
}

// sysctl_nr_open_max (fs/file.c): INT_MAX, a multiple of the bits of a long.
constexpr std::int64_t kMostNrOpen = 2147483584;

Verdict nr_open_below_unit(const Window& window, const Thresholds&) {
  constexpr std::string_view kNrOpen = "fs.nr_open";
  const auto nr_open = window.setting(kNrOpen);
  if (!nr_open) return Verdict::unknown(nr_open.error());
  const auto config = window.latest(&Snapshot::config);
  if (!config) return Verdict::unknown(config.error());
  const auto processes = window.latest(&Snapshot::processes);  // whose units these are
  if (!processes) return Verdict::unknown(processes.error());
  const UnitFileLimit* worst = nullptr;
  std::int64_t most = *nr_open;
  std::uint64_t others = 0;
  const auto limits = unit_limits(**config);
  for (const auto& limit : limits) {
    const auto asked = files_asked_for(limit.value);
    if (!asked || *asked <= *nr_open) continue;
    ++others;
    if (*asked <= most) continue;
    most = *asked;
    worst = &limit;
  }
  if (worst == nullptr) {
    if (!(*config)->unread.empty()) return Verdict::unknown((*config)->unread.front());
    return Verdict::clear().in_part(unseen_processes(**processes));
  }
  auto facts = setting_facts(window, kNrOpen, std::to_string(std::min(most, kMostNrOpen)));
  if (!worst->unit.empty()) facts.subject.owner = system_unit(worst->unit);
  const auto who = worst->unit.empty() ? std::string("DefaultLimitNOFILE") : one_line(worst->unit);
  add_reading(facts, worst->unit.empty() ? who : "LimitNOFILE of " + who, most, "files");
  facts.values["asked"] = std::to_string(most);
  facts.values["who"] = who;
  facts.values[worst->unit.empty() ? ValueName("default_setting") : ValueName("unit_setting")] =
      "LimitNOFILE=";
  facts.values["unit_place"] = one_line(worst->file) + ":" + std::to_string(worst->line);
  if (others > 1) facts.values["others"] = std::to_string(others - 1);
  return Verdict::found({facts}).in_part(unseen_processes(**processes));
}

Verdict nr_open_below_login(const Window& window, const Thresholds&) {
  constexpr std::string_view kNrOpen = "fs.nr_open";
  const auto nr_open = window.setting(kNrOpen);
  if (!nr_open) return Verdict::unknown(nr_open.error());
  const auto config = window.latest(&Snapshot::config);
  if (!config) return Verdict::unknown(config.error());
  const LoginFileLimit* worst = nullptr;
  std::int64_t most = *nr_open;
  for (const auto& limit : (*config)->login_limits) {
    const auto asked = to_number<std::int64_t>(limit.value);
    if (!asked || *asked <= most) continue;
    most = *asked;
    worst = &limit;
  }
  if (worst == nullptr) return Verdict::clear();
  auto facts = setting_facts(window, kNrOpen, std::to_string(std::min(most, kMostNrOpen)));
  add_reading(facts, "nofile of " + one_line(worst->domain), most, "files");
  facts.values["asked"] = std::to_string(most);
  facts.values["domain"] = one_line(worst->domain);
  if (worst->type == "soft") facts.values.flag("soft");
  if (worst->type == "hard") facts.values.flag("hard");
  facts.values["login_file"] = one_line(worst->file);
  facts.values["login_line"] = std::to_string(worst->line);
  return Verdict::found({facts});
}

// One of a namespace's settings that is not the host's.
struct Difference {
  const Sysctl* here;
  const Sysctl* host;
};

constexpr std::size_t kLongestShown = 32;

std::string shown(const Sysctl& sysctl) {
  auto text = sysctl.text.substr(0, kLongestShown);
  std::ranges::replace(text, '\t', ' ');
  return sysctl.text.size() <= kLongestShown ? text : text + "...";
}

// The host's values as words for a container: {pairs} and {flags} one on each line, {list} in one. A value
// that is too long to be shown is left out, and a list of ports, whose commas YAML takes for its own.
void add_wanted(Facts& facts, const std::vector<Difference>& shown_ones) {
  std::string pairs, flags, list;
  for (const auto& [in_netns, in_host] : shown_ones) {
    if (in_host->text.size() > kLongestShown || in_host->text.find(',') != std::string::npos) continue;
    const auto pair = std::string(in_host->name) + "=" + shown(*in_host);
    const bool is_first = pairs.empty();
    pairs += (is_first ? "" : "\n") + pair;
    flags += (is_first ? "--sysctl\n" : "\n--sysctl\n") + pair;
    list += (is_first ? "" : ", ") + pair;
  }
  if (pairs.empty()) return;
  facts.values["pairs"] = pairs;
  facts.values["flags"] = flags;
  facts.values["list"] = list;
}

// Those that follow from the size of the table of connections differ where a namespace has a table of its
// own.
bool follows_from_table(std::string_view name) {
  constexpr std::array<std::string_view, 3> kNames = {
      "net.ipv4.tcp_ehash_entries", "net.ipv4.tcp_max_tw_buckets", "net.ipv4.tcp_max_syn_backlog"};
  return std::ranges::find(kNames, name) != kNames.end();
}

std::vector<Difference> differences(const Settings& here, const Settings& host) {
  const auto* table_here = here.find("net.ipv4.tcp_ehash_entries");
  const auto* table_host = host.find("net.ipv4.tcp_ehash_entries");
  const bool own_table = table_here != nullptr && table_host != nullptr && !table_here->values.empty() &&
                         table_here->values.front() > 0;
  std::vector<Difference> found;
  auto host_next = host.sysctls.begin();
  for (const auto& sysctl : here.sysctls) {  // both are in the order of the table
    const auto same = std::find_if(host_next, host.sysctls.end(),
                                   [&](const Sysctl& other) { return other.name == sysctl.name; });
    if (same == host.sysctls.end()) continue;
    host_next = same;
    const auto* spec = find_sysctl(sysctl.name);
    if (spec == nullptr || spec->scope != SysctlScope::netns || sysctl.text == same->text) continue;
    if (sysctl.name == "net.ipv4.tcp_ehash_entries" || (own_table && follows_from_table(sysctl.name)))
      continue;
    found.push_back({&sysctl, &*same});
  }
  return found;
}

// Whether something listens that others can reach; not known is yes.
bool serves_others(const Window& window) {
  const auto listeners = window.latest(&NetnsView::listeners);
  return !listeners || std::ranges::any_of((*listeners)->listeners, [](const Listener& listener) {
    return !is_loopback(listener.endpoint.address);
  });
}

Verdict netns_mismatch(const Window& window, const Thresholds& t) {
  if (window.netns().name == kHostNetns) return Verdict::clear();
  const auto host = window.host_netns().latest(&NetnsView::settings);
  if (!host) return Verdict::unknown(host.error());
  const auto here = window.latest(&NetnsView::settings);
  if (!here) return Verdict::unknown(here.error());
  const auto found = differences(**here, **host);
  if (found.empty() || (window.netns().generation != 0 && !serves_others(window))) return Verdict::clear();
  Facts facts;
  const auto all = found.size();
  const std::vector<Difference> kept(
      found.begin(),
      found.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(all, t.netns_differences_max)));
  std::string differences_text;
  for (const auto& [in_netns, in_host] : kept) {
    const std::string name(in_host->name);
    differences_text += (differences_text.empty() ? "" : ", ") + name + " " + shown(*in_netns) + " (host " +
                        shown(*in_host) + ")";
    if (in_netns->values.size() == 1) add_reading(facts, name, in_netns->values.front(), "");
  }
  add_wanted(facts, kept);
  facts.values["differences"] = differences_text;
  if (all > kept.size()) facts.values["more"] = std::to_string(all - kept.size());
  const auto* container = found_as(window.newest(), window.netns());
  if (container == nullptr || !can_last(*container)) facts.values["container"] = "docker run, podman run";
  facts.alike = differences_text + " " + std::to_string(all);
  return Verdict::found({facts});
}

constexpr std::string_view kFamily = "Settings";

constexpr auto kUnknownKeyAdvice = std::to_array<AdviceText>({
    {"Correct line {line} of {file}, if {meant} is meant.", "{meant} = {right_value}",
     "The value takes effect at the next boot, or at once with sysctl --system.",
     "The value has had no effect so far: consider what it will change.", CommandKind::file_line},
    {"Remove line {line} of {file}, or make it a comment.", "sed -i '{line}s/^/# /' {path}",
     "No one relies on it any more.", ""},
});
constexpr std::string_view kUnknownKeyNot[] = {
    "Another kernel that still has {tw_recycle}: it broke clients behind NAT. net.ipv4.tcp_tw_reuse is no "
    "replacement: it helps connect() only."};

constexpr auto kNrOpenAdvice = std::to_array<AdviceText>({
    {"Raise fs.nr_open, then restart [{unit}|the units].", "sysctl -w {setting}={wanted}",
     "[{unit}|Each of them] may open {asked} files.",
     "None by itself: it is only the highest that a limit can be."},
    {"Make it permanent.", "echo '{setting} = {wanted}' >> /etc/sysctl.d/zz-tcp.conf",
     "It is set before units start.", ""},
    {"Or ask for less, if {unit} does not need that many ({unit_place}).", "{unit_setting}{value}",
     "The unit gets what it asks for.", "", CommandKind::file_line},
    {"Or ask for less, if units do not need that many ({unit_place}).", "Default{default_setting}{value}",
     "The units get what it asks for.", "", CommandKind::file_line},
});
constexpr std::string_view kNrOpenNot[] = {"/etc/security/limits.conf: it is for logins, not for services.",
                                           "fs.file-max: it limits all processes together, not one."};

constexpr auto kLoginAdvice = std::to_array<AdviceText>({
    {"Raise fs.nr_open.", "sysctl -w {setting}={wanted}", "Logins get the limit.",
     "None by itself: it is only the highest that a limit can be."},
    {"Make it permanent.", "echo '{setting} = {wanted}' >> /etc/sysctl.d/zz-tcp.conf",
     "It is set before anyone can log in.", ""},
    {"Or ask for less for {domain} in line {login_line} of {login_file}.",
     "[soft{?soft}|hard{?hard}|-] nofile {value}", "Logins get what the line asks for.", "",
     CommandKind::file_line},
});
constexpr std::string_view kLoginNot[] = {"LimitNOFILE= of a service: it has nothing to do with logins.",
                                          "fs.file-max: it limits all processes together, not one."};

constexpr std::string_view kTunedEffect =
    "Its listeners and connections have the limits that the host was tuned for.";
constexpr auto kMismatchAdvice = std::to_array<AdviceText>({
    {"If {netns} should have the host's values, set them in it at once.", "sysctl -w {pairs*}",
     "New connections have them; a listener keeps its backlog until it calls listen() again.",
     "They are gone when the namespace is."},
    {"To make them last, add them to service {compose_service} in the compose file, then bring the service "
     "up again.",
     "sysctls: \\[{list}\\]", kTunedEffect, "Its connections are closed.", CommandKind::file_line},
    {"{?of_run}To make them last, make container {netns} again with these options of {runtime} run.",
     "{flags*}", kTunedEffect, "Its connections are closed."},
    {"{?of_a_pod}To make them last, give them to pod {netns} under spec: securityContext: sysctls: in the "
     "template that makes it: {list}.",
     "", kTunedEffect,
     "Kubernetes counts most of them as unsafe: the pod does not start unless the kubelet runs with "
     "--allowed-unsafe-sysctls."},
    {"{?boots}To make them last, put them into a file in /etc/sysctl.d inside of {netns}, one on each line: "
     "{list}.",
     "", kTunedEffect, ""},
    {"If this is a container, give them to it when it starts ({container}; in Kubernetes "
     "securityContext.sysctls).",
     "{flags*}", kTunedEffect,
     "Kubernetes allows some of them only if the kubelet permits them (--allowed-unsafe-sysctls)."},
});
constexpr std::string_view kMismatchNot[] = {
    "sysctl.d inside an image: nothing applies it in a container that does not boot.",
    "Setting them on the host: a namespace does not follow the host.",
    "net.core.rmem_max, net.ipv4.tcp_mem and others that belong to the machine: a container cannot have its "
    "own."};

constexpr Rule kRules[] = {
    {.info = {.id = "sysctl-nr-open-below-unit",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "A unit asks for more files than nr_open allows",
              .true_when =
                  "LimitNOFILE= of a unit, or DefaultLimitNOFILE= of system.conf, is larger than fs.nr_open. "
                  "Covers units with a process that listens, holds sockets in CLOSE_WAIT or is among the "
                  "closest to their limit. \"infinity\" asks for as much as there is and is no mistake.",
              .clients_see =
                  "Nothing yet; the server runs out of descriptors earlier than its configuration says.",
              .summary = "{who} asks for {asked} open files ({unit_place}), but fs.nr_open allows {value}: "
                         "it gets fewer than it asks for[; so {others:does|do} {others} more "
                         "{others:unit|units}].",
              .advice = kNrOpenAdvice,
              .not_helping = kNrOpenNot,
              .reads = "/proc/sys, systemd's unit files and system.conf, /proc/PID/cgroup"},
     .scope = RuleScope::machine,
     .evaluate = nr_open_below_unit},
    {.info = {.id = "sysctl-nr-open-below-login",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "Logins ask for more files than nr_open allows",
              .true_when =
                  "nofile in /etc/security/limits.conf or limits.d is a number larger than fs.nr_open.",
              .clients_see = "Nothing; the users whom the line is for cannot log in, run cron jobs or use "
                             "su.",
              .summary = "{login_file}:{login_line} gives {domain} {asked} open files, but fs.nr_open allows "
                         "{value}: pam_limits cannot set that, and refuses the login.",
              .advice = kLoginAdvice,
              .not_helping = kLoginNot,
              .reads = "/proc/sys, /etc/security/limits.conf"},
     .scope = RuleScope::machine,
     .evaluate = nr_open_below_login},
    {.info = {.id = "sysctl-unknown-key",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "A sysctl that this kernel does not have",
              .true_when =
                  "A line of sysctl.d or /etc/sysctl.conf sets a key of net.core, net.ipv4, net.ipv6 or fs "
                  "that does not exist, or is written without its beginning (tcp_syncookies), with a slash "
                  "for a dot, in capitals or as a path (/proc/sys/net/ipv4/tcp_ecn); a warning when it is "
                  "close to one that exists, else info. Files of packages (/usr/lib) and keys of modules and "
                  "interfaces are left out. Clear outside the first network namespace: others lack keys that "
                  "the kernel has.",
              .clients_see = "Nothing; what the line was meant to change is not changed.",
              .summary = "{place} sets {setting}, which this kernel does not have: the line does nothing[; "
                         "{gone}][; {meant} is probably meant].",
              .advice = kUnknownKeyAdvice,
              .not_helping = kUnknownKeyNot,
              .reads = "sysctl.d, /etc/sysctl.conf, names in /proc/sys"},
     .scope = RuleScope::machine,
     .evaluate = unknown_key},
    {.info =
         {.id = "netns-sysctl-mismatch",
          .family = kFamily,
          .severity = Severity::info,
          .title = "A namespace's settings are not the host's",
          .true_when =
              "In another namespace, settings that belong to the namespace differ from the host's. In one that "
              "was found, only if something listens there on more than loopback.",
          .clients_see =
              "Nothing by itself; servers in the container have different limits from those on the host.",
          .summary = "The settings of {netns} differ from the host's: {differences}[, and {more} more].",
          .advice = kMismatchAdvice,
          .not_helping = kMismatchNot,
          .reads = "/proc/sys of both namespaces"},
     .evaluate = netns_mismatch},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> configuration_rules() { return kRules; }

}  // namespace tcpdiag
