// SPDX-License-Identifier: Apache-2.0
// Commands in advice, with values that somebody chose to do harm. They are run by a real shell in which every
// program is a function that writes down its arguments: PATH is empty.
#include "diagnosis/commands.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sstream>
#include <vector>

#include "core/sysctls.h"
#include "diagnosis/catalog.h"
#include "diagnosis/container_settings.h"
#include "tests/catch.h"
#include "tests/shell.h"
#include "tests/temporary_directory.h"
#include "tests/words_of.h"

using namespace tcpdiag;

namespace {

namespace fs = std::filesystem;

std::string command(std::string_view text, const Values& values, CommandKind kind = CommandKind::shell) {
  return command_of({.command = text, .kind = kind}, values);
}

/// The command templates of all rules, each once.
std::vector<AdviceText> templates() {
  std::map<std::string_view, AdviceText> by_command;
  for (const auto& rule : rule_catalog())
    for (const auto& advice : rule.info.advice)
      if (!advice.command.empty()) by_command.emplace(advice.command, advice);
  for (const auto& advice : lasting_sysctl_advice()) by_command.emplace(advice.command, advice);
  std::vector<AdviceText> all;
  for (const auto& [text, advice] : by_command) all.push_back(advice);
  return all;
}

const std::set<std::string>& names_of(const AdviceText& advice) {
  static std::map<std::string_view, std::set<std::string>> known;
  const auto [found, is_new] = known.try_emplace(advice.command);
  if (is_new) found->second = names_in(std::string(advice.command));
  return found->second;
}

/// A harmless value that is found again in what a program got.
std::string token(const std::string& name) { return "q" + name + "q"; }

Values harmless(const std::set<std::string>& names) {
  Values values;
  for (const auto& name : names) values.emplace(name, token(name));
  return values;
}

/// Values that do something in a shell, or in a program, that is not careful; and random bytes.
std::vector<std::string> hostile_values() {
  std::vector<std::string> values = {"x;touch PWNED;.service",
                                     "$(touch PWNED).service",
                                     "`touch PWNED`.service",
                                     "x\ntouch PWNED\n",
                                     "x\rtouch PWNED",
                                     "'; touch PWNED; '",
                                     "\"; touch PWNED; \"",
                                     "x' 'y",
                                     "\\'; touch PWNED #",
                                     "--help.service",
                                     "--help",
                                     "-rf",
                                     "-",
                                     "--",
                                     "a b",
                                     " ",
                                     "*",
                                     "~root",
                                     "#x",
                                     "x\\",
                                     "\\",
                                     ">PWNED",
                                     "> PWNED",
                                     "<(touch PWNED)",
                                     "& touch PWNED &",
                                     "| touch PWNED",
                                     "|| touch PWNED",
                                     "x) || touch PWNED; (",
                                     "${IFS}",
                                     "$x",
                                     "$((1+1))",
                                     "!x",
                                     "{a,b}",
                                     "[a]",
                                     "%s%n",
                                     "a=b",
                                     "=",
                                     "/usr/bin/touch PWNED",
                                     "1 touch PWNED",
                                     "; /usr/bin/touch PWNED ;",
                                     "'",
                                     "\"",
                                     "''",
                                     "\\n",
                                     "\xc3\xa9\xe4\xbd\xa0",
                                     "\xe2\x80\xaex",
                                     "\xc2\x9b"
                                     "31m",
                                     "\x1b]0;x\x07",
                                     "\xff\xfe",
                                     "\x7f",
                                     std::string("a\0b", 3),
                                     std::string(200, ';')};
  std::mt19937 random(20261130);
  constexpr std::string_view kNasty = "'\"\\`$(){}[];&|<>*?~#!%=- \n\tax.@/0\xc3\xa9";
  for (int i = 0; i < 24; ++i) {
    std::string value;
    for (auto length = 1 + random() % 12; length > 0; --length)
      value += random() % 4 == 0 ? static_cast<char>(random() % 256) : kNasty[random() % kNasty.size()];
    values.push_back(value);
  }
  return values;
}

/// One command, and what its programs get if it is right.
struct Case {
  std::string command;
  std::string harmless;  ///< the same command with a harmless value
  std::string place;     ///< that value, a token
  std::string value;
};

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  if (what.empty()) return text;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

/// The shell's script: programs that a command may name, and `touch` and others that none names.
std::string script_of(const std::vector<std::string>& commands) {
  std::string script =
      "PATH=\nS=$(command printf '\\037')\n"
      "log() { l=$1; shift; for a; do l=\"$l$S$a\"; done; command printf '%s\\n' \"$l\" >> \"$LOG\"; }\n";
  for (const auto* program :
       {"cat",  "conntrack", "curl",   "cut",        "dmesg",     "docker",   "echo",       "ethtool",
        "gdb",  "grep",      "head",   "id",         "ip",        "iptables", "journalctl", "kill",
        "ln",   "ls",        "lsns",   "machinectl", "mv",        "nc",       "nft",        "nsenter",
        "perf", "ping",      "podman", "printf",     "prlimit",   "reboot",   "sed",        "slabtop",
        "sort", "ss",        "strace", "sysctl",     "systemctl", "tail",     "tcpdiag",    "tcpdump",
        "top",  "touch",     "tr",     "ulimit",     "uniq",      "watch",    "wc"})
    script += std::string(program) + "() { log " + program + " \"$@\"; }\n";
  script += "mkdir() { log mkdir \"$@\"; /bin/mkdir -p \".$2\"; }\n";
  for (std::size_t i = 0; i < commands.size(); ++i)
    // what is written to /etc stays below this directory
    script += "log @\n" + replaced(commands[i], "> /etc/", "> ./etc/") + "\n";
  return script + "log @end\n";
}

std::string sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream input(text);
  for (std::string line; std::getline(input, line);) lines.push_back(line);
  std::ranges::sort(lines);
  std::string result;
  for (const auto& line : lines) result += line + "\n";
  return result;
}

