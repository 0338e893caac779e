// SPDX-License-Identifier: Apache-2.0
#include "daemon/options.h"

#include <sys/stat.h>

#include "collectors/catalog.h"
#include "tests/catch.h"
#include "tests/temporary_directory.h"

using namespace tcpdiag;

namespace {

using Arguments = std::vector<std::string>;

std::string complaint(const Arguments& arguments) {
  const auto options = load_options(arguments);
  REQUIRE_FALSE(options);
  CHECK(options.error().code == 2);
  return options.error().text;
}

/// What is said about a file with this content, without the file's name.
std::string complaint_about(std::string_view text) {
  const TemporaryDirectory directory;
  const auto path = directory.write("tcpdiagd.json", text);
  const auto line = complaint({"--config.file", path});
  REQUIRE(line.starts_with(path + ": "));
  return line.substr(path.size() + 2);
}

}  // namespace

TEST_CASE("without flags and file the options have their defaults") {
  const auto options = load_options({});
  REQUIRE(options);
  CHECK(*options == Options{});
  CHECK(options->listen_addresses == Arguments{":10180"});
  CHECK(options->cpu_budget == 0.01);
}

TEST_CASE("every option can be given as a flag, with a blank or an equals sign") {
  const auto options = load_options({"--web.listen-address=127.0.0.1:1",
                                     "--web.listen-address",
                                     "[::1]:2",
                                     "--web.allowed-host=a",
                                     "--web.allowed-host=*.b",
                                     "--web.external-url=https://web1/x",
                                     "--web.config.file=web.yml",
                                     "--web.max-connections=8",
                                     "--web.max-connections-per-ip=4",
                                     "--log.level",
                                     "debug",
                                     "--log.format=json",
                                     "--no-collector.netstat",
                                     "--cpu-budget",
                                     "0.5",
                                     "--netns=blue",
                                     "--netns=/proc/7/ns/net",
                                     "--max-listeners=1",
                                     "--max-server-ports=2",
                                     "--max-processes=3"});
  REQUIRE(options);
  Options expected;
  expected.listen_addresses = {"127.0.0.1:1", "[::1]:2"};
  expected.allowed_hosts = {"a", "*.b"};
  expected.external_url = "https://web1/x";
  expected.web_config_file = "web.yml";
  expected.max_connections = 8;
  expected.max_connections_per_ip = 4;
  expected.log_level = LogLevel::debug;
  expected.log_format = LogFormat::json;
  expected.collectors_off = {"netstat"};
  expected.cpu_budget = 0.5;
  expected.namespaces = {"blue", "/proc/7/ns/net"};
  expected.max_listeners = 1;
  expected.max_server_ports = 2;
  expected.max_processes = 3;
  CHECK(*options == expected);
}

TEST_CASE("a file may say every option, with comments") {
  const TemporaryDirectory directory;
  const auto path = directory.write("tcpdiagd.json", R"({
    // one line
    "listen_addresses": ["[::1]:2"], /* several
    lines */ "allowed_hosts": ["a"], "web_external_url": "http://web1", "web_config_file": "web.yml", "max_connections": 8, "max_connections_per_ip": 4, "log_level": "warn", "log_format": "json",
    "collectors": {"netstat": false}, "cpu_budget": 1, "namespaces": ["blue"],
    "max_listeners": 1, "max_server_ports": 2, "max_processes": 3
  })");
  const auto options = load_options({"--config.file=" + path});
  REQUIRE(options);
  CHECK(options->listen_addresses == Arguments{"[::1]:2"});
  CHECK(options->allowed_hosts == Arguments{"a"});
  CHECK(options->external_url == "http://web1");
  CHECK(options->web_config_file == "web.yml");
  CHECK(options->max_connections == 8);
  CHECK(options->log_level == LogLevel::warn);
  CHECK(options->log_format == LogFormat::json);
  CHECK(options->collectors_off.contains("netstat"));
  CHECK(options->cpu_budget == 1);
  CHECK(options->namespaces == Arguments{"blue"});
  CHECK(options->max_processes == 3);
}

TEST_CASE("flags override the file, collector by collector") {
  const TemporaryDirectory directory;
  const auto path = directory.write(
      "c",
      R"({"cpu_budget": 0.2, "log_level": "warn", "collectors": {"netstat": false}, "namespaces": ["a"]})");
  const auto options =
      load_options({"--cpu-budget=0.3", "--collector.netstat", "--netns=b", "--config.file", path});
  REQUIRE(options);
  CHECK(options->cpu_budget == 0.3);
  CHECK(options->log_level == LogLevel::warn);
  CHECK(options->collectors_off.empty());
  CHECK(options->namespaces == Arguments{"b"});
}

