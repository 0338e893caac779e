// SPDX-License-Identifier: Apache-2.0
#include "exporters/yaml_text.h"

#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "core/utf8.h"

namespace tcpdiag {
namespace {

/// Whether a UTF-8 sequence is a character that YAML does not have, or one that others take for a line's end.
bool is_refused(std::string_view sequence) {
  if (sequence.size() == 1) {
    const auto c = static_cast<unsigned char>(sequence.front());
    return (c < 0x20 && c != '\t') || c == 0x7f;
  }
  if (sequence.size() == 2) return sequence.front() == '\xc2' && sequence.back() < '\xa0';  // C1 controls
  return sequence == "\xe2\x80\xa8" || sequence == "\xe2\x80\xa9" ||  // line and paragraph separator
         sequence == "\xef\xbf\xbe" || sequence == "\xef\xbf\xbf";
}

/// What is wrong with one line, without its end. Empty: nothing.
std::string wrong_with(std::string_view line) {
  if (line.starts_with('%')) return "a directive, or a text that begins with %";
  const auto begin = line.find_first_not_of(" \t");
  if (begin != std::string_view::npos && line[begin] == '#' &&
      line.substr(0, begin).find('\t') != std::string_view::npos)
    return "a tab before a comment";
  while (!line.empty()) {
    const auto length = utf8_length(line);
    if (length == 0) return "not UTF-8";
    if (is_refused(line.substr(0, length))) return "a control character";
    line.remove_prefix(length);
  }
  return {};
}

std::optional<YamlComplaint> wrong_line(std::string_view text) {
  for (int number = 1; !text.empty(); ++number) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (auto wrong = wrong_with(line); !wrong.empty()) return YamlComplaint{number, std::move(wrong)};
  }
  return std::nullopt;
}

/// Notes where documents begin, and the first tag. YAML::LoadAll would do, but on some garbage it never ends.
class Documents : public YAML::EventHandler {
 public:
  std::vector<int> lines;
  std::optional<YamlComplaint> tagged;

  void OnDocumentStart(const YAML::Mark& mark) override { lines.push_back(mark.line + 1); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string&) override {
    note(mark, tag);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    note(mark, tag);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    note(mark, tag);
  }
  void OnMapEnd() override {}

 private:
  void note(const YAML::Mark& mark, const std::string& tag) {
    const bool none = tag.empty() || tag == "?" || tag == "!";  // "!": in quotes
    if (!none && !tagged) tagged = {mark.line + 1, "a tag, or a text that begins with !"};
  }
};

std::optional<YamlComplaint> unwelcome(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Documents documents;
  const bool second = parser.HandleNextDocument(documents) && parser.HandleNextDocument(documents);
  if (documents.tagged) return documents.tagged;
  if (!second) return std::nullopt;
  return YamlComplaint{documents.lines.back(), "a second document begins, or something that is not YAML"};
}

}  // namespace

tl::expected<YAML::Node, YamlComplaint> load_yaml(std::string_view text) try {
  if (auto wrong = wrong_line(text)) return tl::unexpected<YamlComplaint>(std::move(*wrong));
  // yaml-cpp takes the end of the file for the end of a quoted text, but not the mark of a document's end
  std::string whole(text);
  if (!whole.empty()) whole += whole.ends_with('\n') ? "...\n" : "\n...\n";
  if (auto wrong = unwelcome(whole)) return tl::unexpected<YamlComplaint>(std::move(*wrong));
  return YAML::Load(whole);
} catch (const YAML::Exception& error) {
  const int line = error.mark.line + 1;
  if (error.msg == YAML::ErrorMsg::DOC_IN_SCALAR)
    return tl::unexpected<YamlComplaint>({line, "a quote is not closed before this line"});
  // its name may be a password
  if (error.msg.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR))
    return tl::unexpected<YamlComplaint>({line, "an alias without its anchor, or a text that begins with *"});
  return tl::unexpected<YamlComplaint>({line, error.msg});
}

}  // namespace tcpdiag
