// SPDX-License-Identifier: Apache-2.0
#include "collectors/host_config.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "collectors/container_files.h"
#include "collectors/limits_conf.h"
#include "collectors/sysctl_files.h"
#include "collectors/unit_files.h"
#include "core/facts/processes.h"
#include "core/file_limit.h"
#include "core/sysctls.h"

namespace tcpdiag {
namespace {

using Names = std::set<std::string, std::less<>>;

constexpr auto kSysctlConf = "/etc/sysctl.conf";
constexpr std::array<std::string_view, 5> kSysctlDirectories = {
    "/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"};
// As systemd.unit(5) orders them.
constexpr std::array<std::string_view, 10> kUnitDirectories = {
    "/etc/systemd/system.control",   "/run/systemd/system.control", "/run/systemd/transient",
    "/etc/systemd/system",           "/run/systemd/system",         "/run/systemd/generator",
    "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",     "/lib/systemd/system",
    "/run/systemd/generator.late"};

// As systemd-system.conf(5) orders them. Before systemd 256 the first one alone may hold system.conf itself.
constexpr std::array<std::string_view, 4> kManagerDirectories = {
    "/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"};
constexpr auto kLimitsConf = "/etc/security/limits.conf";
constexpr auto kLimitsDirectory = "/etc/security/limits.d";

constexpr std::size_t kMaxSysctlFiles = 256;
constexpr std::size_t kMaxSysctlDirectories = 256;  // of /proc/sys
constexpr std::size_t kMaxDropIns = 64;

/// Reads configuration files and remembers which could not be read. One that is not there is no failure.
class ConfigFiles {
 public:
  explicit ConfigFiles(Source& source) : source_(source) {}

  std::optional<std::string> read(const std::string& path) {
    auto text = source_.read(path);
    if (!text) note(text.error());
    return text ? std::optional(std::move(*text)) : std::nullopt;
  }

  Names list(const std::string& path) {
    const auto names = source_.list(path);
    if (!names) note(names.error());
    return names ? Names(names->begin(), names->end()) : Names();
  }

  /// The *.conf files of the directories by name: of several with one name that of the first directory.
  std::vector<std::string> conf_files(std::span<const std::string> directories, std::size_t most) {
    std::map<std::string, std::string> paths;
    for (const auto& directory : directories)
      for (const auto& name : list(directory))
        if (name.ends_with(".conf") && !name.starts_with('.'))
          paths.try_emplace(name, directory + "/" + name);
    if (paths.size() > most)
      note({Errc::too_large, directories.front() + ": more than " + std::to_string(most) + " files"});
    std::vector<std::string> files;
    for (const auto& [name, path] : paths)
      if (files.size() < most) files.push_back(path);
    return files;
  }

  std::vector<Error> take_unread() { return std::exchange(unread_, {}); }

 private:
  void note(const Error& error) {
    if (error.code != Errc::missing && unread_.size() < HostConfig::kMaxUnread) unread_.push_back(error);
  }

  Source& source_;
  std::vector<Error> unread_;
};

/// What there is below /proc/sys.
class KernelSysctls {
 public:
  explicit KernelSysctls(Source& source) : source_(source) {}

  /// Whether the kernel has the sysctl of that name with dots. Empty: the name is a pattern or no name, its
  /// directory may not be read, or only the network interface in it is not there now.
  std::optional<bool> has(std::string_view name) {
    const auto path = sysctl_path(name);
    if (!is_plain(path)) return std::nullopt;
    const auto found = has_path(path);
    if (found != false) return found;
    const auto of_default = for_default_interface(path);
    return of_default && has_path(*of_default) != false ? std::nullopt : found;
  }

 private:
  /// Whether the path leads to one place below /proc/sys and nowhere else.
  static bool is_plain(std::string_view path) {
    if (!std::ranges::all_of(path, [](char c) { return c > ' ' && c <= '~'; })) return false;
    if (path.find_first_of("*?[") != std::string_view::npos) return false;
    for (bool more = true; more;) {
      const auto slash = path.find('/');
      const auto part = path.substr(0, slash);
      if (part.empty() || part == "." || part == "..") return false;
      more = slash != std::string_view::npos;
      path.remove_prefix(more ? slash + 1 : path.size());
    }
    return true;
  }

  std::optional<bool> has_path(const std::string& path) {
    const auto slash = path.rfind('/');
    const auto directory = slash == std::string::npos ? "/proc/sys" : "/proc/sys/" + path.substr(0, slash);
    auto known = directories_.find(directory);
    if (known == directories_.end()) {
      if (directories_.size() == kMaxSysctlDirectories) return std::nullopt;
      known = directories_.emplace(directory, source_.list(directory)).first;
    }
    const auto& names = known->second;
    if (!names) return names.error().code == Errc::missing ? std::optional(false) : std::nullopt;
    return std::ranges::find(*names, path.substr(slash + 1)) != names->end();
  }

