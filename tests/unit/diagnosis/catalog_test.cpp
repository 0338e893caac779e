// SPDX-License-Identifier: Apache-2.0
// The words of all findings: complete, and fit to be acted on.
#include "diagnosis/catalog.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "diagnosis/words.h"
#include "tests/catch.h"
#include "tests/words_of.h"

using namespace tcpdiag;

namespace {

namespace fs = std::filesystem;

/// Every text of a rule in which {names} are replaced, commands apart.
std::vector<std::string> sentences_of(const RuleInfo& info) {
  std::vector<std::string> texts = {std::string(info.summary)};
  for (const auto& advice : info.advice)
    for (const auto text : {advice.action, advice.effect, advice.risk})
      if (!text.empty()) texts.emplace_back(text);
  for (const auto text : info.not_helping) texts.emplace_back(text);
  return texts;
}

std::vector<std::string> commands_of(const RuleInfo& info) {
  std::vector<std::string> commands;
  for (const auto& advice : info.advice)
    if (!advice.command.empty()) commands.emplace_back(advice.command);
  return commands;
}

/// Whether brackets and braces that are signs come in pairs.
bool is_balanced(const std::string& text) {
  int brackets = 0, braces = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '[')
      ++brackets;
    else if (text[i] == ']')
      --brackets;
    else if (text[i] == '{')
      ++braces;
    else if (text[i] == '}')
      --braces;
    if (brackets < 0 || braces < 0 || braces > 1) return false;
  }
  return brackets == 0 && braces == 0;
}

/// Every "word" in the sources of the diagnosis: among them the names of the values that rules set.
std::set<std::string> quoted_words() {
  static const std::regex kQuoted(R"re("([a-z0-9_]+)")re");
  std::set<std::string> words;
  for (const auto& entry : fs::recursive_directory_iterator(TCPDIAG_SOURCE_DIR "/diagnosis")) {
    if (entry.path().extension() != ".cpp") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string source{std::istreambuf_iterator<char>(file), {}};
    for (std::sregex_iterator match(source.begin(), source.end(), kQuoted), none; match != none; ++match)
      words.insert((*match)[1].str());
  }
  return words;
}

bool is_sentence(std::string_view text) {
  return !text.empty() && text.front() != ' ' &&
         (text.ends_with('.') || text.ends_with('?') || text.ends_with(".]"));
}

}  // namespace

TEST_CASE("every finding has an id of its own and stands with its family") {
  std::set<std::string_view> ids, families_before;
  std::string_view family;
  static const std::regex kId("[a-z0-9]+(-[a-z0-9]+)+");
  for (const auto& rule : rule_catalog()) {
    INFO(rule.info.id);
    CHECK(std::regex_match(std::string(rule.info.id), kId));
    CHECK(ids.insert(rule.info.id).second);
    CHECK_FALSE(rule.info.family.empty());
    if (rule.info.family != family) CHECK(families_before.insert(rule.info.family).second);
    family = rule.info.family;
  }
}

TEST_CASE("the words of every finding are complete") {
  for (const auto& rule : rule_catalog()) {
    const auto& info = rule.info;
    INFO(info.id);
    CHECK_FALSE(info.title.empty());
    CHECK_FALSE(info.title.ends_with('.'));
    CHECK(is_sentence(condition_of(info)));
    CHECK(is_sentence(info.clients_see));
    CHECK(is_sentence(info.summary));
    CHECK_FALSE(info.reads.empty());
    CHECK_FALSE(info.advice.empty());
    for (const auto& advice : info.advice) {
      INFO(advice.action);
      CHECK(is_sentence(advice.action));
      CHECK(is_sentence(advice.effect));
      CHECK((advice.risk.empty() || is_sentence(advice.risk)));
    }
    for (const auto text : info.not_helping) {
      INFO(text);
      CHECK(is_sentence(text));
    }
    for (const auto text : info.consequences) {
      INFO(text);
      CHECK((!text.empty() && !text.ends_with('.')));
    }
  }
}

