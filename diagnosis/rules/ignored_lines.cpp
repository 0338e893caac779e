// SPDX-License-Identifier: Apache-2.0
// The lint of lines that were meant to change something and do not: those that are passed over when their
// file is applied, and those of a file that nothing applies.
#include <algorithm>
#include <set>

#include "core/file_limit.h"
#include "core/sysctls.h"
#include "core/text.h"
#include "core/utf8.h"
#include "diagnosis/evidence.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/setting_facts.h"
#include "diagnosis/unseen_processes.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kBlanks = " \t";

bool is_packages(const std::string& file) {
  return file.starts_with("/usr/lib/") || file.starts_with("/lib/");
}

bool is_for_logins(const std::string& file) { return file.starts_with("/etc/security/"); }

// What is wrong with a line, the sysctl that it is about, and the line that was probably meant.
struct Flaw {
  std::string_view key;
  std::string why, right_line;
  bool in_part = false;  // the numbers before the wrong one are taken
};

std::string assignment_line(std::string_view key, std::string_view value) {
  const auto* spec = find_sysctl(key);
  const bool taken = spec != nullptr && taken_value(*spec, value);
  return taken ? std::string(key) + " = " + single_blanks(value) : "";
}

// Nor does an earlier line count: systemd-sysctl writes only the last one of a key.
constexpr const char* kStays = ", and the setting stays as it is";

std::string refusal(std::string_view value) {
  return "the kernel refuses the value \"" + one_line(value.substr(0, IgnoredLine::kMaxText)) + "\"";
}

// "0 to 255"; one side alone where the other is as far as a number reaches.
std::string bounds_text(const SysctlBounds& bounds) {
  constexpr SysctlBounds kEndless;
  const auto least = std::to_string(bounds.least), most = std::to_string(bounds.most);
  if (bounds.most == kEndless.most) return least + " or more";
  return bounds.least < 0 ? "at most " + most : least + " to " + most;
}

// A number that the kernel has no room for, or does not want.
std::optional<Flaw> flaw_of(const SysctlSpec& spec, const SysctlBounds& bounds, const SysctlLine& line) {
  const auto numbers = taken_value(spec, line.value)->numbers;
  const auto place = first_out_of_bounds(bounds, numbers);
  if (place == numbers.size()) return std::nullopt;
  const bool is_low = numbers[place] >= bounds.least && numbers[place] <= bounds.most;
  const bool in_part = place > 0 && !bounds.ascending;
  return Flaw{.key = spec.name,
              .why = refusal(line.value) + (in_part ? " from the wrong number on" : kStays) + ": " +
                     (is_low ? "the last is below the first" : "it takes " + bounds_text(bounds)),
              .right_line = {},
              .in_part = in_part};
}

// Those that are not in our table are numbers as well, but for the names of algorithms and a key.
bool is_number(std::string_view name) {
  return name.starts_with("net.ipv4.tcp_") && !name.ends_with("_congestion_control") &&
         !name.ends_with("_ulp") && !name.ends_with("_key");
}

std::optional<Flaw> flaw_of(const SysctlLine& line, const Settings& settings) {
  std::string_view key = line.name;
  if (key.starts_with(kByteOrderMark)) {
    key.remove_prefix(kByteOrderMark.size());
    return Flaw{key, "a byte order mark, which editors do not show, is in front of the key",
                assignment_line(key, line.value)};
  }
  if (const auto blank = key.find_last_of(kBlanks); blank != std::string_view::npos) {
    key.remove_prefix(blank + 1);
    return Flaw{key, "a key has no blanks; a file takes NAME = VALUE, not a command",
                assignment_line(key, line.value)};
  }
  if (line.exists != true) return std::nullopt;
  constexpr std::string_view kOne[] = {""};
  const SysctlSpec number{.name = key, .form = SysctlForm::numbers, .fields = kOne};
  const auto* known = find_sysctl(key);
  if (known == nullptr && !is_number(key)) return std::nullopt;
  const auto& spec = known == nullptr ? number : *known;
  if (!taken_value(spec, line.value)) return Flaw{key, refusal(line.value) + kStays, {}};
  return flaw_of(spec, bounds_of(settings, spec), line);
}

// "net.core.somaxconn: 4096" and "net.core.somaxconn 4096".
std::optional<Flaw> flaw_of(const IgnoredLine& line) {
  std::string_view text = line.text;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (text.empty() || text.starts_with('#') || text.starts_with(';')) return std::nullopt;  // a comment
  const auto key = text.substr(0, text.find_first_of(": \t="));
  const auto value = text.substr(std::min(text.find_first_not_of(": \t=", key.size()), text.size()));
  return Flaw{key, "it has no '=', and a file takes NAME = VALUE", assignment_line(key, value)};
}