TEST_CASE("an unknown flag or argument is named, with the nearest known flag") {
  CHECK(complaint({"--log-level=debug"}) == "unknown flag \"--log-level\"; did you mean \"--log.level\"?\n");
  CHECK(complaint({"--colector.netstat"}) ==
        "unknown flag \"--colector.netstat\"; did you mean \"--collector.netstat\"?\n");
  CHECK(complaint({"--cpu-bugdet", "1"}) ==
        "unknown flag \"--cpu-bugdet\"; did you mean \"--cpu-budget\"?\n");
  CHECK(complaint({"--foo=1"}) == "unknown flag \"--foo\"; --help shows the known ones\n");
  CHECK(complaint({"-x"}) == "unknown flag \"-x\"; --help shows the known ones\n");
  CHECK(complaint({"start"}) == "unexpected argument \"start\"\n");
  CHECK(complaint({"--log.level=info", ":80"}) == "unexpected argument \":80\"\n");
  CHECK(complaint({"a\nb"}) == "unexpected argument \"a\\nb\"\n");
  CHECK(complaint({""}) == "unexpected argument \"\"\n");
  CHECK(complaint({"--"}) == "unknown flag \"--\"; --help shows the known ones\n");
  CHECK(complaint({"--", "--help"}) == "unknown flag \"--\"; --help shows the known ones\n");
  CHECK(complaint({"++"}) == "unexpected argument \"++\"\n");
}

TEST_CASE("a flag without its value, with one too many or given twice is refused") {
  CHECK(complaint({"--log.level"}) == "--log.level needs a value\n");
  CHECK(complaint({"--web.listen-address"}) == "--web.listen-address needs a value\n");
  CHECK(complaint({"--log.level=", "--help"}) == "--log.level needs a value\n");
  CHECK(complaint({"--config.file"}) == "--config.file needs a value\n");
  CHECK(complaint({"--log.level=info", "--log.level=warn"}) == "--log.level is given more than once\n");
  CHECK(complaint({"--collector.netstat=no"}) == "--collector.netstat takes no value\n");
  CHECK(complaint({"--collector.netstat=false"}) == "--collector.netstat takes no value\n");
  CHECK(complaint({"--collector.netstat", "--no-collector.netstat"}) ==
        "--collector.netstat and --no-collector.netstat contradict each other\n");
}

TEST_CASE("a flag's value that is not allowed is named with what is") {
  CHECK(complaint({"--log.level=loud"}) ==
        "--log.level is \"loud\"; allowed: trace, debug, info, warn or error\n");
  CHECK(complaint({"--log.format", ""}) == "--log.format is \"\"; allowed: logfmt or json\n");
  for (const auto* value : {"0", "1.5", "-1"})
    CHECK(complaint({"--cpu-budget", value}) ==
          std::string("--cpu-budget is ") + value + "; allowed: a number above 0 and up to 1\n");
  CHECK(complaint({"--cpu-budget=1 %"}) ==
        "--cpu-budget is \"1 %\"; allowed: a number above 0 and up to 1\n");
  CHECK(complaint({"--cpu-budget=nan"}) == "--cpu-budget is nan; allowed: a number above 0 and up to 1\n");
  CHECK(complaint({"--max-processes=0"}) ==
        "--max-processes is 0; allowed: a whole number from 1 to 10000\n");
  CHECK(complaint({"--max-listeners=1e6"}) ==
        "--max-listeners is 1000000; allowed: a whole number from 1 to 100000\n");
  CHECK(complaint({"--max-listeners=2.5"}) ==
        "--max-listeners is 2.5; allowed: a whole number from 1 to 100000\n");
  CHECK(complaint({"--max-server-ports=1e300"}) ==
        "--max-server-ports is 1e+300; allowed: a whole number from 1 to 65535\n");
  CHECK(complaint({"--web.max-connections=many"}) ==
        "--web.max-connections is \"many\"; allowed: a whole number from 1 to 10000\n");
}

