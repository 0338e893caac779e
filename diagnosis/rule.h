// SPDX-License-Identifier: Apache-2.0
// What a rule of the diagnosis is: a condition over a window, and the words for it.
#pragma once

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "diagnosis/thresholds.h"
#include "diagnosis/values.h"
#include "diagnosis/window.h"

namespace tcpdiag {

/// A listener of another namespace of this host.
struct ListenerThere {
  std::string netns;
  Subject subject;
};

/// What a rule found out about one subject; the words come from its RuleInfo.
struct Facts {
  Subject subject;
  std::optional<Severity> severity;  ///< empty: the rule's own
  std::vector<Evidence> evidence;
  std::optional<Bites> bites;
  Values values;
  std::vector<std::string_view> explains{};  ///< as RuleInfo::explains, for this subject alone
  std::vector<Subject> known_as{};           ///< as Finding::known_as
  /// Whose clients these are: what a rule finds about it that explains clients (RuleInfo::explains_clients)
  /// is the cause.
  std::optional<ListenerThere> served_by{};
  /// Of the findings of one rule in several namespaces that have the same text here, the first stands for the
  /// others. Empty: each stands for itself.
  std::string alike{};
};

/// What a rule says about a namespace: something, nothing, or that it cannot tell. It may also be able to
/// look at a part only: then it says something or nothing about that part, and that it cannot tell about the
/// rest.
class Verdict {
 public:
  /// A source is missing: not even "nothing" can be said. `error` is the one the window gave.
  static Verdict unknown(const Error& error) { return Verdict(tl::unexpected<Error>(error)); }
  static Verdict clear() { return Verdict(std::vector<Facts>()); }
  /// None is the same as clear().
  static Verdict found(std::vector<Facts> facts) { return Verdict(std::move(facts)); }

  /// Where only a part could be looked at: this verdict is about that part, and `unseen` says why nothing can
  /// be said about the rest. Empty: all could be looked at. What is unknown as a whole stays so.
  [[nodiscard]] Verdict in_part(std::optional<Error> unseen) && {
    unseen_ = known() ? std::move(unseen) : std::nullopt;
    return std::move(*this);
  }

  [[nodiscard]] bool known() const { return result_.has_value(); }
  [[nodiscard]] const Error& why() const { return result_.error(); }
  [[nodiscard]] const std::vector<Facts>& facts() const { return *result_; }
  /// Why nothing can be said about a part; empty: about all, or about nothing.
  [[nodiscard]] const std::optional<Error>& unseen() const { return unseen_; }
  /// Whether there is nothing, as far as one can tell of all.
  [[nodiscard]] bool is_clear() const { return known() && facts().empty() && !unseen_; }

 private:
  explicit Verdict(Result<std::vector<Facts>> result) : result_(std::move(result)) {}
  Result<std::vector<Facts>> result_;
  std::optional<Error> unseen_;
};

/// What AdviceText::command is: for a POSIX shell, or a line for the file that the action names.
enum class CommandKind { shell, file_line };

/// One piece of advice. A piece whose action or command needs a value that is not known is left out; a
/// command that is not needed for it stands in [brackets] as a whole. A command is made by command_of()
/// (diagnosis/commands.h) alone, which quotes the values: in the template they stand as they are, and only
/// numbers and names of the kernel's between quotes. {name*} there is several words, one on each line of the
/// value. A value that cannot be put into a command leaves the advice without one.
struct AdviceText {
  std::string_view action, command, effect, risk;
  CommandKind kind = CommandKind::shell;
};

/// The words of a rule. In all of them {name} is replaced by a value, and a part in [brackets] is left out
/// when one of its values is not known; of [parts|with bars] the first one that is complete is needed;
/// {name:connection|connections} is the word that fits to a number, and {?name} needs the value and says
/// nothing. A backslash in front of one of these signs makes it an ordinary one. Known for every subject are
/// {netns} (but the host's), {window}, and as far as they apply {listener} or {destination} (address and
/// port), {address}, {port}, {process}, {pid}, {owner} ("gunicorn[812]"), {setting} and {server_knob}
/// (known_servers.h), and those of add_owner_values() (owner_values.h).
struct RuleInfo {
  std::string_view id;
  std::string_view family;  ///< heading in the documentation; the rules of a family stand together
  Severity severity = Severity::warning;
  std::string_view title;                          ///< a few words
  std::string_view true_when;                      ///< the condition, with {t.NAME} for a threshold
  std::string_view clients_see;                    ///< the symptom at the other end
  std::string_view summary;                        ///< one sentence with the numbers
  std::span<const AdviceText> advice;              ///< most useful first
  std::span<const std::string_view> not_helping;   ///< what does not help, and why
  std::span<const std::string_view> consequences;  ///< what follows from it and is no finding of its own
  std::span<const std::string_view> explains;      ///< findings on the same subject that it is the cause of
  std::string_view reads;                          ///< the sources it needs
  /// Findings that cannot be true of the same subject together with it: an incident of theirs that is still
  /// open because it was seen a moment ago closes when this one is found.
  std::span<const std::string_view> replaces{};
  /// It judges accept queues, so only those of the listeners that are kept (unseen_queues()).
  bool judges_queues = false;
  /// What it finds about a listener is also why clients of that listener, in whichever namespace of this host
  /// they are, get no answer or a refusal (Facts::served_by).
  bool explains_clients = false;
};

/// Whether a rule looks at every namespace, or once at the machine.
enum class RuleScope { netns, machine };

/// One finding's condition and words. Conditions are pure: no clock, no I/O, no memory; how long something
/// has to last is written in `lookback` and decided by advance() alone.
struct Rule {
  RuleInfo info;
  RuleScope scope = RuleScope::netns;
  std::chrono::seconds lookback{30};
  std::optional<std::chrono::seconds> critical_after{};  ///< lasting so long makes it critical
  Verdict (*evaluate)(const Window& window, const Thresholds& thresholds) = nullptr;
};

constexpr bool is_threshold(std::string_view name) {
  return std::ranges::find(kThresholds, name, &ThresholdSpec::name) != std::end(kThresholds);
}

/// Whether every {name} in the text is one that the words of the family may refer to.
constexpr bool names_fit(std::string_view family, std::string_view text) {
  for (auto at = text.find('{'); at != std::string_view::npos; at = text.find('{')) {
    const bool is_literal = at > 0 && text[at - 1] == '\\';
    text.remove_prefix(at + 1);
    if (is_literal) continue;
    const bool is_asked = text.starts_with('?');
    const auto name = text.substr(is_asked ? 1 : 0, text.find_first_of("}:*") - (is_asked ? 1 : 0));
    if (name.starts_with("t.") ? !is_threshold(name.substr(2)) : !may_refer_to(family, name, is_asked))
      return false;
  }
  return true;
}

/// The same of all words of these rules. Stands beside them as a static_assert.
constexpr bool words_fit(std::span<const Rule> rules) {
  for (const auto& [info, scope, lookback, critical_after, evaluate] : rules) {
    if (!names_fit(info.family, info.summary) || !names_fit(info.family, info.true_when)) return false;
    for (const auto& advice : info.advice)
      for (const auto text : {advice.action, advice.command, advice.effect, advice.risk})
        if (!names_fit(info.family, text)) return false;
    for (const auto text : info.not_helping)
      if (!names_fit(info.family, text)) return false;
  }
  return true;
}

}  // namespace tcpdiag
