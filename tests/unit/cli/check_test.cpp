// SPDX-License-Identifier: Apache-2.0
#include "cli/check.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

FindingsAnswer answer_of(const std::vector<Severity>& found, const std::vector<Severity>& unknown = {}) {
  FindingsAnswer answer;
  for (const auto severity : found) answer.findings.push_back({.finding = {.severity = severity}});
  for (const auto severity : unknown) answer.unknown.push_back({.severity = severity});
  return answer;
}

}  // namespace

TEST_CASE("the status of a check is the worst finding's, and info is none") {
  CHECK(status_of(answer_of({}), {}) == CheckStatus::nothing);
  CHECK(status_of(answer_of({Severity::info}), {}) == CheckStatus::nothing);
  CHECK(status_of(answer_of({Severity::info, Severity::warning}), {}) == CheckStatus::warning);
  CHECK(status_of(answer_of({Severity::critical, Severity::warning}), {}) == CheckStatus::critical);
}

TEST_CASE("with --critical-only a warning counts as nothing") {
  const CheckPolicy policy{.critical_only = true};
  CHECK(status_of(answer_of({Severity::warning}), policy) == CheckStatus::nothing);
  CHECK(status_of(answer_of({Severity::critical}), policy) == CheckStatus::critical);
  CHECK(status_of(answer_of({Severity::warning}, {Severity::critical}), policy) == CheckStatus::cannot_tell);
}

TEST_CASE("a check cannot tell when what is not known could be critical and nothing is found") {
  CHECK(status_of(answer_of({Severity::info}, {Severity::info, Severity::critical}), {}) ==
        CheckStatus::cannot_tell);
  CHECK(status_of(answer_of({}, {Severity::warning}), {}) == CheckStatus::nothing);
  CHECK(status_of(answer_of({}, {Severity::info}), {}) == CheckStatus::nothing);
  CHECK(status_of(answer_of({Severity::warning}, {Severity::critical}), {}) == CheckStatus::warning);
  CHECK(status_of(answer_of({Severity::critical}, {Severity::critical}), {}) == CheckStatus::critical);
}

TEST_CASE("a warning that is not known counts where a policy says so") {
  const CheckPolicy policy{.unknown_from = Severity::warning};
  CHECK(status_of(answer_of({}, {Severity::warning}), policy) == CheckStatus::cannot_tell);
  CHECK(status_of(answer_of({}, {Severity::info}), policy) == CheckStatus::nothing);
}

TEST_CASE("what is to be ignored may be named by its finding and by its source") {
  FindingsAnswer answer;
  answer.unknown.push_back(
      {.unknown = {.id = "system-fd-limit", .source = "file_handles"}, .severity = Severity::critical});
  CHECK(status_of(answer, {}) == CheckStatus::cannot_tell);
  CHECK(status_of(answer, {.ignored_unknown = {"kernel_log"}}) == CheckStatus::cannot_tell);
  CHECK(status_of(answer, {.ignored_unknown = {"kernel_log", "file_handles"}}) == CheckStatus::nothing);
  CHECK(status_of(answer, {.ignored_unknown = {"system-fd-limit"}}) == CheckStatus::nothing);
}

TEST_CASE("namespaces that could not be looked into leave it open whether all is well") {
  FindingsAnswer answer;
  answer.left_out = {{.why = NetnsState::excluded, .count = 3}, {.why = NetnsState::soon, .count = 1}};
  CHECK(status_of(answer, {}) == CheckStatus::nothing);  // the first were left out on purpose
  for (const auto why : {NetnsState::denied, NetnsState::too_many}) {
    answer.left_out = {{.why = why, .count = 1}};
    CHECK(status_of(answer, {}) == CheckStatus::cannot_tell);
    CHECK(status_of(answer, {.ignored_unknown = {"namespaces"}}) == CheckStatus::nothing);
    CHECK(status_of(answer, {.ignored_unknown = {"kernel_log"}}) == CheckStatus::cannot_tell);
  }
}

TEST_CASE("a URL that is none is refused before anything is asked") {
  const auto answer = ask_daemon({.url = "db1:10180"}, "api/v1/findings");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().detail == "--url is \"db1:10180\"; allowed: http://HOST:PORT or https://HOST:PORT");
}
