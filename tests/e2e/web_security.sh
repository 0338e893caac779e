#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who asks over the network is met with TLS, client certificates and passwords, as the web configuration file says; it is
# replaced without a failed request; and those who are not let in keep nobody else waiting.
source "$(dirname "$0")/harness.bash"

url=https://127.0.0.1:10180
cd "$scratch"
# of the password "secret"
hash='$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW'

# certificate NAME [EXTENSION]: signed by ca.crt; NAME.crt and NAME.key
new_key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null ||
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }
authority() {
  new_key "$1.key"
  openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 2 -out "$1.crt" 2>/dev/null
}
certificate() {
  local name=$1 ca=$2 purpose=$3 names=$4
  new_key "$name.key.new"
  openssl req -new -key "$name.key.new" -subj "/CN=$name" 2>/dev/null |
    openssl x509 -req -CA "$ca.crt" -CAkey "$ca.key" -CAcreateserial -days 2 -out "$name.crt.new" 2>/dev/null \
      -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=%s\n' "$names" "$purpose")
  mv "$name.key.new" "$name.key" && mv "$name.crt.new" "$name.crt"
}
authority ca && authority other-ca
certificate server ca serverAuth DNS:localhost,IP:127.0.0.1
certificate client ca clientAuth DNS:prometheus.example
certificate stranger other-ca clientAuth DNS:prometheus.example

tls=$'tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n'
users=$'basic_auth_users:\n  prometheus: '$hash$'\n'
web_config() { printf '%s' "$@" >web.yml.new && mv web.yml.new web.yml; }

get() { curl -s --max-time 5 --cacert ca.crt "$@"; }
status() { get -o /dev/null -w '%{http_code}' "$@" || true; }
answered() {
  local expected=$1 got
  shift
  got=$(status "$@")
  [ "$got" = "$expected" ] || die "$* got $got instead of $expected"
}
is_ready() { [ "$(status "$@" $url/-/ready)" = 200 ]; }
reloads() { grep -c 'web configuration \(not \)\?reloaded' daemon.log || true; }
more_reloads_than() { [ "$(reloads)" -gt "$1" ]; }
# reload_with TEXT...: by SIGHUP
reload_with() {
  local before
  before=$(reloads)
  web_config "$@"
  kill -HUP "$daemon"
  within 5 more_reloads_than "$before" || die "the web configuration was not read again"
}

# restart_with TEXT...: what a reload may not do
listens() { [ -n "$(ss -Htln sport = :10180)" ]; }
restart_with() {
  stop_daemon
  web_config "$@"
  start_daemon --web.config.file=web.yml
  within 15 listens || die "it does not listen again: $(cat daemon.log)"
}

echo "what promtool takes is taken, and what it refuses is refused"
check() { run "$1" "$tcpdiagd" --config.check --web.config.file="$2"; }
example=$TCPDIAG_SOURCE_DIR/systemd/web-config.example.yml
cp "$example" . && check 0 web-config.example.yml
# the lines behind "#" in it as well; the names of their files are those of this test
sed 's/^  #\(client_\)/  \1/; s/client-ca.crt/ca.crt/' "$example" >full.yml && check 0 full.yml
for file in web-config.example.yml full.yml; do run 0 promtool check web-config $file; done
refused=0
while IFS='|' read -r text reason; do
  printf '%b' "$text" >bad.yml
  run 1 promtool check web-config bad.yml
  check 2 bad.yml
  says error "^tcpdiagd: bad.yml.*$reason" || die "does not say '$reason': $(cat error)"
  refused=$((refused + 1))
