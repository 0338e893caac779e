// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/config_reference.h"

#include <algorithm>

#include "tests/reference/markdown.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kExample = R"({
  // comments are allowed
  "listen_addresses": ["127.0.0.1:10180", "[::1]:10180"],
  "log_level": "warn",
  "cpu_budget": 0.02,
  "collectors": {"kernel_log": false}
})";

std::string collectors_table(const Json& collectors) {
  std::string text = "| collector | period | reads | without it, not known |\n|---|---|---|---|\n";
  for (const auto& collector : collectors)
    text += "| " + code(text_of(collector, "name")) + " | " + collector.at("period_ms").dump() + " ms | " +
            cell(text_of(collector, "reads")) + " | " + cell(text_of(collector, "without")) + " |\n";
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

std::string all_collectors(const Json& collectors) {
  std::string text;
  for (const auto& collector : collectors)
    text += (text.empty() ? "{\n    " : ",\n    ") + collector.at("name").dump() + ": true";
  return text + "\n  }";
}

std::string option_row(const Json& option) {
  return "| " + code(text_of(option, "key")) + " | " + code(flag_of(option)) + " | " +
         std::string(text_of(option, "type")) + " | " + code(option.at("default").dump()) + " | " +
         cell(text_of(option, "allowed")) + " | " +
         (option.at("restart").get<bool>() ? "at restart" : "on SIGHUP") + " | " +
         cell(text_of(option, "help")) + " |\n";
}

}  // namespace

std::string flag_of(const Json& option) {
  const std::string flag(text_of(option, "flag"));
  const std::string placeholder(text_of(option, "placeholder"));
  return placeholder.empty() ? flag : flag + "=" + placeholder;
}

bool is_of_collectors(const Json& option) { return text_of(option, "key") == "collectors"; }

std::string default_config_file(const Json& catalogue) {
  std::string text =
      "// Configuration of tcpdiagd: every key with its default. Flags override it (ARGS in "
      "/etc/default/tcpdiagd).\n"
      "// After a change: systemctl reload tcpdiagd. What takes effect only after a restart is marked "
      "[restart].\n{\n";
  for (const auto& option : catalogue.at("daemon").at("options")) {
    const bool first = text.ends_with("{\n");
    text += (first ? "" : ",\n\n") + comment(std::string(text_of(option, "help")) +
                                             " Allowed: " + std::string(text_of(option, "allowed")) + "." +
                                             (option.at("restart").get<bool>() ? " [restart]" : ""));
    text +=
        "  " + option.at("key").dump() + ": " +
        (is_of_collectors(option) ? all_collectors(catalogue.at("collectors")) : option.at("default").dump());
  }
  return text + "\n}\n";
}

std::string config_reference(const Json& catalogue) {
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
  const auto& daemon = catalogue.at("daemon");
  for (const auto& option : daemon.at("options")) text += option_row(option);
  text += "\n## Flags without a key\n\n| flag | meaning |\n|---|---|\n";
  for (const auto& flag : daemon.at("flags"))
    text += "| " + code(text_of(flag, "flag")) + " | " + cell(text_of(flag, "help")) + " |\n";
  return text + "\n## Collectors\n\n" + collectors_table(catalogue.at("collectors"));
}

}  // namespace tcpdiag