TEST_CASE("an external URL that is no link is named with what is allowed") {
  CHECK(complaint({"--web.external-url=web1:10180"}) ==
        "--web.external-url is \"web1:10180\"; allowed: \"http://HOST[:PORT][/PATH]\" or the same with "
        "https, without user name, query and fragment, or \"\" for none\n");
  CHECK(load_options({"--web.external-url", ""}));
}

TEST_CASE("a limit for each address above the limit of all is a mistake only when both were set") {
  const auto lowered = load_options({"--web.max-connections=5"});
  REQUIRE(lowered);
  CHECK(lowered->max_connections_per_ip == 5);
  const auto raised = load_options({"--web.max-connections-per-ip=1000"});
  REQUIRE(raised);
  CHECK(raised->max_connections_per_ip == Options{}.max_connections);

  CHECK(complaint({"--web.max-connections=5", "--web.max-connections-per-ip=8"}) ==
        "--web.max-connections-per-ip is 8; allowed: not more than --web.max-connections, which is 5\n");
  const TemporaryDirectory directory;
  const auto file = directory.write("c.json", R"({"max_connections_per_ip": 8})");
  CHECK(complaint({"--web.max-connections=5", "--config.file", file}) ==
        file + ": max_connections_per_ip is 8; allowed: not more than --web.max-connections, which is 5\n");
  const auto both = directory.write("both.json", R"({"max_connections_per_ip": 8, "max_connections": 5})");
  CHECK(complaint({"--config.file", both}) == both +
                                                  ": max_connections_per_ip is 8; allowed: not more than " +
                                                  both + ": max_connections, which is 5\n");
  CHECK(load_options({"--web.max-connections=8", "--config.file", both}));
}

TEST_CASE("listen addresses and namespaces are checked one by one") {
  constexpr auto kAddresses =
      "; allowed: 1 to 16 of: an IPv4 address and \":PORT\", an IPv6 address in brackets and \":PORT\", "
      "\"localhost:PORT\", or \":PORT\" alone\n";
  CHECK(complaint({"--web.listen-address=10180"}) ==
        std::string("--web.listen-address is \"10180\"") + kAddresses);
  CHECK(complaint({"--web.listen-address=[::1]"}) ==
        std::string("--web.listen-address is \"[::1]\"") + kAddresses);
  CHECK(complaint({"--web.listen-address=:1", "--web.listen-address=:1"}) ==
        "--web.listen-address names \":1\" twice\n");
  constexpr auto kNamespaces =
      "; allowed: up to 64 of: a name under /run/netns other than \"host\", or an absolute path such as "
      "/proc/PID/ns/net\n";
  for (const auto* bad : {"", "a/b", "..", "/", "host"})
    CHECK(complaint({"--netns", bad}) == std::string("--netns is \"") + bad + "\"" + kNamespaces);
  CHECK(complaint(Arguments(17, "--web.listen-address=:1")) ==
        std::string("--web.listen-address has 17 entries") + kAddresses);
}

TEST_CASE("namespaces are included and excluded by patterns, and a bad one is named") {
  const auto options =
      load_options({"--netns.include=payments/*", "--netns.include", "shop", "--netns.exclude=*-canary"});
  REQUIRE(options);
  CHECK(options->netns_include == Arguments{"payments/*", "shop"});
  CHECK(options->netns_exclude == Arguments{"*-canary"});
  CHECK_THAT(
      complaint({"--netns.exclude=web-[12]"}),
      Catch::StartsWith(
          "--netns.exclude is \"web-[12]\"; allowed: up to 64 of: a name such as \"shop\", or a pattern"));
  for (const auto* bad : {"", "host", "/run/netns/shop", "a\"b"})
    CHECK_THAT(complaint({"--netns.include", bad}),
               ContainsSubstring("; allowed: up to 64 of: a name such as"));
  CHECK(complaint({"--netns.exclude=a", "--netns.exclude=a"}) == "--netns.exclude names \"a\" twice\n");
}