done <<'TEXT'
tls_sever_config: {}|:1: unknown key "tls_sever_config"; did you mean "tls_server_config"
tls_server_config: {cert_file: server.crt}|:1: .*no key_file
tls_server_config: {key_file: server.key}|:1: .*no cert_file
tls_server_config: {cert_file: none.crt, key_file: server.key}|cert_file: none.crt: No such file
tls_server_config: {cert_file: server.crt, key_file: client.key}|not the key of the certificate
tls_server_config: {cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt}|:1: .*client_auth_type
tls_server_config: {cert_file: server.crt, key_file: server.key, client_auth_type: Always}|:1: client_auth_type is "Always"
tls_server_config: {cert_file: server.crt, key_file: server.key, min_version: SSL3}|:1: min_version is "SSL3"
tls_server_config: {cert_file: server.crt, key_file: server.key, cipher_suites: [NONE]}|:1: cipher_suites has "NONE"
tls_server_config: {cert_file: server.crt, key_file: server.key, curve_preferences: [P1]}|:1: curve_preferences has "P1"
http_server_config: {headers: {Server: me}}|:1: headers has "Server"
http_server_config: {headers: {X-Frame-Options: allow}}|:1: X-Frame-Options is "allow"
basic_auth_users: {anna: secret}|:1: .*"anna" has no bcrypt hash
basic_auth_users: [anna]|:1: basic_auth_users is not a mapping
rate_limit: {interval: fast}|:1: interval is not a time
http_server_config:\n  headers:\n    X-XSS-Protection: "0\nbasic_auth_users: {}|:5: a quote is not closed
http_server_config:\n  headers:\n    X-XSS-Protection: '0\nbasic_auth_users: {}|:5: a quote is not closed
http_server_config: {}\nbasic_auth_users|:2: the key "basic_auth_users" has no colon
http_server_config: {}\n"basic_auth_users"|:2: end of map
# \xff\nbasic_auth_users: {}|:1: not UTF-8
# \x01\nbasic_auth_users: {}|:1: a control character
basic_auth_users:\n\t# comment|:2: a tab before a comment
http_server_config: {http2: !!str true}|:1: a tag
%YAML 1.2\n---\nbasic_auth_users: {}|:1: a directive
TEXT
[ "$refused" = 24 ] || die "only $refused were tried"
run 2 "$tcpdiagd" --config.check --web.config.file=none.yml
run 2 "$tcpdiagd" --web.config.file=bad.yml
says error 'bad.yml:1: ' || die "does not say why it does not start: $(cat error)"

echo "TLS and passwords, by curl"
web_config "$tls" "$users" $'http_server_config:\n  headers:\n    Strict-Transport-Security: max-age=60\n'
start_daemon --web.config.file=web.yml
within 15 is_ready -u prometheus:secret || die "not ready: $(cat daemon.log)"
answered 401 $url/metrics
answered 401 -u prometheus:wrong $url/metrics
answered 401 -u nobody:secret $url/metrics
answered 200 -u prometheus:secret --tlsv1.3 $url/metrics
answered 200 -u prometheus:secret --tls-max 1.2 $url/metrics
answered 404 -u prometheus:secret $url/nothing
answered 405 -u prometheus:secret -X DELETE $url/metrics
answered 413 -u prometheus:secret -X GET --data x $url/metrics
# more than fits, in one record: what is not read when it is answered would cut the answer off
answered 431 -u prometheus:secret -H "X-Long: $(head -c 16200 /dev/zero | tr '\0' a)" $url/metrics
answered 000 http://127.0.0.1:10180/metrics
answered 000 -u prometheus:secret --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 $url/metrics
! curl -s --max-time 5 -u prometheus:secret $url/metrics || die "a certificate of an unknown authority was trusted"
get -D headers -o page -u prometheus:secret $url/metrics
for header in 'Strict-Transport-Security: max-age=60' 'X-Content-Type-Options: nosniff' 'X-Frame-Options: deny'; do
  says headers "^$header" || die "no header $header: $(cat headers)"
done
says page '^tcpdiag_web_config_valid 1$' || die "the web configuration is not shown as valid"

echo "an answer of several TLS records does not wait for the client's acknowledgement of the first"
get -u prometheus:secret -w '%{time_total} %{size_download}\n' $(for _ in $(seq 40); do printf -- '-o answer %s ' $url/metrics; done) >times
awk '$2 <= 16384 { print "FAILED: only " $2 " bytes, one record"; exit 1 } $1 >= 0.04 { ++slow }
  END { if (slow > 20) { print "FAILED: " slow " of " NR " took 40 ms or more"; exit 1 } }' times || die "$(cat times)"