/// What a shell did with commands.
struct Done {
  std::vector<std::string> calls;  ///< for each command its programs' names and arguments
  std::string complaints;          ///< the shell's own
  std::vector<std::string> files;  ///< that it has left, but for those in etc
  bool ended = false;              ///< it came to the end of its script
};

Done done_by_shell(const std::vector<std::string>& commands) {
  const TemporaryDirectory directory;
  const auto work = directory.path("work");
  fs::create_directories(work + "/etc/sysctl.d");
  const auto script = directory.write("script", script_of(commands)), log = directory.path("log");
  run("cd " + work + " && LOG=" + log + " /bin/sh " + script + " >/dev/null 2>" + directory.path("stderr") +
      " </dev/null || true");
  Done done;
  const auto text_of = [&](const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  done.complaints = text_of(directory.path("stderr"));
  std::istringstream lines(text_of(log));
  for (std::string line; std::getline(lines, line);) {
    if (line == "@end")
      done.ended = true;
    else if (line.starts_with('@'))
      done.calls.emplace_back();
    else if (!done.calls.empty())
      done.calls.back() += line + "\n";
  }
  for (const auto& entry : fs::recursive_directory_iterator(work))
    if (entry.is_regular_file() && entry.path().extension() != ".conf")
      done.files.push_back(entry.path().string());
  return done;
}

void check(const std::vector<Case>& cases) {
  std::vector<std::string> commands;
  std::map<std::string, std::size_t> harmless;  // where they are among the commands
  for (const auto& each : cases) commands.push_back(each.command);
  for (const auto& each : cases)
    if (harmless.try_emplace(each.harmless, commands.size()).second) commands.push_back(each.harmless);
  const auto done = done_by_shell(commands);
  INFO(done.complaints.substr(0, 1000));
  CHECK(done.ended);
  CHECK(done.files.empty());
  REQUIRE(done.calls.size() == commands.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto got = sorted_lines(done.calls[i]);
    const auto right =
        sorted_lines(replaced(done.calls[harmless.at(cases[i].harmless)], cases[i].place, cases[i].value));
    if (got == right) continue;
    INFO(cases[i].command);
    CHECK(got == right);
  }
}

}  // namespace

TEST_CASE("whatever a value is, a shell runs the command of an advice and hands it that value") {
  std::vector<Case> cases;
  std::size_t turn = 0;
  for (const auto& advice : templates())
    for (const auto& name : names_of(advice))
      for (const auto& value : hostile_values()) {
        if (turn++ % 3 != 0) continue;  // each meets every value in turn with the others
        auto values = harmless(names_of(advice));
        const auto right = command_of(advice, values);
        values.insert_or_assign(name, value);
        if (const auto made = command_of(advice, values); !made.empty() && made != right)
          cases.push_back({made, right, token(name), value});
      }
  CHECK(cases.size() > 300);
  check(cases);
}

