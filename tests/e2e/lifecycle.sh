#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The daemon starts, says what is wrong in one line, reloads, and stops in time.
source "$(dirname "$0")/harness.bash"

one_line() { [ "$(wc -l <"$scratch/error")" = 1 ] || die "not one line: $(cat "$scratch/error")"; }

echo "a bad flag, key or value is one line, and exit 2"
run 2 "$tcpdiagd" --web.listen-adress=:1
one_line && says "$scratch/error" "web.listen-address" || die "does not name the nearest flag: $(cat "$scratch/error")"
run 2 "$tcpdiagd" --cpu-budget=7
one_line && says "$scratch/error" "^tcpdiagd: " && says "$scratch/error" 7 || die "does not name the value"
echo '{"cpu_bugdet": 0.02}' >"$scratch/bad.json"
run 2 "$tcpdiagd" --config.file="$scratch/bad.json"
one_line && says "$scratch/error" cpu_budget || die "does not name the nearest key: $(cat "$scratch/error")"
run 2 "$tcpdiagd" --config.check --config.file="$scratch/bad.json"
run 2 "$tcpdiagd" --config.file="$scratch/none.json"
one_line
run 0 "$tcpdiagd" --version
run 0 "$tcpdiagd" --help

echo "so it is with tcpdiag, which says what it recorded"
run 2 "$tcpdiag" recrod "$scratch/recording"
one_line && says "$scratch/error" "^tcpdiag: .*record" || die "does not name the command: $(cat "$scratch/error")"
run 2 "$tcpdiag" record --duration=nan "$scratch/recording"
one_line && says "$scratch/error" nan || die "does not name the value: $(cat "$scratch/error")"
run 2 "$tcpdiag" record --duration=300ms --netns=nosuch "$scratch/recording"
one_line && says "$scratch/error" '^tcpdiag: no network namespace is called "nosuch"' ||
  die "does not say what is wrong: $(cat "$scratch/error")"
nowhere=/proc/99999999/ns/net
run 0 "$tcpdiag" record --duration=300ms --netns=$nowhere "$scratch/recording"
one_line && says "$scratch/error" "^tcpdiag: recorded [1-4] ticks* of 2 namespaces.*($nowhere)" ||
  die "does not say what was recorded: $(cat "$scratch/error")"
run 1 "$tcpdiag" record "$scratch/recording"
one_line
run 0 "$tcpdiag" replay "$scratch/recording"

echo "it runs, and a second one finds the port in use: one line, exit 1"
echo '{"log_level": "info" /* a comment */}' >"$scratch/good.json"
start_daemon --config.file="$scratch/good.json"
ready
answers http://127.0.0.1:10180/-/healthy || die "not healthy"
answers http://127.0.0.1:10180/ || die "no page"
answers http://127.0.0.1:10180/api/v1/report || die "no report"
answers http://[::1]:10180/metrics || die "not reachable by IPv6"
run 1 "$tcpdiagd"
one_line && says "$scratch/error" 10180 || die "does not name the port: $(cat "$scratch/error")"

echo "SIGHUP: a bad configuration is refused and the old one stays, a good one is applied"
page_shows '^tcpdiag_collector_success{collector="softnet"' || die "softnet does not run"
echo '{"collectors": {"softnet": 1}}' >"$scratch/good.json"
kill -HUP "$daemon"
within 5 says "$scratch/daemon.log" "level=error" || die "no word about the bad configuration"
page_shows '^tcpdiag_collector_success{collector="softnet"' || die "the old configuration did not stay"
echo '{"collectors": {"softnet": false}}' >"$scratch/good.json"
kill -HUP "$daemon"
softnet_is_off() { metrics >"$scratch/page" && ! says "$scratch/page" '^tcpdiag_softnet_processed_total'; }
within 5 softnet_is_off || die "the good configuration was not applied"

echo "SIGTERM and SIGINT stop it within a second"
for signal in TERM INT; do
  kill -"$signal" "$daemon"
  within 1 gone "$daemon" || die "still there a second after SIG$signal"
  wait "$daemon" || die "exit $? after SIG$signal"
  [ "$signal" = INT ] || { start_daemon && ready; }
done
