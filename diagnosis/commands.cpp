// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/commands.h"

#include <algorithm>
#include <array>

#include "core/shell.h"
#include "core/snapshot.h"
#include "core/sysctls.h"
#include "core/text.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kEndsSimpleCommand = "\n;|&()";

/// Plain words with blanks between them: no quotes, no escapes, in whatever reads it.
bool is_plain_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == ' ' || is_plain_in_shell({&c, 1}); });
}

/// Which characters of a shell's text stand within quotes or are escaped (XCU 2.2).
class Quotes {
 public:
  enum class Place { bare, opening, quoted, escaped };

  /// Of the next character; one that closes a quote is quoted, a backslash that escapes is bare or quoted.
  Place take(char c) {
    if (escaped_) {
      escaped_ = false;
      return Place::escaped;
    }
    if (quote_ != 0) {
      escaped_ = c == '\\' && quote_ == '"';
      if (c == quote_) quote_ = 0;
      return Place::quoted;
    }
    escaped_ = c == '\\';
    if (c != '\'' && c != '"') return Place::bare;
    quote_ = c;
    return Place::opening;
  }
  /// The quote that the next character stands in, or 0.
  [[nodiscard]] char open() const { return quote_; }

 private:
  char quote_ = 0;
  bool escaped_ = false;
};

/// A shell command as it grows, and where in the shell's grammar (XCU 2.3) its end is.
class ShellCommand {
 public:
  /// The template's own words.
  void add(std::string_view literal) {
    for (const char c : literal) step(c);
    text_ += literal;
  }

  /// A value that is one word or a part of one. False: it cannot stand here.
  [[nodiscard]] bool add_value(std::string_view value) {
    if (value.empty()) return false;
    if (quotes_.open() == '\'') return is_plain_text(value) && append(value);
    if (quotes_.open() == '"') return is_plain_in_shell(value) && append(value);
    const bool begins_word = word_.empty();
    if (begins_word && words_ == 0) return false;
    if (begins_word && value.front() == '-' && !after_dashes_) return false;
    const auto quoted = shell_quoted(value);
    return quoted && append(*quoted);
  }