TEST_CASE("with ordinary values every template makes a command") {
  for (const auto& advice : templates()) {
    INFO(advice.command);
    Values values;
    for (const auto& name : names_of(advice)) values.emplace(name, "4.7");
    CHECK_FALSE(command_of(advice, values).empty());
  }
}

TEST_CASE("a namespace may have any name") {
  std::vector<Case> cases;
  for (const auto* text : {"ss -ltn", "watch -n 0.2 \"ss -ltn\"", "sysctl -w net.core.somaxconn=1"})
    for (const auto& name : hostile_values()) {
      if (const auto made = in_netns(text, name); !made.empty() && !name.starts_with('/'))
        cases.push_back({made, in_netns(text, "qnetnsq"), "qnetnsq", name});
      if (const auto made = in_netns(text, "/" + name); !made.empty())
        cases.push_back({made, in_netns(text, "/qnetnsq"), "/qnetnsq", "/" + name});
    }
  CHECK(cases.size() > 80);
  check(cases);
}

TEST_CASE("in a watched namespace every program about the network runs inside of it") {
  const std::set<std::string> about_network = {"conntrack", "curl", "ethtool", "ip",      "iptables", "nc",
                                               "nft",       "ping", "ss",      "tcpdump", "watch"};
  std::vector<std::string> commands;
  for (const auto& advice : templates())
    if (advice.kind == CommandKind::shell && std::isalpha(advice.command.front())) {  // no mere options
      auto values = harmless(names_of(advice));
      values["setting"] = "net.core.somaxconn";
      values["prefix"] = "net.ipv4.neigh.default.gc_thresh";
      commands.push_back(in_netns(command_of(advice, values), "app"));
    }
  const auto done = done_by_shell(commands);
  CHECK(done.complaints == "");  // the test knows every program
  REQUIRE(done.calls.size() == commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    INFO(commands[i]);
    std::istringstream calls(done.calls[i]);
    for (std::string call; std::getline(calls, call);) {
      if (call.starts_with("ip\x1fnetns\x1f"
                           "exec\x1f"
                           "app\x1f"))
        continue;
      CHECK_FALSE(about_network.contains(call.substr(0, call.find('\x1f'))));
      if (!call.starts_with("sysctl\x1f")) continue;
      const auto name = call.substr(0, call.find('=')).substr(call.rfind('\x1f', call.find('=')) + 1);
      const auto* spec = find_sysctl(name);
      INFO(name);
      CHECK((spec != nullptr && spec->scope == SysctlScope::machine));
    }
  }
}

TEST_CASE("a namespace is entered for each simple command, and for none that stands in quotes") {
  CHECK(in_netns("ip route get 10.0.0.1; ping -c 3 10.0.0.1", "app") ==
        "ip netns exec app ip route get 10.0.0.1; ip netns exec app ping -c 3 10.0.0.1");
  CHECK(in_netns("nc -vz 10.0.0.1 80 && ss -ltn | head", "/run/app") ==
        "nsenter --net=/run/app nc -vz 10.0.0.1 80 && nsenter --net=/run/app ss -ltn | head");
  CHECK(in_netns("ss -ltn", "/proc/812/ns/net") == "nsenter -t 812 -n ss -ltn");
  CHECK(in_netns("ss -ltn", "/proc/8x/ns/net") == "nsenter --net=/proc/8x/ns/net ss -ltn");
  CHECK(in_netns("echo 'a; ss' \"b; \\\"ss\" c\\;ss", "app") == "echo 'a; ss' \"b; \\\"ss\" c\\;ss");
  CHECK(in_netns("sysctl fs.file-max; ss -ltn", "app") == "sysctl fs.file-max; ip netns exec app ss -ltn");
  CHECK(in_netns("sysctl fs.file-max", "-x") == "sysctl fs.file-max");
  CHECK(in_netns("cat x; ss -ltn", "-x").empty());
}