// Findings of lines that do nothing, each subject once.
class FlawedLines {
 public:
  explicit FlawedLines(std::size_t most) : most_(most) {}

  void add(const std::string& file, std::uint32_t number, const Flaw& flaw) {
    if (facts_.size() == most_ || is_packages(file)) return;
    const auto place = one_line(file) + ":" + std::to_string(number);
    const bool known = find_sysctl(flaw.key) != nullptr;
    const auto name = known ? std::string(flaw.key) : place;
    if (!names_.insert(name).second) return;
    Facts facts{.subject = {.kind = SubjectKind::setting, .name = name}};
    add_reading(facts, one_line(file), number, "line");
    facts.values["place"] = place;
    facts.values["file"] = one_line(file);
    facts.values["path"] = file;
    facts.values["line"] = std::to_string(number);
    facts.values["why"] = flaw.why;
    if (flaw.in_part) facts.values.flag("in_part");
    if (!flaw.right_line.empty()) facts.values["right_line"] = one_line(flaw.right_line);
    facts_.push_back(std::move(facts));
  }

  std::vector<Facts> take() { return std::move(facts_); }

 private:
  std::size_t most_;
  std::vector<Facts> facts_;
  std::set<std::string, std::less<>> names_;
};

// Files are for the machine, and are applied in the first network namespace alone.
bool is_first_netns(const Settings& settings) { return settings.find("net.ipv4.tcp_max_orphans") != nullptr; }

Verdict sysctl_line_ignored(const Window& window, const Thresholds& t) {
  const auto config = window.latest(&Snapshot::config);
  if (!config) return Verdict::unknown(config.error());
  const auto settings = window.latest(&NetnsView::settings);
  if (!settings) return Verdict::unknown(settings.error());
  if (!is_first_netns(**settings)) return Verdict::clear();
  FlawedLines flawed(t.ignored_lines_max);
  for (const auto& line : (*config)->sysctls)
    if (const auto flaw = line.excludes ? std::nullopt : flaw_of(line, **settings))
      flawed.add(line.file, line.line, *flaw);
  for (const auto& line : (*config)->ignored)
    if (line.because == IgnoredBecause::no_assignment)
      if (const auto flaw = flaw_of(line)) flawed.add(line.file, line.line, *flaw);
  return Verdict::found(flawed.take());
}

Verdict sysctl_conf_not_applied(const Window& window, const Thresholds&) {
  const auto config = window.latest(&Snapshot::config);
  if (!config) return Verdict::unknown(config.error());
  if (!(*config)->systemd) return Verdict::clear();
  const auto is_lost = [](const SysctlLine& line) { return !line.at_boot && !line.excludes; };
  const auto first = std::ranges::find_if((*config)->sysctls, is_lost);
  if (first == (*config)->sysctls.end()) return Verdict::clear();
  const auto count = std::ranges::count_if((*config)->sysctls, is_lost);
  Facts facts{.subject = {.kind = SubjectKind::setting, .name = one_line(first->file)}};
  add_reading(facts, "assignments in " + one_line(first->file), count, "lines");
  facts.values["lines"] = std::to_string(count);
  facts.values["first"] = place_of(*first);
  return Verdict::found({facts});
}

// What the line says behind its '='.
std::string_view value_of(const IgnoredLine& line) {
  std::string_view text = line.text;
  if (line.because == IgnoredBecause::misspelt_limit) text.remove_prefix(text.find('=') + 1);
  return text.substr(std::min(text.find_first_not_of(kBlanks), text.size()));
}