TEST_CASE("an unknown key of the file is named with the nearest known one") {
  CHECK(complaint_about(R"({"cpu_bugdet": 1})") ==
        "unknown key \"cpu_bugdet\"; did you mean \"cpu_budget\"?\n");
  CHECK(complaint_about(R"({"listen_address": [":1"]})") ==
        "unknown key \"listen_address\"; did you mean \"listen_addresses\"?\n");
  CHECK(complaint_about(R"({"log\nlevel": "info"})") == "a control character in key \"log\\nlevel\"\n");
  CHECK(complaint_about(R"({"collectors": {"nestat": false}})") ==
        "collectors has the unknown key \"nestat\"; did you mean \"netstat\"?\n");
  const std::string long_key(200000, 'x');
  CHECK(complaint_about("{\"" + long_key + "\": 1}").size() < 400);
  CHECK_THAT(
      complaint_about(R"({"": 1})"),
      ContainsSubstring("unknown key \"\"; allowed: listen_addresses, allowed_hosts, web_external_url, "));
  CHECK_THAT(complaint_about(R"({"collectors": {"disk": true}})"),
             ContainsSubstring("collectors has the unknown key \"disk\"; allowed: netstat, sockstat, "));
}

TEST_CASE("a value of the file that is not allowed is named with its key and what is") {
  CHECK(complaint_about(R"({"cpu_budget": 2})") ==
        "cpu_budget is 2; allowed: a number above 0 and up to 1\n");
  CHECK(complaint_about(R"({"cpu_budget": "0.5"})") ==
        "cpu_budget is \"0.5\"; allowed: a number above 0 and up to 1\n");
  CHECK(complaint_about(R"({"cpu_budget": {}})") ==
        "cpu_budget is {}; allowed: a number above 0 and up to 1\n");
  CHECK(complaint_about(R"({"cpu_budget": [0.5, [1]]})") ==
        "cpu_budget is [... 0.5 ...]; allowed: a number above 0 and up to 1\n");
  CHECK(complaint_about(R"({"log_level": null})") ==
        "log_level is null; allowed: trace, debug, info, warn or error\n");
  CHECK(complaint_about(R"({"log_level": ["info"]})") ==
        "log_level is [\"info\"]; allowed: trace, debug, info, warn or error\n");
  CHECK(complaint_about(R"({"max_processes": -1})") ==
        "max_processes is -1; allowed: a whole number from 1 to 10000\n");
  CHECK(complaint_about(R"({"max_processes": 18446744073709551615})") ==
        "max_processes is 18446744073709551616; allowed: a whole number from 1 to 10000\n");
  CHECK(complaint_about(R"({"max_processes": true})") ==
        "max_processes is true; allowed: a whole number from 1 to 10000\n");
  CHECK_THAT(complaint_about(R"({"listen_addresses": ":10180"})"),
             ContainsSubstring(
                 "listen_addresses is \":10180\", which is not a list; allowed: a list of 1 to 16 of: "));
  CHECK_THAT(complaint_about(R"({"listen_addresses": [5]})"),
             ContainsSubstring("listen_addresses is [... 5 ...]; allowed: a list of 1 to 16 of: "));
  CHECK_THAT(complaint_about(R"({"listen_addresses": []})"),
             ContainsSubstring("listen_addresses has 0 entries; allowed: 1 to 16 of: "));
  CHECK(complaint_about(R"({"collectors": {"netstat": "no"}})") ==
        "collectors is {... \"netstat\": \"no\" ...}; allowed: collectors' names, each true or false\n");
  CHECK(complaint_about(R"({"collectors": ["netstat"]})") ==
        "collectors is [\"netstat\"]; allowed: collectors' names, each true or false\n");
}

TEST_CASE("a file that cannot be read is one line that names it") {
  const TemporaryDirectory directory;
  const auto missing = directory.path("missing.json");
  CHECK(complaint({"--config.file", missing}) == missing + ": No such file or directory\n");
  CHECK(complaint({"--config.file", "/a\nb"}) == "/a\\nb: No such file or directory\n");
  CHECK(complaint({"--config.file", directory.path("")}) == directory.path("") + ": not a regular file\n");
  const auto fifo = directory.path("fifo");
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(complaint({"--config.file", fifo}) == fifo + ": not a regular file\n");
  const auto large = directory.write("large.json", "{}" + std::string(1 << 20, ' '));
  CHECK(complaint({"--config.file", large}) == large + ": longer than 1048576 bytes\n");
  const auto largest = directory.write("largest.json", "{}" + std::string((1 << 20) - 2, ' '));
  CHECK(load_options({"--config.file", largest}));
}