TEST_CASE("no command has a hole, whichever values are known") {
  std::vector<std::string> commands;
  std::mt19937 random(7);
  for (const auto& advice : templates())
    for (int i = 0; i < 8; ++i) {
      auto values = harmless(names_of(advice));
      std::erase_if(values, [&](const auto&) { return i == 0 || random() % 2 == 0; });
      const auto made = command_of(advice, values);
      if (made.empty()) continue;
      INFO(made);
      CHECK(made.find('?') == std::string::npos);
      CHECK(made.find("  ") == std::string::npos);
      CHECK(made.back() != ' ');
      if (advice.kind == CommandKind::shell) commands.push_back(made);
    }
  const auto done = done_by_shell(commands);
  CHECK(done.ended);
  REQUIRE(done.calls.size() == commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    INFO(commands[i]);
    CHECK_FALSE(sorted_lines(done.calls[i]).starts_with("kill\n"));
    CHECK(done.calls[i].find("\x1f\n") == std::string::npos);  // an empty argument
    CHECK(done.calls[i].find("\x1f\x1f") == std::string::npos);
    if (commands[i].starts_with("kill")) CHECK(done.calls[i].find("pidq\n") != std::string::npos);
  }
}

TEST_CASE("a value that a shell would not hand on as it is leaves no command") {
  CHECK(command("systemctl restart -- {a}", {{"a", "x;id"}}) == "systemctl restart -- 'x;id'");
  CHECK(command("systemctl restart -- {a}", {{"a", "--help"}}) == "systemctl restart -- --help");
  CHECK(command("systemctl restart {a}", {{"a", "--help"}}).empty());
  CHECK(command("x | y {a}", {{"a", "-f"}}).empty());
  CHECK(command("x -- b | y {a}", {{"a", "-f"}}).empty());
  CHECK(command("mkdir /etc/{a}.d", {{"a", "-f"}}) == "mkdir /etc/-f.d");
  CHECK(command("cat {a}", {{"a", "a\nb"}}).empty());
  CHECK(command("cat {a}", {{"a", ""}}).empty());
  CHECK(command("{a} run", {{"a", "docker"}}).empty());  // a program is never a value
  CHECK(command("x && {a}", {{"a", "docker"}}).empty());
  CHECK(command("ss '( sport = :{a} )'", {{"a", "80"}}) == "ss '( sport = :80 )'");
  CHECK(command("echo 'k = {a}'", {{"a", "1 2"}}) == "echo 'k = 1 2'");
  CHECK(command("echo 'k = {a}'", {{"a", "it's"}}).empty());
  CHECK(command("watch \"ss {a}\"", {{"a", "1 2"}}).empty());
  CHECK(command("kill [-KILL {a}|{b}]", {}).empty());
  CHECK(command("[systemctl restart -- {a}]", {}).empty());
}

TEST_CASE("a list is some words, each quoted") {
  CHECK(command("run {a*}", {{"a", "--sysctl\nx=1 2"}}) == "run --sysctl 'x=1 2'");
  CHECK(command("run {a*}", {{"a", "x;id"}}) == "run 'x;id'");
  CHECK(command("run {a*}", {{"a", ""}}).empty());
  CHECK(command("run '{a*}'", {{"a", "x"}}).empty());
}

TEST_CASE("a line for a file holds plain words, so that it does nothing in a shell either") {
  const auto line = [](const std::string& value) {
    return command("net.core.somaxconn = {a}", {{"a", value}}, CommandKind::file_line);
  };
  CHECK(line("4096") == "net.core.somaxconn = 4096");
  CHECK(line("4096 16384 4194304") == "net.core.somaxconn = 4096 16384 4194304");
  CHECK(command("LimitNOFILE={a}", {{"a", "1:2"}}, CommandKind::file_line) == "LimitNOFILE=1:2");
  CHECK(command("LimitNOFILE={a}", {{"a", "1 reboot"}}, CommandKind::file_line).empty());
  CHECK(command("nofile {a}", {{"a", "1"}}, CommandKind::file_line) == "nofile 1");
  CHECK(command("{a} = 1", {{"a", "fs.nr_open"}}, CommandKind::file_line) == "fs.nr_open = 1");
  CHECK(command("{a} = 1", {{"a", "reboot"}}, CommandKind::file_line).empty());
  for (const auto* value : {"$(id)", "1; id", "1\nid", "`id`", "'1'", ""}) CHECK(line(value).empty());
}