  /// "net/ipv4/conf/default/rp_filter" for "net/ipv4/conf/eth0/rp_filter", and for what somebody wrote who
  /// forgot that the interface's name has a dot.
  static std::optional<std::string> for_default_interface(std::string_view path) {
    for (const std::string_view before :
         {"net/ipv4/conf/", "net/ipv4/neigh/", "net/ipv6/conf/", "net/ipv6/neigh/"}) {
      if (!path.starts_with(before)) continue;
      const auto slash = path.rfind('/');
      if (slash >= before.size()) return std::string(before) + "default" + std::string(path.substr(slash));
    }
    return std::nullopt;
  }

  Source& source_;
  std::map<std::string, Result<std::vector<std::string>>> directories_;
};

void add_ignored(IgnoredLine line, HostConfig& config) {
  if (config.ignored.size() < HostConfig::kMaxIgnored)
    config.ignored.push_back(std::move(line));
  else
    ++config.cut;
}

void add_sysctls(const std::string& path, const std::string& text, bool at_boot, KernelSysctls& kernel,
                 HostConfig& config) {
  auto file = parse_sysctl_file(path, text, HostConfig::kMaxLines - config.sysctls.size());
  config.cut += file.cut;
  for (auto& line : file.lines) {
    line.exists = kernel.has(line.name);
    line.at_boot = at_boot;
    config.sysctls.push_back(std::move(line));
  }
  if (at_boot)
    for (auto& line : file.ignored) add_ignored(std::move(line), config);
}

void read_sysctls(Source& source, ConfigFiles& files, HostConfig& config) {
  KernelSysctls kernel(source);
  const std::vector<std::string> directories(kSysctlDirectories.begin(), kSysctlDirectories.end());
  const auto sysctl_conf = files.read(kSysctlConf);
  std::vector<std::pair<std::string, std::string>> applied;  // path and text
  bool linked = false;
  for (const auto& path : files.conf_files(directories, kMaxSysctlFiles)) {
    auto text = files.read(path);
    if (!text) continue;
    const bool is_link = text == sysctl_conf;  // a recording has no links, and a copy does the same
    linked = linked || is_link;
    applied.emplace_back(is_link ? kSysctlConf : path, std::move(*text));
  }
  const bool by_openrc = source.list("/run/openrc").has_value();
  if (sysctl_conf && !linked && !by_openrc) add_sysctls(kSysctlConf, *sysctl_conf, false, kernel, config);
  for (const auto& [path, text] : applied) add_sysctls(path, text, true, kernel, config);
  if (sysctl_conf && !linked && by_openrc) add_sysctls(kSysctlConf, *sysctl_conf, true, kernel, config);
}

/// Where there may be something about a unit.
class UnitFiles {
 public:
  explicit UnitFiles(ConfigFiles& files) : files_(files) {
    for (const auto directory : kUnitDirectories)
      names_.emplace_back(std::string(directory), files.list(std::string(directory)));
  }

  /// The unit's own file, then its drop-ins: what is said later counts.
  std::vector<std::string> of(const std::string& unit) {
    std::vector<std::string> paths;
    if (auto own = own_file(unit)) paths.push_back(std::move(*own));
    auto directories = existing(drop_in_directory_names(unit));
    for (auto& directory : existing({unit.substr(unit.rfind('.') + 1) + ".d"}))
      directories.push_back(std::move(directory));
    if (directories.empty()) return paths;
    for (auto& path : files_.conf_files(directories, kMaxDropIns)) paths.push_back(std::move(path));
    return paths;
  }

 private:
  [[nodiscard]] std::optional<std::string> own_file(const std::string& unit) const {
    for (const auto& name : unit_file_names(unit))
      for (const auto& [directory, names] : names_)
        if (names.contains(name)) return directory + "/" + name;
    return std::nullopt;
  }

  [[nodiscard]] std::vector<std::string> existing(const std::vector<std::string>& wanted) const {
    std::vector<std::string> paths;
    for (const auto& [directory, names] : names_)
      for (const auto& name : wanted)
        if (names.contains(name)) paths.push_back(directory + "/" + name);
    return paths;
  }

  ConfigFiles& files_;
  std::vector<std::pair<std::string, Names>> names_;  // of every directory
};

/// The limit that the settings of several files come to, one after the other.
class LastFileLimit {
 public:
  LastFileLimit(std::string unit, HostConfig& config) : unit_(std::move(unit)), config_(config) {}

  void add(const std::string& file, const std::vector<FileLimitSetting>& settings) {
    for (const auto& setting : settings) {
      const auto limit =
          setting.because ? tl::unexpected(*setting.because) : parse_file_limit_value(setting.value);
      if (limit) {
        last_ = UnitFileLimit{unit_, file, setting.line, readable_file_limit(setting.value)};
        empty_.reset();
        continue;
      }
      IgnoredLine ignored{file, setting.line, setting.value.substr(0, IgnoredLine::kMaxText), unit_,
                          limit.error()};
      if (limit.error() != IgnoredBecause::empty_limit)
        add_ignored(std::move(ignored), config_);
      else if (last_)
        empty_ = std::move(ignored);
    }
  }