std::string right_limit(const IgnoredLine& line) {
  if (line.text.size() == IgnoredLine::kMaxText) return "";  // the rest of it is not known
  auto value = value_of(line);
  if (line.because == IgnoredBecause::soft_above_hard) {
    const auto colon = value.find(':');
    return std::string(value.substr(colon + 1)) + ":" + std::string(value.substr(0, colon));
  }
  if (parse_file_limit_value(value)) return std::string(value);
  if (value == "unlimited" || value == "-1") return is_for_logins(line.file) ? "" : "infinity";
  if (value.size() > 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  std::uint64_t factor = 1;
  if (value.ends_with('k') || value.ends_with('K')) factor = 1024;
  if (value.ends_with('m') || value.ends_with('M')) factor = 1024UL * 1024;
  if (factor > 1) value.remove_suffix(1);
  const auto number = to_number<std::uint32_t>(value);
  return number ? std::to_string(*number * factor) : "";
}

std::string why_no_limit(const IgnoredLine& line) {
  switch (line.because) {
    case IgnoredBecause::soft_above_hard: return "its soft limit is above its hard one";
    case IgnoredBecause::empty_limit:
      return "an empty value does not undo anything: what was set before stays";
    case IgnoredBecause::wrong_section:
      return "systemd reads it only under " + unit_section(line.unit) + ", and here it is in another section";
    case IgnoredBecause::misspelt_limit:
      return '"' + one_line(line.text.substr(0, line.text.find('='))) + "\" is not a systemd setting";
    default: break;
  }
  const auto value = "\"" + one_line(line.text) + "\" is not a limit";
  return value + (is_for_logins(line.file) ? ": it takes a whole number or \"unlimited\""
                                           : ": systemd takes a whole number or \"infinity\"");
}

Facts limit_facts(const std::string& file, std::uint32_t line, const std::string& unit,
                  const std::string& why) {
  const auto place = one_line(file) + ":" + std::to_string(line);
  Facts facts{.subject = {.kind = SubjectKind::setting, .name = place}};
  if (!unit.empty()) facts.subject.owner = system_unit(unit);
  add_reading(facts, one_line(file), line, "line");
  facts.values["place"] = place;
  facts.values["file"] = one_line(file);
  facts.values["line"] = std::to_string(line);
  facts.values["why"] = why;
  return facts;
}

Facts ignored_limit_facts(const IgnoredLine& line) {
  auto facts = limit_facts(line.file, line.line, line.unit, why_no_limit(line));
  const auto right = line.because == IgnoredBecause::empty_limit ? "" : right_limit(line);
  if (right.empty()) return facts;
  const auto setting = is_for_logins(line.file)
                           ? std::string("nofile ")
                           : (line.unit.empty() ? "Default" : "") + std::string("LimitNOFILE=");
  facts.values["right_line"] = setting + right;
  if (is_for_logins(line.file)) facts.values["right_login_limit"] = right;
  if (line.because == IgnoredBecause::wrong_section) facts.values["right_section"] = unit_section(line.unit);
  return facts;
}

// The process of a service that somebody has tried to give a limit that is for logins. nullptr: there is
// none.
const Process* service_of(const LoginFileLimit& limit, const Processes& processes) {
  const auto asked = to_number<std::uint64_t>(limit.value);
  if (!asked || limit.type == "hard") return nullptr;
  const auto found = std::ranges::find_if(processes.processes, [&](const Process& process) {
    return process.owner == system_unit(limit.domain + ".service") && process.soft_limit &&
           *process.soft_limit < *asked;
  });
  return found == processes.processes.end() ? nullptr : &*found;
}

Facts login_limit_facts(const LoginFileLimit& limit, const Process& process) {
  auto facts = limit_facts(limit.file, limit.line, limit.domain + ".service",
                           "it is for logins, and systemd gives services their limits");
  add_reading(facts, "RLIMIT_NOFILE of " + one_line(process.comm), *process.soft_limit, "files");
  facts.values["right_unit_line"] = "LimitNOFILE=" + one_line(limit.value);
  return facts;
}

Verdict file_limit_ignored(const Window& window, const Thresholds& t) {
  const auto config = window.latest(&Snapshot::config);
  if (!config) return Verdict::unknown(config.error());
  const auto processes = window.latest(&Snapshot::processes);  // whose units these are
  if (!processes) return Verdict::unknown(processes.error());
  std::vector<Facts> found;
  const auto add = [&](Facts facts) {
    if (found.size() < t.ignored_lines_max) found.push_back(std::move(facts));
  };
  for (const auto& line : (*config)->ignored)
    if (line.because != IgnoredBecause::no_assignment && !is_packages(line.file))
      add(ignored_limit_facts(line));
  for (const auto& limit : (*config)->login_limits)
    if (const auto* process = service_of(limit, **processes)) add(login_limit_facts(limit, *process));
  return Verdict::found(std::move(found)).in_part(unseen_processes(**processes));
}

constexpr std::string_view kFamily = "Settings";

constexpr auto kLineAdvice = std::to_array<AdviceText>({
    {"Correct line {line} of {file}.", "{right_line}",
     "The value takes effect at the next boot, or at once with sysctl --system.",
     "The value has had no effect so far: consider what it will change.", CommandKind::file_line},
    {"Or make line {line} of {file} a comment.", "sed -i '{line}s/^/# /' {path}",
     "It no longer misleads readers.", ""},
});
constexpr std::string_view kLineNot[] = {
    "A comment behind a number, as in \"128  # was 4096\", is no mistake: the kernel takes 128."};

constexpr auto kConfAdvice = std::to_array<AdviceText>({
    {"Link to it from sysctl.d, as older releases did.", "ln -s ../sysctl.conf /etc/sysctl.d/99-sysctl.conf",
     "Its lines are applied at every boot, after the files whose names come earlier.",
     "Lines that have long had no effect take effect at the next boot: read them first."},
    {"Or move its lines to a file of their own.", "mv -n /etc/sysctl.conf /etc/sysctl.d/60-local.conf",
     "The same, at the place that this name has among the files.", ""},
});
constexpr std::string_view kConfNot[] = {
    "sysctl -p and sysctl --system: they read the file once, and the next boot does not."};

constexpr auto kLimitAdvice = std::to_array<AdviceText>({
    {"Correct line {line} of {file}[: it belongs under {right_section}].",
     "[nofile {right_login_limit}|{right_line}]", "It takes effect at the next start[ of {unit}].",
     "systemd reads it only after systemctl daemon-reload.", CommandKind::file_line},
    {"Set it in the unit: a drop-in, under \\[Service\\].", "{right_unit_line}",
     "{unit} may open that many files after systemctl daemon-reload and a restart.",
     "The restart interrupts its connections.", CommandKind::file_line},
});
constexpr std::string_view kLimitNot[] = {
    "fs.file-max and ulimit in a shell: a service gets its limit from systemd only."};

constexpr Rule kRules[] = {
    {.info =
         {.id = "sysctl-line-ignored",
          .family = kFamily,
          .severity = Severity::info,
          .title = "A line of a sysctl file does nothing",
          .true_when = "A line of sysctl.d is not an assignment (NAME: VALUE, a pasted command), its key "
                       "begins with a byte order mark, or the kernel refuses its value: not a number, or one "
                       "out of range. Files of packages (/usr/lib) are left out; misspelt keys are "
                       "sysctl-unknown-key. Clear outside the first network namespace.",
          .clients_see = "Nothing; what the line was meant to change is not changed.",
          .summary =
              "{place} does [only a part{?in_part}|nothing]: {why}[; \"{right_line}\" is probably meant].",
          .advice = kLineAdvice,
          .not_helping = kLineNot,
          .reads = "sysctl.d, /etc/sysctl.conf, names in /proc/sys"},
     .scope = RuleScope::machine,
     .evaluate = sysctl_line_ignored},
    {.info = {.id = "sysctl-conf-not-applied",
              .family = kFamily,
              .severity = Severity::info,
              .title = "No boot applies /etc/sysctl.conf",
              .true_when = "systemd has booted the host, /etc/sysctl.conf has assignments, and no file of "
                           "sysctl.d is a link to it (or a copy). systemd-sysctl reads only sysctl.d; Debian "
                           "12 has the link 99-sysctl.conf, Debian 13 has neither the link nor the file.",
              .clients_see = "Nothing; what the file sets is gone after a reboot.",
              .summary =
                  "/etc/sysctl.conf has {lines} {lines:assignment|assignments} (the first is {first}), and "
                  "no boot applies them: systemd-sysctl reads sysctl.d, where no link leads to it.",
              .advice = kConfAdvice,
              .not_helping = kConfNot,
              .reads = "sysctl.d, /etc/sysctl.conf"},
     .scope = RuleScope::machine,
     .evaluate = sysctl_conf_not_applied},
    {.info =
         {.id = "file-limit-ignored",
          .family = kFamily,
          .severity = Severity::info,
          .title = "A limit on open files does nothing",
          .true_when =
              "LimitNOFILE= of a unit, DefaultLimitNOFILE=, or nofile in limits.conf is in the wrong "
              "section, is misspelt by a letter or two, has a value that is not one (\"unlimited\" or \"1M\" "
              "for systemd), has a soft limit above the hard one, or is empty after a value that it was "
              "meant to undo. Or limits.conf, which is for logins, gives a limit to the name of a running "
              "service that has less. Covers units with a process that listens, holds sockets in CLOSE_WAIT "
              "or is among the closest to their limit. Files of packages (/usr/lib) are left out.",
          .clients_see =
              "Nothing yet; the server runs out of descriptors sooner than its configuration seems to say.",
          .summary = "{place} does nothing[ for {unit}]: {why}.",
          .advice = kLimitAdvice,
          .not_helping = kLimitNot,
          .reads =
              "systemd's unit files, system.conf, user.conf, /etc/security/limits.conf, /proc/PID/cgroup"},
     .scope = RuleScope::machine,
     .evaluate = file_limit_ignored},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> ignored_line_rules() { return kRules; }

}  // namespace tcpdiag
