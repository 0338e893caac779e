// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>

#include "collectors/files.h"
#include "core/utf8.h"

namespace tcpdiag {
namespace {

using Json = nlohmann::json;

bool is_control(char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }

bool has_control(std::string_view text) { return std::ranges::any_of(text, is_control); }

/// "line 3, column 7" of the byte at that place.
std::string place_of(std::string_view text, std::size_t at) {
  const auto before = text.substr(0, at);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto column = before.size() - (before.rfind('\n') + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

/// Where a byte stands that no text has; the parser takes a zero for the end. Empty: nowhere.
std::string stray_control(std::string_view text) {
  const auto stray =
      std::ranges::find_if(text, [](char c) { return is_control(c) && c != '\n' && c != '\r' && c != '\t'; });
  if (stray == text.end()) return {};
  return place_of(text, static_cast<std::size_t>(stray - text.begin())) + ": a control character, " +
         one_line(std::string_view(&*stray, 1));
}

/// Takes the parser's events and makes entries of them. The library's own tree would keep the last of two
/// equal keys in silence, and recursion would let a file choose how deep the stack grows.
class Entries : public nlohmann::json_sax<Json> {
 public:
  explicit Entries(std::string_view text) : text_(text) {}

  std::vector<ConfigEntry> entries;
  std::string complaint;  ///< why the parser stopped

  bool null() override { return take(OtherValue{"null"}); }
  bool boolean(bool value) override { return take(value); }
  bool number_integer(number_integer_t value) override { return take(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override { return take(static_cast<double>(value)); }
  bool number_float(number_float_t value, const string_t&) override { return take(value); }
  bool string(string_t& value) override {
    if (!has_control(value)) return take(std::move(value));
    complaint = "key " + quote(key_) + ": a control character in its text " + quote(value);
    return false;
  }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(Kind::object); }
  bool start_array(std::size_t) override { return open(Kind::list); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (has_control(name)) {
      complaint = "a control character in key " + quote(name);
      return false;
    }
    if (!keys_.back().insert(name).second) {
      complaint = "key " + quote(name) + " is there twice";
      return false;
    }
    (kinds_.size() == 1 ? key_ : member_) = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    // the position counts the bytes read, the offending one included
    const auto at = std::min(position == 0 ? 0 : position - 1, text_.size());
    complaint = place_of(text_, at) + ": not valid JSON";
    if (at == text_.size())
      complaint += ": the text ends too early";
    else if (const char c = text_[at]; c > ' ' && c <= '~')
      complaint += std::string(" at '") + c + "'";
    return false;
  }

 private:
  enum class Kind { object, list };
  static constexpr std::size_t kDeepest = 16;

  bool open(Kind kind) {
    if (kinds_.empty() && kind == Kind::list) return not_an_object();
    if (kinds_.size() == kDeepest) {
      complaint = "nested deeper than " + std::to_string(kDeepest) + " levels";
      return false;
    }
    if (kinds_.size() == 1) {
      value_ = kind == Kind::list ? OptionValue(std::vector<std::string>{}) : OptionValue(Switches{});
    } else if (kinds_.size() > 1) {
      add(OtherValue{kind == Kind::list ? "[...]" : "{...}"});
    }
    kinds_.push_back(kind);
    keys_.emplace_back();
    return true;
  }

  bool close() {
    kinds_.pop_back();
    keys_.pop_back();
    if (kinds_.size() == 1) entries.push_back({std::move(key_), std::move(value_)});
    return true;
  }

  bool take(OptionValue value) {
    if (kinds_.empty()) return not_an_object();
    if (kinds_.size() == 1) {
      entries.push_back({std::move(key_), std::move(value)});
    } else if (kinds_.size() == 2) {
      add(std::move(value));
    }
    return true;  // deeper ones are part of a value that nobody takes
  }

  /// Puts a member into the list or object that is being read. One that does not fit makes it a value that no
  /// option takes, shown by that member.
  void add(OptionValue value) {
    if (kinds_.size() != 2) return;
    if (auto* texts = std::get_if<std::vector<std::string>>(&value_)) {
      if (auto* text = std::get_if<std::string>(&value))
        texts->push_back(std::move(*text));
      else
        value_ = OtherValue{"[... " + to_string(value) + " ...]"};
    } else if (auto* switches = std::get_if<Switches>(&value_)) {
      if (const auto* on = std::get_if<bool>(&value))
        switches->members.emplace_back(std::move(member_), *on);
      else
        value_ = OtherValue{"{... " + quote(member_) + ": " + to_string(value) + " ...}"};
    }
  }

  bool not_an_object() {
    complaint = "not an object: the file begins with '{' and ends with '}'";
    return false;
  }

  std::string_view text_;
  std::vector<Kind> kinds_;                  // of what is open, outermost first
  std::vector<std::set<std::string>> keys_;  // seen so far in each of them
  std::string key_, member_;
  OptionValue value_;  // the list or object being read
};

}  // namespace

Result<std::vector<ConfigEntry>> parse_config_file(const std::string& name, std::string_view text) {
  if (const auto stray = stray_control(text); !stray.empty())
    return unexpected(Errc::malformed, name + ": " + stray);
  Entries entries(text);
  constexpr bool kStrict = true;
  constexpr bool kIgnoreComments = true;
  if (!Json::sax_parse(text, &entries, Json::input_format_t::json, kStrict, kIgnoreComments))
    return unexpected(Errc::malformed, name + ": " + entries.complaint);
  return std::move(entries.entries);
}

Result<std::string> read_config_file(const std::string& path) {
  // without O_NONBLOCK, opening a FIFO would wait for a writer
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return tl::unexpected<Error>(system_error(errno, path));
  if (!S_ISREG(status.st_mode)) return unexpected(Errc::malformed, path + ": not a regular file");
  return read_whole(file, path, kMaxConfigBytes);
}

std::string path_beside(const std::string& path, const std::string& name) {
  if (name.starts_with('/')) return name;
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? name : path.substr(0, slash + 1) + name;
}

}  // namespace tcpdiag
