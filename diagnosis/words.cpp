// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/words.h"

#include <algorithm>
#include <functional>
#include <optional>

namespace tcpdiag {
namespace {

// A text or a part of it: what it says, and whether nothing that it needs is missing.
struct Rendered {
  std::vector<Piece> pieces;
  bool complete = true;

  void add(std::string_view words) {
    if (words.empty()) return;
    if (pieces.empty() || pieces.back().kind != Piece::Kind::words) pieces.emplace_back();
    pieces.back().text += words;
  }
  void add(Rendered part) {
    for (auto& piece : part.pieces)
      if (piece.kind == Piece::Kind::words)
        add(piece.text);
      else
        pieces.push_back(std::move(piece));
    complete = complete && part.complete;
  }
};

using ValueOf = std::function<std::optional<std::string>(std::string_view)>;

Rendered render_choice(std::string_view& text, const ValueOf& value);

// "one|many": the words for the number 1, and those for any other.
std::string_view number_form(std::string_view forms, const std::optional<std::string>& number) {
  const auto bar = std::min(forms.find('|'), forms.size());
  return number == "1" ? forms.substr(0, bar) : forms.substr(std::min(bar + 1, forms.size()));
}

// Takes the name off `text`, and the brace that closes it.
void render_name(std::string_view& text, const ValueOf& value, Rendered& out) {
  const auto inside = text.substr(0, text.find('}'));
  text.remove_prefix(std::min(text.size(), inside.size() + 1));
  const bool only_asked = inside.starts_with('?');
  const bool is_list = inside.ends_with('*');
  const auto colon = std::min(inside.find(':'), inside.size() - (is_list ? 1 : 0));
  const auto known = value(only_asked ? inside.substr(1) : inside.substr(0, colon));
  if (inside.substr(colon).starts_with(':'))
    out.add(number_form(inside.substr(colon + 1), known));
  else if (!only_asked)
    out.pieces.push_back({known.value_or("?"), is_list ? Piece::Kind::list : Piece::Kind::value});
  out.complete = out.complete && known;
}

// Renders `text` up to the first of `ends` that is its own, and takes that much off it.
Rendered render(std::string_view& text, const ValueOf& value, std::string_view ends) {
  Rendered out;
  while (!text.empty()) {
    const auto special = std::min(text.find_first_of("{[\\" + std::string(ends)), text.size());
    out.add(text.substr(0, special));
    text.remove_prefix(special);
    if (text.empty() || ends.find(text.front()) != std::string_view::npos) break;
    const char mark = text.front();
    text.remove_prefix(1);
    if (mark == '\\') {
      out.add(text.substr(0, 1));
      text.remove_prefix(std::min<std::size_t>(text.size(), 1));
    } else if (mark == '[')
      out.add(render_choice(text, value));
    else
      render_name(text, value, out);
  }
  return out;
}

// The first complete one of the parts before the closing bracket, which is taken off too; or nothing. A
// single part may be left out, one of several is needed.
Rendered render_choice(std::string_view& text, const ValueOf& value) {
  std::optional<Rendered> chosen;
  std::size_t parts = 0;
  while (!text.empty()) {
    auto part = render(text, value, "|]");
    ++parts;
    if (part.complete && !chosen) chosen = std::move(part);
    const char end = text.empty() ? ']' : text.front();
    text.remove_prefix(std::min<std::size_t>(text.size(), 1));
    if (end == ']') break;
  }
  return chosen.value_or(Rendered{.pieces = {}, .complete = parts < 2});
}

std::string joined(const Rendered& rendered) {
  std::string text;
  for (const auto& piece : rendered.pieces) text += piece.text;
  return text;
}

Rendered render(std::string_view text, const Values& values) {
  const auto value = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
  return render(text, value, "");
}

std::string threshold_text(const ThresholdSpec& spec) {
  if (const auto* count = std::get_if<std::uint64_t Thresholds::*>(&spec.member))
    return std::to_string(Thresholds{}.*(*count));
  const auto value = Thresholds{}.*std::get<double Thresholds::*>(spec.member);
  return spec.name.ends_with("_seconds") ? number_text(value) + " s" : percent_text(value);
}

}  // namespace

std::vector<Piece> pieces_of(std::string_view text, const Values& values) {
  return render(text, values).pieces;
}

std::string fill_in(std::string_view text, const Values& values) { return joined(render(text, values)); }

bool can_fill_in(std::string_view text, const Values& values) { return render(text, values).complete; }

std::string condition_of(const RuleInfo& info) {
  auto text = info.true_when;
  return joined(render(
      text,
      [](std::string_view name) -> std::optional<std::string> {
        const auto spec = std::ranges::find(kThresholds, name.substr(2), &ThresholdSpec::name);
        return threshold_text(*spec);
      },
      ""));
}

std::string as_pattern(std::string_view text) {
  // Parts that stand for one another follow each other without a space; those that are added begin with one.
  std::string spaced;
  for (; !text.empty(); text.remove_prefix(1)) {
    spaced += text.front();
    const bool another = text.starts_with("][") && text.find_first_of(" ,;.:", 2) != 2;
    if (another) spaced += " / ";
  }
  std::string_view rest = spaced;
  return joined(render(rest, [](std::string_view name) { return "<" + std::string(name) + ">"; }, ""));
}

}  // namespace tcpdiag
