// SPDX-License-Identifier: Apache-2.0
#include "daemon/options_reference.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "collectors/catalog.h"
#include "daemon/option_table.h"
#include "daemon/option_value.h"

namespace tcpdiag {
namespace {

constexpr std::array kPlainFlags = {
    PlainFlag{"--config.file=FILE",
              "Configuration file to read. Flags override what it says. SIGHUP reads it again."},
    PlainFlag{"--config.check",
              "Say whether the flags and the configuration file are valid, and exit: 0 yes, 2 no."},
    PlainFlag{"--version", "Print the version and exit."},
    PlainFlag{"--help, -h", "Print this text and exit."},
};

std::string flag_of(const OptionRow& row) {
  const std::string flag(row.flag);
  return row.placeholder.empty() ? flag : flag + "=" + std::string(row.placeholder);
}

/// Table cells end at a bar.
std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) result += c == '|' ? std::string("\\|") : std::string(1, c);
  return result;
}

std::string collectors_table() {
  std::string text = "| collector | period | reads | without it, not known |\n|---|---|---|---|\n";
  for (const auto& collector : collector_catalog()) {
    text += "| `" + std::string(collector.name) + "` | " + std::to_string(collector.period.count()) +
            " ms | " + cell(collector.reads) + " | " + cell(collector.without) + " |\n";
  }
  return text;
}

/// `text` as lines of a comment inside the file's object.
std::string comment(std::string_view text) {
  constexpr std::size_t kWidth = 100;
  std::string lines, line;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!line.empty() && line.size() + word.size() + 1 > kWidth) {
      lines += "  //" + line + "\n";
      line.clear();
    }
    line.append(" ").append(word);
  }
  return lines + "  //" + line + "\n";
}

std::string all_collectors() {
  std::string text;
  for (const auto& collector : collector_catalog())
    text += (text.empty() ? "{\n    " : ",\n    ") + quote(collector.name) + ": true";
  return text + "\n  }";
}

constexpr std::string_view kExample = R"({
  // comments are allowed
  "listen_addresses": ["127.0.0.1:10180", "[::1]:10180"],
  "log_level": "warn",
  "cpu_budget": 0.02,
  "collectors": {"kernel_log": false}
})";

}  // namespace

std::span<const PlainFlag> plain_flags() { return kPlainFlags; }

std::string options_help() {
  std::string text =
      "Usage: tcpdiagd [flags]\n"
      "Watches the TCP stack of this host, says why connections fail and what to change, and shows it "
      "to\nPrometheus. It changes nothing on the host.\n\n";
  for (const auto& row : option_table()) {
    const bool repeatable = std::holds_alternative<ListOption>(row.kind);
    text += "  " + flag_of(row) + "\n      " + std::string(row.help) + "\n";
    if (!std::holds_alternative<CollectorsOption>(row.kind)) {
      text += "      Allowed: " + allowed_by(row) + ".\n      Default: " + shown(row, Options{}) + "." +
              (repeatable ? " May be given several times." : "") + "\n";
      continue;
    }
    text += "      NAME is one of:";
    for (const auto& collector : collector_catalog()) text += " " + std::string(collector.name);
    text += "\n      Default: all of them run.\n";
  }
  for (const auto& flag : kPlainFlags)
    text += "  " + std::string(flag.flag) + "\n      " + std::string(flag.help) + "\n";
  text.pop_back();
  return text;
}

std::string default_config_file() {
  std::string text =
      "// Configuration of tcpdiagd: every key with its default. Flags override it (ARGS in "
      "/etc/default/tcpdiagd).\n"
      "// After a change: systemctl reload tcpdiagd. What takes effect only after a restart is marked "
      "[restart].\n{\n";
  for (const auto& row : option_table()) {
    const bool first = text.ends_with("{\n");
    text += (first ? "" : ",\n\n") + comment(std::string(row.help) + " Allowed: " + allowed_by(row) + "." +
                                             (row.restart ? " [restart]" : ""));
    text += "  " + quote(row.key) + ": " +
            (std::holds_alternative<CollectorsOption>(row.kind) ? all_collectors() : shown(row, Options{}));
  }
  return text + "\n}\n";
}

std::string config_reference() {
  std::string text =
      "<!-- Made from the table in daemon/option_table.cpp; a unit test compares the two. -->\n"
      "# Configuration\n\n"
      "`tcpdiagd` takes flags, and with `--config.file` a file of JSON with comments. Flags override the "
      "file. An unknown key,\na key that is there twice and a value that is not allowed are errors: the "
      "daemon says so in one line and exits with 2.\nSIGHUP reads the file again; if it is not valid, the "
      "running configuration stays.\n\n```json\n" +
      std::string(kExample) +
      "\n```\n\n## Options\n\n"
      "| key | flag | type | default | allowed | applies | meaning |\n|---|---|---|---|---|---|---|\n";
  for (const auto& row : option_table()) {
    text += "| `" + std::string(row.key) + "` | `" + flag_of(row) + "` | " + type_of(row) + " | `" +
            shown(row, Options{}) + "` | " + cell(allowed_by(row)) + " | " +
            (row.restart ? "at restart" : "on SIGHUP") + " | " + cell(row.help) + " |\n";
  }
  text += "\n## Flags without a key\n\n| flag | meaning |\n|---|---|\n";
  for (const auto& flag : kPlainFlags)
    text += "| `" + std::string(flag.flag) + "` | " + cell(flag.help) + " |\n";
  return text + "\n## Collectors\n\n" + collectors_table();
}

}  // namespace tcpdiag