TEST_CASE("a command is one line that can be copied") {
  for (const auto& rule : rule_catalog()) {
    for (const auto& command : commands_of(rule.info)) {
      INFO(rule.info.id << ": " << command);
      CHECK(command.find_first_of("\n\t\r") == std::string::npos);
      CHECK(command.front() != ' ');
      CHECK(command.back() != ' ');
      CHECK((!command.ends_with('.') || command.ends_with(" ...")));
      CHECK(std::ranges::count(as_pattern(command), '\'') % 2 == 0);
    }
  }
}

TEST_CASE("every value that words may refer to is set somewhere") {
  const auto quoted = quoted_words();
  for (const auto& [family, names] : kFamilyValues) {
    for (const auto name : names) {
      INFO(family << ": " << name);
      CHECK(quoted.contains(std::string(name.substr(name.starts_with('?')))));
    }
  }
}

TEST_CASE("signs in texts come in pairs") {
  for (const auto& rule : rule_catalog()) {
    auto texts = sentences_of(rule.info);
    for (auto& command : commands_of(rule.info)) texts.push_back(std::move(command));
    for (const auto& text : texts) {
      INFO(rule.info.id << ": " << text);
      CHECK(is_balanced(text));
    }
  }
}

TEST_CASE("what a finding explains or leads to is another finding, or words") {
  for (const auto& rule : rule_catalog()) {
    INFO(rule.info.id);
    for (const auto id : rule.info.explains) {
      INFO(id);
      CHECK(find_rule(id) != nullptr);
      CHECK(id != rule.info.id);
    }
    for (const auto text : rule.info.consequences) {
      INFO(text);
      const bool words = text.find(' ') != std::string_view::npos;
      CHECK((words || find_rule(text) != nullptr));
    }
  }
}

TEST_CASE("no advice is folklore") {
  // What must not be advised, and the findings for which it is right.
  const std::map<std::string, std::set<std::string_view>> kFolklore = {
      {"tcp_tw_recycle", {}},
      {"tcp_max_syn_backlog", {"syn-backlog-sysctl-limit"}},
      {"tcp_syncookies=0", {}},
      {"tcp_abort_on_overflow=1", {}},
      {"tcp_timestamps=0", {}},
      // where it is said to be for ports in FIN_WAIT2
      {"tcp_fin_timeout",
       {"fin-wait2-high", "orphans-high", "ephemeral-ports-exhausted", "ephemeral-ports-low"}},
      {"rmem_default", {}},
      {"wmem_default", {}},
      // of a login's processes
      {"limits.conf", {"fd-limit-accept-blocked", "fd-limit-reached", "fd-limit-near"}},
      {"somaxconn=128", {}},
      {"somaxconn=1024", {}},
      {"somaxconn=2048", {}},
  };
  for (const auto& rule : rule_catalog()) {
    for (const auto& advice : rule.info.advice) {
      const auto said = std::string(advice.action) + " " + std::string(advice.command);
      for (const auto& [folklore, right_for] : kFolklore) {
        INFO(rule.info.id << ": " << said);
        const bool found = said.find(folklore) != std::string::npos;
        CHECK((!found || right_for.contains(rule.info.id)));
      }
    }
  }
}

TEST_CASE("the table of thresholds has every one of them") {
  std::set<std::string_view> names;
  std::size_t bytes = 0;
  for (const auto& spec : kThresholds) {
    INFO(spec.name);
    CHECK(names.insert(spec.name).second);
    CHECK_FALSE(spec.help.empty());
    bytes += std::visit([](auto member) { return sizeof(Thresholds{}.*member); }, spec.member);
    const auto has_family = [&](const Rule& rule) { return rule.info.family == spec.family; };
    CHECK(std::ranges::any_of(rule_catalog(), has_family));
  }
  CHECK(bytes == sizeof(Thresholds));
}

TEST_CASE("the checks of words find what is wrong") {
  CHECK(names_in(R"(a {b}[ of {c*}] \{d\})") == std::set<std::string>{"b", "c"});
  CHECK(is_balanced("[a [b] {c}]"));
  CHECK(is_balanced(R"(tcp\[13\] \{)"));
  for (const auto* wrong : {"[a", "a]", "{a", "a}", "{a{b}}"}) CHECK_FALSE(is_balanced(wrong));
  CHECK(quoted_words().contains("new_backlog"));
  CHECK_FALSE(quoted_words().contains("no_rule_sets_this"));
}