  /// What counts in the end. An empty value that another one follows was of no importance.
  std::optional<UnitFileLimit> take() {
    if (empty_) add_ignored(std::move(*empty_), config_);
    return std::move(last_);
  }

 private:
  std::string unit_;
  HostConfig& config_;
  std::optional<UnitFileLimit> last_;
  std::optional<IgnoredLine> empty_;
};

void read_file_limits(const std::set<std::string>& units, ConfigFiles& files, HostConfig& config) {
  UnitFiles unit_files(files);
  for (const auto& unit : units) {
    LastFileLimit last(unit, config);
    for (const auto& path : unit_files.of(unit))
      if (const auto text = files.read(path)) last.add(path, parse_file_limits(unit, *text));
    if (auto limit = last.take()) config.file_limits.push_back(std::move(*limit));
  }
}

/// system.conf or user.conf, then its drop-ins.
std::vector<std::string> manager_files(const std::string& name, ConfigFiles& files) {
  std::vector<std::string> paths, drop_ins;
  for (const auto directory : kManagerDirectories) {
    const auto path = std::string(directory) + "/" + name;
    if (paths.empty() && files.list(std::string(directory)).contains(name)) paths.push_back(path);
    drop_ins.push_back(path + ".d");
  }
  for (auto& path : files.conf_files(drop_ins, kMaxDropIns)) paths.push_back(std::move(path));
  return paths;
}

void read_default_file_limits(ConfigFiles& files, HostConfig& config) {
  LastFileLimit of_system({}, config), of_users({}, config);  // the latter only for what is ignored
  for (const auto& [name, last] : {std::pair("system.conf", &of_system), std::pair("user.conf", &of_users)})
    for (const auto& path : manager_files(name, files))
      if (const auto text = files.read(path)) last->add(path, parse_default_file_limits(*text));
  config.default_file_limit = of_system.take();
  (void)of_users.take();
}

void read_login_limits(ConfigFiles& files, HostConfig& config) {
  std::vector<std::string> paths = {kLimitsConf};
  for (auto& path : files.conf_files(std::array{std::string(kLimitsDirectory)}, kMaxDropIns))
    paths.push_back(std::move(path));
  for (const auto& path : paths) {
    const auto text = files.read(path);
    if (!text) continue;
    auto parsed = parse_login_limits(path, *text);
    config.cut += parsed.cut;
    for (auto& line : parsed.ignored) add_ignored(std::move(line), config);
    for (auto& limit : parsed.limits)
      if (config.login_limits.size() < HostConfig::kMaxLogins)
        config.login_limits.push_back(std::move(limit));
      else
        ++config.cut;
  }
}

/// The host's units that processes run in, as far as they can have such a limit. A scope has none: somebody
/// else started its processes. Files of the host say nothing about units of users and inside of containers.
std::set<std::string> units_of(const Processes& processes) {
  std::set<std::string> units;
  for (const auto& process : processes.processes) {
    if (process.owner.kind != OwnerKind::system_unit) continue;
    const std::string_view unit = process.owner.name;
    const bool limited = std::ranges::any_of(std::array{".service", ".socket", ".mount", ".swap"},
                                             [&](const char* type) { return unit.ends_with(type); });
    if (limited) units.emplace(unit);
  }
  return units;
}

}  // namespace

Result<HostConfig> read_host_config(Source& source, const std::set<std::string>& units) {
  if (const auto there = source.list("/proc/sys"); !there) return tl::unexpected<Error>(there.error());
  ConfigFiles files(source);
  HostConfig config;
  read_sysctls(source, files, config);
  config.unread_sysctls = files.take_unread();
  if (!units.empty()) read_file_limits(units, files, config);
  read_default_file_limits(files, config);
  read_login_limits(files, config);
  config.systemd = source.list("/run/systemd/system").has_value();
  config.unread = files.take_unread();
  return config;
}

Result<void> shortfall(const HostConfig& config) {
  const auto count = config.unread_sysctls.size() + config.unread.size();
  if (count == 0) return {};
  auto error = (config.unread_sysctls.empty() ? config.unread : config.unread_sysctls).front();
  if (const auto others = count - 1; others > 0) error.detail += " (and " + std::to_string(others) + " more)";
  return tl::unexpected<Error>(std::move(error));
}

std::string shareable(const std::string& path, const std::string& content) {
  const auto is_in = [&](std::string_view directory) { return path.starts_with(directory); };
  if (path == kSysctlConf || std::ranges::any_of(kSysctlDirectories, is_in)) return without_secrets(content);
  if (path.starts_with("/etc/security/limits.")) return only_login_limits(content);
  const bool is_systemds =
      std::ranges::any_of(kUnitDirectories, is_in) || std::ranges::any_of(kManagerDirectories, is_in);
  return is_systemds ? only_file_limits(content) : shareable_container_file(path, content);
}

Result<HostConfig> HostConfigReader::operator()(const Reading& reading) const {
  const auto* processes = reading.previous.processes.get();
  return read_host_config(reading.source, processes ? units_of(*processes) : std::set<std::string>());
}

}  // namespace tcpdiag
