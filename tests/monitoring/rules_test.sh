#!/usr/bin/env bash
# Rules and configuration as Prometheus and Alertmanager themselves read them.
#
# Usage: rules_test.sh syntax | routes | words FILE | planted_word
#   syntax  promtool and amtool find nothing wrong; both do in a broken copy
#   routes  each owner's alerts reach their receiver
#   words   promtool test rules: each alert fires with its exact labels and words, or does not
#   planted_word  it fails where a word differs
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../monitoring/prometheus"

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# 77 tells ctest that it was skipped.
for tool in promtool amtool; do
  command -v "$tool" >/dev/null && continue
  printf 'SKIPPED: no %s; ./dev setup test installs it\n' "$tool" >&2
  exit 77
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# refused WORDS COMMAND…: a checker must fail and say these words; else it checks nothing.
refused() {
  local words=$1
  shift
  ! "$@" >"$scratch/log" 2>&1 || die "not noticed: $words"
  grep -qF "$words" "$scratch/log" || die "no word of '$words': $(<"$scratch/log")"
}

syntax() {
  promtool check rules --lint=all --lint-fatal rules/*.yaml
  promtool check config prometheus.yml
  amtool check-config alertmanager.yml

  cp -r . "$scratch/broken"
  cd "$scratch/broken"
  sed -i 's/^        for: 6s/        fro: 6s/' rules/health_alerts.yaml
  refused "field fro not found" \
    promtool check rules --lint=all --lint-fatal rules/health_alerts.yaml
  sed -i 's/_seconds_count\[5m\]/_seconds_count[5m/' rules/sli.yaml
  refused "could not parse expression" promtool check config prometheus.yml
  sed -i 's/colour: yellow/colour: red/' rules/health.yaml
  refused "duplicate rule(s) found" promtool check rules --lint=all --lint-fatal rules/health.yaml
  sed -i 's/receiver: orders/receiver: nobody/' alertmanager.yml
  refused "undefined receiver" amtool check-config alertmanager.yml
}

# goes RECEIVER LABEL…: where amtool sends an alert with these labels.
goes() {
  local receiver=$1
  shift
  amtool config routes test --config.file=alertmanager.yml --verify.receivers="$receiver" "$@" ||
    die "$*: not to $receiver"
}

routes() {
  goes platform alertname=OrdoBrokerDown owner=platform severity=critical
  goes database alertname=OrdoShardDown owner=database severity=critical
  goes orders alertname=OrdoTasksParked owner=orders severity=warning
  goes platform alertname=OfSomebodyElse severity=warning
  goes deadman alertname=OrdoDeadMansSwitch owner=platform severity=none
  refused "Expected receivers did not match" amtool config routes test \
    --config.file=alertmanager.yml --verify.receivers=orders owner=database
}

words() {
  promtool test rules "$here/$1"
}

# A test that expects another word than the rule has must fail.
planted_word() {
  mkdir -p "$scratch/tests/monitoring" "$scratch/monitoring"
  cp -r . "$scratch/monitoring/prometheus"
  sed 's/works; its silence/works, its silence/' "$here/system_alerts.test.yaml" \
    >"$scratch/tests/monitoring/broken.test.yaml"
  refused "alertname: OrdoDeadMansSwitch" \
    promtool test rules "$scratch/tests/monitoring/broken.test.yaml"
}

"$@"