echo "a certificate that runs out soon is told, and when"
says daemon.log 'level=warn msg="web.yml: cert_file: the certificate expires on ' || die "no warning of a certificate of two days"
expires=$(date +%s -d "$(openssl x509 -in server.crt -noout -enddate | cut -d= -f2)")
shown=$(awk '$1 == "tcpdiag_web_certificate_expiry_timestamp_seconds" { printf "%d", $2 }' page)
[ "$shown" = "$expires" ] || die "the certificate expires at $shown instead of $expires"
openssl req -x509 -newkey rsa:1024 -nodes -days 300 -subj /CN=localhost -keyout weak.key -out weak.crt 2>openssl.log
echo 'tls_server_config: {cert_file: weak.crt, key_file: weak.key}' >weak.yml
check 0 weak.yml
says output 'warning: weak.yml: cert_file: the certificate has an RSA key of 1024 bits' || die "no warning of a weak key: $(cat output)"

echo "client certificates of every kind, each stricter than the one before, after a reload"
restart_with "$tls"
as_client=(--cert client.crt --key client.key) as_stranger=(--cert stranger.crt --key stranger.key)
while read -r type none client stranger; do
  case $type in *Verify*) ca='  client_ca_file: ca.crt'$'\n' ;; *) ca= ;; esac
  reload_with "$tls" "  client_auth_type: $type"$'\n' "$ca"
  answered "$none" $url/-/healthy
  answered "$client" "${as_client[@]}" $url/-/healthy
  answered "$stranger" "${as_stranger[@]}" $url/-/healthy
done <<'TEXT'
NoClientCert 200 200 200
RequestClientCert 200 200 200
VerifyClientCertIfGiven 200 200 000
RequireAnyClientCert 000 200 200
RequireAndVerifyClientCert 000 200 000
TEXT
mutual="${tls}"$'  client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n'
reload_with "$mutual" $'  client_allowed_sans: [other.example]\n'
answered 000 "${as_client[@]}" $url/-/healthy
reload_with "$mutual" $'  client_allowed_sans: [other.example, prometheus.example]\n'
answered 200 "${as_client[@]}" $url/-/healthy

echo "a rate limit, and none"
restart_with "$tls" $'rate_limit: {interval: 1h, burst: 2}\n'
answered 200 $url/-/healthy
answered 200 $url/-/healthy
answered 429 $url/-/healthy
reload_with "$mutual" "$users"

echo "a reload takes away neither passwords nor TLS nor what clients must show"
# refused LOST TEXT...: what the log says that would be lost
refused() {
  local lost=$1
  shift
  reload_with "$@"
  tail -n 20 daemon.log >latest.log
  says latest.log "level=error msg=\"web configuration not reloaded.*web.yml: it no longer has $lost" ||
    die "$* was not refused for $lost: $(cat latest.log)"
  answered 401 "${as_client[@]}" $url/metrics
  answered 000 -u prometheus:secret $url/metrics
  answered 000 http://127.0.0.1:10180/metrics
  answered 200 "${as_client[@]}" -u prometheus:secret $url/metrics
}
refused 'the passwords (basic_auth_users) and TLS' ''
refused 'the passwords (basic_auth_users) and TLS' $'# nothing\n'
refused 'the passwords (basic_auth_users),' "$mutual" $'basic_auth_users:\n'
refused 'TLS (tls_server_config)' "$users"
refused "what clients' certificates must prove (client_auth_type)" "$tls" "$users"
before=$(reloads)
mv web.yml gone.yml
within 10 more_reloads_than "$before" || die "nobody noticed that the file is gone"
answered 401 "${as_client[@]}" $url/metrics
reload_with "$mutual" "$users"

echo "Prometheus scrapes with a client certificate and a password"
cat >prometheus.yml <<'YAML'
scrape_configs:
  - job_name: tcpdiag
    scrape_interval: 1s
    scheme: https
    tls_config: {ca_file: ca.crt, cert_file: client.crt, key_file: client.key}
    basic_auth: {username: prometheus, password: secret}
    static_configs: [{targets: ['127.0.0.1:10180']}]
YAML
prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address=127.0.0.1:19090 \
  --log.level=error 2>prometheus.log &