  /// A value that is some whole words, one on each line; the rule that made it may have put options there.
  [[nodiscard]] bool add_words(std::string_view lines) {
    if (quotes_.open() != 0 || !word_.empty() || lines.empty()) return false;
    for (bool first = true; !lines.empty(); first = false) {
      const auto quoted = shell_quoted(next_line(lines));
      if (!quoted || !append((first ? "" : " ") + *quoted)) return false;
    }
    return true;
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  bool append(std::string_view word_part) {
    text_ += word_part;
    word_ += 'v';
    return true;
  }

  void step(char c) {
    const auto place = quotes_.take(c);
    if (place == Quotes::Place::quoted) return;
    if (place != Quotes::Place::bare || std::string_view(" \t\n;|&()<>").find(c) == std::string_view::npos) {
      word_ += c;
      return;
    }
    end_word();
    if (kEndsSimpleCommand.find(c) != std::string_view::npos) words_ = 0, after_dashes_ = false;
  }

  void end_word() {
    if (word_ == "--") after_dashes_ = true;
    if (!word_.empty()) ++words_;
    word_.clear();
  }

  std::string text_;
  std::string word_;           // the present word, of values only that there are some
  std::size_t words_ = 0;      // words before it in this simple command
  bool after_dashes_ = false;  // "--" is one of them: no option can follow
  Quotes quotes_;
};

std::string shell_command(const std::vector<Piece>& pieces) {
  ShellCommand command;
  for (const auto& piece : pieces) {
    if (piece.kind == Piece::Kind::words)
      command.add(piece.text);
    else if (!(piece.kind == Piece::Kind::list ? command.add_words(piece.text)
                                               : command.add_value(piece.text)))
      return {};
  }
  return command.text();
}

/// Whether a shell that a line of a file is copied into by mistake finds no program to run in it.
bool runs_nothing(std::string_view line, bool begins_with_own_words) {
  const auto word = line.substr(0, line.find(' '));
  if (word.find('=') != std::string_view::npos)
    return word == line;  // what follows an assignment is a command
  const bool names_sysctl =
      word.find('.') != std::string_view::npos && word.find('/') == std::string_view::npos;
  return begins_with_own_words || names_sysctl;
}

std::string file_line(const std::vector<Piece>& pieces) {
  std::string line;
  for (const auto& piece : pieces) {
    if (piece.kind != Piece::Kind::words && (piece.text.empty() || !is_plain_text(piece.text))) return {};
    line += piece.text;
  }
  const bool own_words = !pieces.empty() && pieces.front().kind == Piece::Kind::words;
  return runs_nothing(line, own_words) ? line : std::string();
}

/// Whether a command sets or reads a sysctl that the machine has only once: it works in the first namespace
/// alone.
bool is_about_machine(std::string_view command) {
  command.remove_prefix(std::min(command.size(), command.find_last_of(' ', command.find('=')) + 1));
  const auto* spec = find_sysctl(command.substr(0, command.find('=')));
  return spec != nullptr && spec->scope == SysctlScope::machine;
}

/// Programs that show or set what belongs to the namespace they run in.
bool depends_on_netns(std::string_view command) {
  constexpr auto kPrograms = std::to_array<std::string_view>(
      {"conntrack", "ip", "nc", "nft", "ping", "ss", "sysctl", "tcpdump", "watch"});
  const auto program = command.substr(0, command.find(' '));
  return std::ranges::find(kPrograms, program) != kPrograms.end() && !is_about_machine(command);
}

/// Where the simple command at the beginning of `text` ends.
std::size_t end_of_simple_command(std::string_view text) {
  Quotes quotes;
  const auto ends = [&](char c) {
    return quotes.take(c) == Quotes::Place::bare && kEndsSimpleCommand.find(c) != std::string_view::npos;
  };
  return static_cast<std::size_t>(std::find_if(text.begin(), text.end(), ends) - text.begin());
}

/// The pid in "/proc/PID/ns/net"; empty: it is another path.
std::string_view pid_of(std::string_view path) {
  constexpr std::string_view kBefore = "/proc/", kBehind = "/ns/net";
  if (!path.starts_with(kBefore) || !path.ends_with(kBehind)) return {};
  const auto pid = path.substr(kBefore.size(), path.size() - kBefore.size() - kBehind.size());
  return pid.find_first_not_of("0123456789") == std::string_view::npos ? pid : std::string_view();
}

/// What a command that shall run in the namespace begins with; empty: its name cannot stand there.
std::optional<std::string> entering(std::string_view netns) {
  if (const auto pid = pid_of(netns); !pid.empty()) return "nsenter -t " + std::string(pid) + " -n ";
  const auto name = netns.starts_with('-') ? std::nullopt : shell_quoted(netns);
  if (!name) return std::nullopt;
  return (netns.starts_with('/') ? "nsenter --net=" : "ip netns exec ") + *name + " ";
}

}  // namespace

std::string command_of(const AdviceText& advice, const Values& values) {
  if (!can_fill_in(advice.command, values)) return {};
  const auto pieces = pieces_of(advice.command, values);
  return advice.kind == CommandKind::file_line ? file_line(pieces) : shell_command(pieces);
}

std::string in_netns(const std::string& command, std::string_view netns) {
  if (netns.empty() || netns == kHostNetns) return command;
  const auto prefix = entering(netns);
  std::string result;
  for (std::string_view rest = command; !rest.empty();) {
    const auto begin = std::min(rest.find_first_not_of(" \n;|&()"), rest.size());
    result += rest.substr(0, begin);
    rest.remove_prefix(begin);
    const auto simple = rest.substr(0, end_of_simple_command(rest));
    rest.remove_prefix(simple.size());
    if (depends_on_netns(simple)) {
      if (!prefix) return {};
      result += *prefix;
    }
    result += simple;
  }
  return result;
}

}  // namespace tcpdiag
