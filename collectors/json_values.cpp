// SPDX-License-Identifier: Apache-2.0
#include "collectors/json_values.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <vector>

namespace tcpdiag {
namespace {

using Json = nlohmann::json;

class Values : public nlohmann::json_sax<Json> {
 public:
  explicit Values(const std::function<void(JsonPath, std::string_view)>& show) : show_(show) {}

  bool null() override { return pass(); }
  bool boolean(bool) override { return pass(); }
  bool number_integer(number_integer_t value) override { return show(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return show(std::to_string(value)); }
  bool number_float(number_float_t, const string_t&) override { return pass(); }
  bool string(string_t& value) override { return show(value); }
  bool binary(binary_t&) override { return false; }
  bool key(string_t& name) override {
    path_.back() = std::move(name);
    return true;
  }
  bool start_object(std::size_t) override { return open(kInObject); }
  bool start_array(std::size_t) override { return open(0); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  static constexpr std::size_t kDeepest = 64;
  static constexpr std::size_t kInObject = static_cast<std::size_t>(-1);

  // Before each value: in an array it gets its place.
  bool pass() {
    if (!places_.empty() && places_.back() != kInObject) path_.back() = std::to_string(places_.back()++);
    return true;
  }
  bool show(std::string_view text) {
    pass();
    show_(path_, text);
    return true;
  }
  bool open(std::size_t place) {
    pass();
    places_.push_back(place);
    path_.emplace_back();
    return places_.size() <= kDeepest;
  }
  bool close() {
    places_.pop_back();
    path_.pop_back();
    return true;
  }

  const std::function<void(JsonPath, std::string_view)>& show_;
  std::vector<std::string> path_;
  std::vector<std::size_t> places_;  ///< of each level: how many values the array had, or kInObject
};

}  // namespace

bool for_each_json_value(std::string_view document,
                         const std::function<void(JsonPath, std::string_view)>& show) {
  Values values(show);
  return Json::sax_parse(document, &values);
}

}  // namespace tcpdiag
