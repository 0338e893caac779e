#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `tcpdiag check --url` asks daemons with TLS, client certificates and passwords, as its HTTP configuration file says, and
# tells in one line why one cannot be asked. The system's CAs are those of this test.
in_own_netns=(unshare --net --mount --)
source "$(dirname "$0")/harness.bash"

cd "$scratch"
# of the password "secret"
hash='$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW'

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>openssl.log; }
authority() {
  new_key "$1.key"
  openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 2 -out "$1.crt" 2>openssl.log
}
# certificate NAME CA PURPOSE NAMES [FROM TO]: NAME.crt and NAME.key; in force for two days, or between these two dates
certificate() {
  local name=$1 ca=$2
  new_key "$name.key"
  openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr" 2>openssl.log
  printf 'subjectAltName=%s\nextendedKeyUsage=%s\n' "$4" "$3" >extensions
  if [ $# = 4 ]; then
    openssl x509 -req -in "$name.csr" -CA "$ca.crt" -CAkey "$ca.key" -CAcreateserial -days 2 -extfile extensions \
      -out "$name.crt" 2>openssl.log
    return
  fi
  mkdir -p issued && : >issued/index && echo 01 >issued/serial
  printf '[ca]\ndefault_ca=here\n[here]\ndatabase=issued/index\nserial=issued/serial\nnew_certs_dir=issued\npolicy=any\n[any]\ncommonName=supplied\n' >ca.cnf
  openssl ca -batch -notext -config ca.cnf -md sha256 -in "$name.csr" -cert "$ca.crt" -keyfile "$ca.key" \
    -startdate "$5" -enddate "$6" -extfile extensions -out "$name.crt" 2>openssl.log
}
authority ca && authority other-ca
certificate server ca serverAuth DNS:localhost,IP:127.0.0.1
certificate named ca serverAuth DNS:db1.example
certificate expired ca serverAuth IP:127.0.0.1 20200101000000Z 20200102000000Z
certificate early ca serverAuth IP:127.0.0.1 20980101000000Z 20990101000000Z
certificate client ca clientAuth DNS:operator.example
certificate stranger other-ca clientAuth DNS:operator.example
openssl ec -in client.key -aes128 -passout pass:word -out locked.key 2>openssl.log
echo secret >password
echo prometheus >name

# daemon_at PORT WEB_CONFIG: one more daemon, which stays to the end
daemon_at() {
  printf '%b' "$2" >"web.$1.yml"
  "$tcpdiagd" --web.listen-address="127.0.0.1:$1" --web.config.file="web.$1.yml" --no-collector.connections 2>"daemon.$1.log" &
  last_daemon=$!
  started+=("$last_daemon")
}
tls_with() { echo "tls_server_config: {cert_file: $1.crt, key_file: $1.key${2-}}\n"; }
daemon_at 10181 "$(tls_with server)basic_auth_users: {prometheus: '$hash'}"
daemon_at 10182 "$(tls_with server ', client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert')"
daemon_at 10183 "$(tls_with named ', min_version: TLS13')"
daemon_at 10184 "$(tls_with expired)"
daemon_at 10185 "$(tls_with early)"
daemon_at 10186 "basic_auth_users: {prometheus: '$hash'}"
secured=https://127.0.0.1:10181 mutual=https://127.0.0.1:10182 named=https://127.0.0.1:10183
plain=http://127.0.0.1:10180
start_daemon
ready
for port in 10181 10182 10183 10184 10185 10186; do
  listening() { ss -Hltn "sport = :$port" | grep -q .; }
  within 15 listening || die "no daemon at $port: $(cat "daemon.$port.log")"
done
is_there() { "$tcpdiag" check --url $secured --http.config.file=is_there.yml >answer 2>&1 || [ $? -lt 3 ] || grep -q '^Cannot tell' answer; }
echo 'tls_config: {ca_file: ca.crt}
basic_auth: {username: prometheus, password: secret}' >is_there.yml
within 15 is_there || die "the daemon with a password does not answer: $(cat answer)"

# ask CONFIG URL: with an HTTP configuration file of this text, or without one
ask() {
  local file=()
  [ -z "$1" ] || { printf '%b' "$1" >http.yml && file=(--http.config.file=http.yml); }
  status=0
  timeout 60 "$tcpdiag" check --json --url "$2" "${file[@]}" >output 2>error || status=$?
}
asked=0 refused=0
answered() {
  ask "$@"
  jq -e .generated_at output >jq.log || die "'$1' $2: exit $status, $(cat error)"
  [ ! -s error ] || die "'$1' $2: complains: $(cat error)"
  asked=$((asked + 1))
}
refuses() {
  ask "$2" "$3"
  [ $status = 3 ] || die "'$2' $3: exit $status instead of 3: $(cat output error)"
  [ "$(wc -l <error)" = 1 ] && [ ! -s output ] || die "'$2' $3: not one line: $(cat output error)"
  says error "^tcpdiag: $1" || die "'$2' $3: does not say '$1': $(cat error)"
  ! says error secret || die "'$2' $3: shows a secret: $(cat error)"
  refused=$((refused + 1))
}
ca='tls_config: {ca_file: ca.crt}\n'
login='basic_auth: {username: prometheus, password: secret}\n'
as() { echo "tls_config: {ca_file: ca.crt, cert_file: $1.crt, key_file: $2}"; }

echo "passwords"
answered "$ca$login" $secured
answered "${ca}basic_auth: {username_file: name, password_file: password}" $secured
answered "tls_config: {insecure_skip_verify: true}\n$login" $secured
answered "tls_config: {ca: \"$(awk '{ printf "%s\\\\n", $0 }' ca.crt)\"}\n$login" $secured
answered "$login" http://127.0.0.1:10186
answered "authorization: {type: basic-, credentials: x}" $plain
refuses '127.0.0.1:10181: answers 401 .*; add basic_auth to http.yml$' "$ca" $secured
refuses '127.0.0.1:10181: answers 401 .*; the username or the password of http.yml is wrong$' \
  "${ca}basic_auth: {username: prometheus, password: secret2}" $secured
refuses '127.0.0.1:10181: answers 401 .*; it rejects the authorization of http.yml$' \
  "${ca}authorization: {credentials: secret}" $secured
refuses '127.0.0.1:10186: answers 401 .*; name a file with --http.config.file that has basic_auth$' '' http://127.0.0.1:10186
refuses '--url has a user name in it.*--http.config.file' '' https://prometheus:secret@127.0.0.1:10181

echo "certificates of servers"
refuses '127.0.0.1:10181: .*not signed by a CA that this system trusts.*name a file' '' $secured
refuses '127.0.0.1:10181: .*not signed by the CA of http.yml' 'tls_config: {ca_file: other-ca.crt}' $secured
refuses '127.0.0.1:10181: ca or ca_file of http.yml holds no certificate$' 'tls_config: {ca_file: password}' $secured
refuses '127.0.0.1:10184: the server.s certificate has expired' "$ca" https://127.0.0.1:10184
refuses '127.0.0.1:10185: the server.s certificate is not valid yet' "$ca" https://127.0.0.1:10185
refuses '127.0.0.1:10183: .*not for the name 127.0.0.1; .*add tls_config.server_name to http.yml' "$ca" $named
answered 'tls_config: {ca_file: ca.crt, server_name: db1.example}' $named
refuses '127.0.0.1:10183: .*not for the name db2.example' 'tls_config: {ca_file: ca.crt, server_name: db2.example}' $named
refuses '127.0.0.1:10183: .*perhaps because of min_version or max_version' \
  'tls_config: {ca_file: ca.crt, server_name: db1.example, max_version: TLS12}' $named
answered 'tls_config: {insecure_skip_verify: true, min_version: TLS13}' https://127.0.0.1:10184

echo "certificates of clients"
answered "$(as client client.key)" $mutual
refuses '127.0.0.1:10182: it ended the connection.*; if it wants a client certificate, add' "$ca" $mutual
refuses '127.0.0.1:10182: .*; it may not take the client certificate of http.yml$' "$(as stranger stranger.key)" $mutual
for key in stranger.key locked.key name; do
  refuses '127.0.0.1:10182: the client certificate and key of http.yml cannot be used' "$(as client $key)" $mutual
done

echo "the wrong scheme"
refuses '127.0.0.1:10180: .*does not speak TLS' "$ca" https://127.0.0.1:10180
refuses '127.0.0.1:10181: no answer; if it speaks TLS, use https://$' '' http://127.0.0.1:10181

echo "the CAs of the system, and none beside the one that is named"
mount -t tmpfs tcpdiag-e2e /etc/ssl/certs
refuses '127.0.0.1:10181: this system has no CA certificates; install ca-certificates, or name a file' '' $secured
cp ca.crt /etc/ssl/certs/ca-certificates.crt
cp ca.crt "/etc/ssl/certs/$(openssl x509 -in ca.crt -noout -hash).0"
answered "$login" $secured
refuses '127.0.0.1:10181: .*not signed by the CA of http.yml' 'tls_config: {ca_file: other-ca.crt}' $secured

echo "files that are wrong"
refuses 'http.yml:1: unknown key "basic_aut"; did you mean "basic_auth"?$' 'basic_aut: {}' $plain
refuses 'http.yml:1: oauth2 is not supported$' 'oauth2: {client_id: x}' $plain
refuses 'http.yml: password_file: none: No such file or directory$' 'basic_auth: {username: a, password_file: none}' $plain
refuses 'http.yml:2: the key "password" has no colon' 'basic_auth: {username: a,\npassword:secret}' $plain
run 3 "$tcpdiag" check --url $plain --http.config.file=none.yml
run 3 "$tcpdiag" check --http.config.file=http.yml

echo "through a proxy, and elsewhere"
# serve ARGUMENTS...: what is asked of it is in $scratch/heard
serve() {
  "$TCPDIAG_BUILD_DIR/tests/say" 10190 "$@" >heard &
  started+=($!)
  local port=10190
  within 5 listening || die "nobody listens"
}
listening() { ss -Hltn "sport = :$port" | grep -q .; }
odd=http://127.0.0.1:10190 whole='HTTP/1.1 200 OK\r\n\r\n{"generated_at": 1}'
heard() { says heard "$1" || die "is not asked for '$1': $(cat heard)"; }
serve "$whole"
ask 'proxy_url: http://anna:secret@127.0.0.1:10190' http://db1.example:10180
heard '^GET http://db1.example:10180/api/v1/findings HTTP/1.1'
heard '^Proxy-Authorization: Basic YW5uYTpzZWNyZXQ='
refuses 'db1.example:10180: Connection refused, perhaps by the proxy that http.yml names$' \
  'proxy_url: http://anna:secret@127.0.0.1:1' http://db1.example:10180
answered 'proxy_url: http://127.0.0.1:1\nno_proxy: 127.0.0.0/8' $plain
http_proxy=http://127.0.0.1:1 answered '' $plain
http_proxy=http://127.0.0.1:1 refuses 'db1.example:80: Connection refused, perhaps by the proxy' \
  'proxy_from_environment: true' http://db1.example
away="HTTP/1.1 302 Found\r\nLocation: $plain/api/v1/findings\r\nContent-Length: 0\r\n\r\n"
serve "$away"
answered 'authorization: {credentials: secret}' $odd
heard '^Authorization: Bearer secret'
for auth in 'authorization: {credentials: secret}' "$login"; do
  "$TCPDIAG_BUILD_DIR/tests/say" 10191 'HTTP/1.1 418 No\r\nContent-Length: 0\r\n\r\n' >elsewhere &
  started+=($!)
  port=10191
  within 5 listening || die "nobody listens"
  serve 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:10191/\r\nContent-Length: 0\r\n\r\n'
  refuses '127.0.0.1:10190: answers 418 ' "$auth" $odd
  heard '^Authorization: '
  says elsewhere '^GET / HTTP/1.1' || die "the redirect is not followed"
  ! says elsewhere Authorization || die "the password goes elsewhere: $(cat elsewhere)"
done
serve "$away"
refuses '127.0.0.1:10190: answers 302 .*follow_redirects is false in http.yml$' 'follow_redirects: false' $odd
serve 'HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n'
refuses '127.0.0.1:10190: redirects to file:///etc/passwd: this is not followed$' '' $odd

echo "a server that never answers, that drips, and that has no end"
long=$(head -c 60000 /dev/zero | tr '\0' x)
while IFS='|' read -r first more every because; do
  serve "$first" "${more/LONG/$long}" "$every"
  begun=$SECONDS
  refuses "127.0.0.1:10190: $because" '' $odd
  [ $((SECONDS - begun)) -le 7 ] || die "it waited for $((SECONDS - begun)) s"
done <<'TEXT'
HTTP/1.1 200 OK\r\n|X: y\r\n|300|no answer in time$
HTTP/1.1 200 OK\r\n\r\n|LONG|0|the answer is too large$
HTTP/1.1 200 OK\r\n|X: LONG\r\n|0|the answer is too large$
HTTP/1.1 200 OK\r\nX: |LONG|0|the answer is too large
TEXT
kill -STOP "$last_daemon"
refuses '127.0.0.1:10186: no answer in time$' '' http://127.0.0.1:10186
kill -CONT "$last_daemon"

echo "the daemon has nothing of it"
! ldd "$tcpdiagd" | grep -q libcurl || die "the daemon links libcurl"
echo "$asked questions were answered, $refused were not"
[ "$asked $refused" = "13 37" ] || die "some were not asked"
stop_daemon