TEST_CASE("the flag --config.check says in one line that all is well, or what is not") {
  const TemporaryDirectory directory;
  const auto good = load_options({"--config.check", "--config.file", directory.write("good.json", "{}")});
  REQUIRE_FALSE(good);
  CHECK(good.error().code == 0);
  CHECK(good.error().text == directory.path("good.json") + ": valid\n");
  const auto flags = load_options({"--config.check", "--log.level=warn"});
  REQUIRE_FALSE(flags);
  CHECK(flags.error().code == 0);
  CHECK(flags.error().text == "the flags are valid\n");
  CHECK(complaint({"--config.check", "--cpu-budget=7"}) ==
        "--cpu-budget is 7; allowed: a number above 0 and up to 1\n");
}

TEST_CASE("the flag --config.check looks into the web configuration file as well") {
  const TemporaryDirectory directory;
  const auto good = directory.write("good.yml", "rate_limit: {interval: 1s, burst: 5}\n");
  const auto checked = load_options({"--config.check", "--web.config.file", good});
  REQUIRE_FALSE(checked);
  CHECK(checked.error().code == 0);
  const auto bad = directory.write("bad.yml", "rate_limits: {}\n");
  const auto http2 = directory.write("http2.yml", "http_server_config: {http2: true}\n");
  const auto warned = load_options({"--config.check", "--web.config.file", http2});
  REQUIRE_FALSE(warned);
  CHECK(warned.error().code == 0);
  CHECK(warned.error().text == "warning: " + http2 +
                                   ": http2 is true, but only HTTP/1.1 is served, to every client\n"
                                   "the flags are valid\n");
  CHECK(complaint({"--config.check", "--web.config.file", bad}) ==
        bad + ":1: unknown key \"rate_limits\"; did you mean \"rate_limit\"?\n");
  const auto missing =
      directory.write("missing.yml", "tls_server_config: {cert_file: c.pem, key_file: k.pem}");
  CHECK(complaint({"--config.check", "--web.config.file", missing}) ==
        missing + ": cert_file: " + directory.path("c.pem") + ": No such file or directory\n");
  CHECK(complaint({"--web.config.file", "a\nb"}) ==
        "--web.config.file is \"a\\nb\"; allowed: the path of a file, or \"\" for none\n");
}

TEST_CASE("the flag --help names every collector and --version the version, whatever else is said") {
  const auto help = load_options({"--help", "--cpu-budget=7"});
  REQUIRE_FALSE(help);
  CHECK(help.error().code == 0);
  CHECK_THAT(help.error().text, ContainsSubstring("--web.listen-address=ADDRESS"));
  for (const auto& collector : collector_catalog())
    CHECK_THAT(help.error().text, ContainsSubstring(" " + std::string(collector.name)));
  const auto short_help = load_options({"-h"});
  REQUIRE_FALSE(short_help);
  CHECK(short_help.error().text == help.error().text);
  const auto version = load_options({"--version"});
  REQUIRE_FALSE(version);
  CHECK(version.error().code == 0);
  CHECK_THAT(version.error().text, ContainsSubstring("tcpdiagd 0."));
}

TEST_CASE("loading again sees the file's new content under the same flags") {
  const TemporaryDirectory directory;
  const Arguments arguments = {"--config.file", directory.write("c.json", R"({"cpu_budget": 0.2})"),
                               "--log.level=warn"};
  const auto before = load_options(arguments);
  REQUIRE(before);
  (void)directory.write("c.json", R"({"cpu_budget": 0.4, "log_level": "debug", "listen_addresses": [":1"]})");
  const auto after = load_options(arguments);
  REQUIRE(after);
  CHECK(after->cpu_budget == 0.4);
  CHECK(after->log_level == LogLevel::warn);
  CHECK(needs_restart(*before, *after) == Arguments{"listen_addresses"});
}

TEST_CASE("only what is bound at the start needs a restart") {
  Options changed;
  changed.log_level = LogLevel::debug;
  changed.log_format = LogFormat::json;
  changed.collectors_off = {"netstat"};
  changed.cpu_budget = 1;
  changed.netns_include = changed.netns_exclude = {"shop"};
  changed.max_listeners = changed.max_server_ports = changed.max_processes = 1;
  CHECK(needs_restart(Options{}, changed).empty());
  changed.listen_addresses = {":1"};
  changed.web_config_file = "web.yml";
  changed.max_connections = 1;
  changed.max_connections_per_ip = 1;
  changed.namespaces = {"blue"};
  CHECK(needs_restart(Options{}, changed) == Arguments{"listen_addresses", "web_config_file",
                                                       "max_connections", "max_connections_per_ip",
                                                       "namespaces"});
}
