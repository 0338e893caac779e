# SPDX-License-Identifier: Apache-2.0
# Makes of tables as alerts.table a file for `promtool test rules`; reads alerts.yml first, for what each alert waits.
BEGIN { before = 70; during = 30; after = 120 }

function minutes(text) { return text ~ /s$/ ? 0 : text ~ /h$/ ? 60 * text : text + 0 }

# phase SPEC SAMPLES: in promtool's notation; `last` is where the series stands
function phase(spec, samples,   first) {
  if (spec == "_") return "_x" samples " "
  if (spec !~ /^\+/) { last = spec; return spec "+0x" (samples - 1) " " }
  first = last + spec
  last += spec * samples
  return first "+" (spec + 0) "x" (samples - 1) " "
}

function assertion(minute, samples) {
  return sprintf("      - {eval_time: %dm, expr: 'ALERTS{alertstate=\"firing\"%s}', exp_samples: [%s]}\n", minute, own, samples)
}

# The test whose lines have been read. They share a group, which is quick, and each has a job of its own; but where there
# is nothing, there must not be the others.
function end_of_test() {
  if (name == "") return
  own = job == "" ? "" : ",job=\"" job "\""
  text = sprintf("      - {eval_time: %dm, alertname: %s}\n", before + during - 1, name)
  fires = sprintf("{labels: 'ALERTS{alertname=\"%s\",alertstate=\"firing\",severity=\"%s\"%s}', value: 1}", name, severity, labels)
  asserted = assertion(before - 1, "")
  if (waits[name] != "") asserted = asserted assertion(before + (minutes(waits[name]) > 0 ? minutes(waits[name]) - 1 : 0), "")
  asserted = asserted assertion(before + during - 1, fires)
  if (keeps[name] != "") asserted = asserted assertion(before + during + 1, fires)
  asserted = asserted assertion(before + during + after - 1, "")
  if (job == "") print_group(series, asserted, text)
  else { all_series = all_series series; all_asserted = all_asserted asserted; texts = texts text }
  name = ""
}

function print_group(series, asserted, texts) {
  printf "  - interval: 1m\n    input_series:\n%s    promql_expr_test:\n%s", series, asserted
  # with show=1, promtool complains of every alert and shows its texts
  if (show) printf "    alert_rule_test:\n%s", texts
}

FILENAME ~ /\.yml$/ {
  if ($1 == "-" && $2 == "alert:") alert = $3
  if ($1 == "for:") waits[alert] = $2
  if ($1 == "keep_firing_for:") keeps[alert] = $2
  next
}
/^#/ || NF == 0 { next }
/^[^ ]/ {
  end_of_test()
  if (!begun++) printf "rule_files: [%s]\nevaluation_interval: 1m\ntests:\n", rules
  name = $1; severity = $2
  rest = $0; sub(/^[^ ]+ +[^ ]+ */, "", rest)
  labels = rest == "" ? "" : "," rest
  job = "tcpdiag-" ++tests
  if (match(rest, /job="[^"]*"/)) job = substr(rest, RSTART + 5, RLENGTH - 6)
  else labels = labels ",job=\"" job "\""
  if (rest !~ /instance="/) labels = labels ",instance=\"bad\""
  gsub(/,job=""|,instance=""/, "", labels)
  series = ""
  next
}
{
  split($0, half, "}")
  text = half[1] "}"; sub(/^ +/, "", text)
  if (text !~ /job="/) sub(/\{/, "{job=\"" job "\",", text)
  split(half[2], phases, "|")
  for (i in phases) gsub(/ /, "", phases[i])
  last = 0
  values = phase(phases[1], before) phase(phases[2], during) phase(phases[3], after)
  series = series sprintf("      - {series: '%s', values: '%s'}\n", text, values)
}
END { end_of_test(); print_group(all_series, all_asserted, texts) }