prometheus=$!
started+=("$prometheus")
query() { curl -s --max-time 5 --data-urlencode "query=$1" http://127.0.0.1:19090/api/v1/query; }
value_of() { query "$1" | jq -r '.data.result[0].value[1] // empty'; }
value_is() { [ "$(value_of "$1")" = "$2" ]; }
within 30 value_is up 1 || die "Prometheus does not see it: $(query up) $(cat prometheus.log)"

echo "certificates are replaced under load, without a failed request"
hammer() {
  while [ ! -e enough ]; do status "${as_client[@]}" -u prometheus:secret $url/metrics && echo; done >"statuses.$1"
}
for i in 1 2; do hammer $i & hammers[i]=$!; done
for _ in 1 2 3; do
  before=$(reloads)
  certificate server ca serverAuth DNS:localhost,IP:127.0.0.1  # seen without a signal
  within 10 more_reloads_than "$before" || die "a new certificate was not noticed"
done
serial=$(openssl x509 -in server.crt -noout -serial)
for _ in 1 2 3; do reload_with "$mutual" "$users"; done
touch enough
wait "${hammers[@]}"
sort statuses.* | uniq -c >summary
[ "$(awk '{ print $2 }' summary)" = 200 ] && [ "$(awk '{ print $1 }' summary)" -ge 20 ] || die "answers: $(cat summary)"
shown=$({ openssl s_client -connect 127.0.0.1:10180 </dev/null 2>/dev/null || true; } | openssl x509 -noout -serial)
[ "$shown" = "$serial" ] || die "it shows the certificate $shown instead of $serial"
value_is 'min_over_time(up[5m])' 1 || die "a scrape failed: $(query 'up[5m]')"

echo "a broken file leaves what was in force, and is visible"
reload_with "$mutual" 'rate_limits: {}'
says daemon.log 'level=error.*not reloaded.*web.yml:6: unknown key' || die "not logged: $(cat daemon.log)"
answered 200 "${as_client[@]}" -u prometheus:secret $url/metrics
within 10 value_is tcpdiag_web_config_valid 0 || die "Prometheus does not see it: $(query tcpdiag_web_config_valid)"
web_config "$users"  # mended, but without TLS
within 10 says daemon.log 'it no longer has TLS (tls_server_config), which only a restart can take away' || die "TLS went off, or nobody said so"
answered 000 http://127.0.0.1:10180/metrics
web_config "$mutual" "$users"
within 10 value_is tcpdiag_web_config_valid 1 || die "the mended file was not taken"
kill -TERM "$prometheus"

echo "200 bad clients and guessed passwords, and Prometheus"
resident() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$daemon/status"; }
# middle: of the milliseconds that all scrapes took since $scratch/milliseconds was emptied
middle() { sort -n milliseconds | awk '{ ms[NR] = $1 } END { print ms[int((NR + 1) / 2)] }'; }
# scrape: 20 times on one connection, from an address of its own
scrape() {
  get --interface 127.0.9.9 -u prometheus:secret -H 'Accept-Encoding: gzip' -w '%{http_code} %{time_total}\n' \
    $(for _ in $(seq 20); do printf -- '-o /dev/null %s ' $url/metrics; done) >times || die "a scrape failed: $(cat times)"
  [ "$(grep -c '^200 ' times)" = 20 ] || die "scrapes: $(cat times)"
  awk '{ print int($2 * 1000) }' times >>milliseconds
  median=$(middle)
}
guess() {
  while [ ! -e guessed ]; do
    curl -s -o /dev/null --cacert ca.crt --max-time 5 --interface 127.0.7.7 -u "prometheus:$RANDOM" $url/ || true
  done
}
restart_with "$tls" "$users"
for _ in 1 2; do scrape; done
before=$(resident)
"$TCPDIAG_BUILD_DIR/tests/bad_clients" 10180 200 50 60 2>bad_clients.log &
bad_clients=$!
started+=("$bad_clients")
connected() { ss -Htn state established sport = :10180 | wc -l; }
they_are_many() { [ "$(connected)" -ge 60 ]; }  # the silent ones; the others are cut off and come again
within 15 they_are_many || die "only $(connected) bad clients: $(cat bad_clients.log)"
# drip: a line of a request now and then, inside TLS
drip() {
  {
    printf 'GET /metrics HTTP/1.1\r\n'
    while [ ! -e "cut.$1" ] && printf 'X-Drip: %s\r\n' "$1" 2>drip.log; do sleep 0.3; done
  } | timeout 40 openssl s_client -quiet -connect 127.0.0.1:10180 >"drip.$1" 2>&1 || true
  touch "cut.$1"
}
for i in $(seq 10); do drip "$i" & drips[i]=$!; done
dripping=$SECONDS
all_are_cut() { [ "$(ls cut.* 2>ls.log | wc -l)" = 10 ]; }
: >milliseconds
for i in 1 2 3; do guess & guesses[i]=$!; done
end=$((SECONDS + 8))
while [ "$SECONDS" -lt "$end" ]; do
  scrape
  echo "$median ms in the middle of $(wc -l <milliseconds) scrapes, resident $(resident) kB, $before before, $(connected) connections"
  [ $(($(resident) - before)) -le 8192 ] || die "$(resident) kB resident, $before before"
done
[ "$median" -le 20 ] || die "$median ms in the middle of $(wc -l <milliseconds) scrapes"
touch guessed
wait "${guesses[@]}"
within 25 all_are_cut || die "$(ls cut.* | wc -l) of 10 clients that drip inside TLS were cut off: $(cat drip.1)"
wait "${drips[@]}"
if grep -q "^HTTP/1.1 200" drip.*; then die "a request that never ended was answered"; fi
echo "those that drip inside TLS were cut off after $((SECONDS - dripping)) s"

kill -TERM "$bad_clients"
wait "$bad_clients" 2>/dev/null || true
[ "$(get -u prometheus:secret $url/metrics | awk '$1 == "tcpdiag_http_requests_unauthorized_total" { print $2 }')" -gt 3 ] ||
  die "guessed passwords are not counted"

echo "guesses at a costly hash keep no newcomer from an answer, and do not hold up the end"
reload_with "$tls" "${users/'$04$'/'$15$'}"  # of no password
for i in $(seq 6); do
  { code=$(status --max-time 30 --interface 127.0.7.7 -u "prometheus:$i" $url/); echo "$code"; } >>guesses &  # in one write
done
too_many_wait() { says guesses '^503$'; }  # so some do
within 10 too_many_wait || die "six guesses, and none of them is refused: $(cat guesses)"
newcomer=$(status --max-time 30 --interface 127.0.9.9 -u prometheus:secret $url/)
[[ "$newcomer" = 401 || "$newcomer" = 503 ]] || die "a newcomer behind them got $newcomer"
stop_daemon

echo "the page and the API answer to the host's own names only, the metrics to all"
start_daemon
ready
plain=http://127.0.0.1:10180
for path in / /style.css /api/v1/report /api/v1/findings /api/v1/incidents; do
  answered 421 -H 'Host: evil.example:10180' $plain$path
  answered 200 $plain$path
  answered 200 -H "Host: $(hostname):10180" $plain$path
  answered 200 -H 'Host: a.localhost' $plain$path
done
for path in /metrics /-/healthy /-/ready; do answered 200 -H 'Host: evil.example' $plain$path; done
answered 200 --http1.0 -H 'Host:' $plain/
echo 'proxy_url: http://127.0.0.1:10180' >proxy.yml  # so that the name is not looked up
run 3 "$tcpdiag" check --url http://evil.example:10180 --http.config.file=proxy.yml
cat output error >said
says said '421 .*--web.allowed-host=NAME' || die "check does not say what to do about a 421: $(cat said)"
stop_daemon
start_daemon --web.allowed-host=tcpdiag.example '--web.allowed-host=*.corp.example' --web.external-url=https://ops.example:8443/web1
ready
answered 200 -H 'Host: ops.example:8443' $plain/
page_shows '^tcpdiag_web_info{external_url="https://ops.example:8443/web1/",scheme="http"} 1$' || die "the URL for links is not shown"
answered 200 -H 'Host: tcpdiag.example' $plain/
answered 200 -H 'Host: web1.corp.example:80' $plain/
answered 421 -H 'Host: evil.example' $plain/
stop_daemon
