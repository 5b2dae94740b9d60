# shellcheck shell=bash
# The local system that stays: own PostgreSQL, broker, example workers, Prometheus, Alertmanager and
# the page, everything under build/local. A program that runs has a file NAME.pid in build/local/run
# and a log in build/local/log.

local_dir=build/local

# PostgreSQL refuses to run as root: then it runs as the account that its package made.
as_pg() {
  if is_root; then
    setpriv --reuid=postgres --regid=postgres --clear-groups env HOME=/ "$@"
  else
    "$@"
  fi
}

pg_bin() {
  local newest
  newest=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 2>/dev/null | sort -V | tail -n 1)
  if [ -n "$newest" ]; then
    echo "$newest/bin"
  elif has pg_ctl; then
    dirname "$(command -v pg_ctl)"
  else
    die "no PostgreSQL server programs (initdb, pg_ctl); ./dev setup run installs them"
  fi
}

# Where the database lives: under build/, unless the path is too long for a socket (107 bytes) or
# lies in a home that PostgreSQL's account may not enter.
pg_home() {
  local home=$ORDO_ROOT/$local_dir/postgres
  if [ ${#home} -gt 80 ] || ! as_pg test -x "$ORDO_ROOT/build"; then
    home=/var/tmp/ordo-local-$(printf '%s' "$ORDO_ROOT" | cksum | cut -d' ' -f1)
  fi
  echo "$home"
}

pg_running() { as_pg "$(pg_bin)/pg_ctl" -D "$(pg_home)/data" status >/dev/null 2>&1; }
pg_dsn() { echo "host=$(pg_home)/socket user=ordo dbname=ordo"; }

pg_up() {
  local home bin
  home=$(pg_home)
  bin=$(pg_bin)
  if [ ! -f "$home/data/PG_VERSION" ]; then
    rm -rf "$home"
    mkdir -p "$home"
    is_root && chown postgres:postgres "$home"
    as_pg mkdir -m 700 "$home/socket"
    as_pg "$bin/initdb" -D "$home/data" -U ordo -A trust -E UTF8 --locale=C.UTF-8 \
      >"$local_dir/log/initdb.log" 2>&1 || die "initdb failed: see $local_dir/log/initdb.log"
    # No TCP: whoever may enter the socket's folder (owner only) may connect, and no port can clash.
    as_pg tee -a "$home/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$home/socket'
max_connections = 50
shared_buffers = 256MB
max_wal_size = 4GB
CONF
  fi
  pg_running && return 0
  as_pg "$bin/pg_ctl" -D "$home/data" -l "$home/postgres.log" -w -t 60 start >/dev/null ||
    die "PostgreSQL did not start: see $home/postgres.log"
  as_pg "$bin/createdb" -h "$home/socket" -U ordo ordo 2>/dev/null || true
}

# program NAME: where the release build put it.
program() {
  local found
  found=$(find build/release -type f -name "$1" -perm -u+x -not -path '*/CMakeFiles/*' \
    2>/dev/null | head -n 1)
  [ -n "$found" ] || die "the release build has no program $1"
  echo "$found"
}

# pid_of NAME: its process, only while it is really ours (a pid may have been given to somebody else
# since).
pid_of() {
  local pid exe
  pid=$(cat "$local_dir/run/$1.pid" 2>/dev/null) || return 1
  exe=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 1
  { is_ours "$exe" || has_our_files "$pid"; } && echo "$pid"
}
is_ours() { case "$1" in "$ORDO_ROOT"/build/*) return 0 ;; *) return 1 ;; esac; }
# A program of the system (Prometheus) that was started here, on files of this local system.
has_our_files() {
  [ "$(readlink "/proc/$1/cwd")" = "$ORDO_ROOT" ] &&
    grep -qF "$local_dir/prometheus" "/proc/$1/cmdline"
}

# run NAME PROGRAM ARGUMENT…: starts it in the background unless it runs.
run() {
  local name=$1
  shift
  pid_of "$name" >/dev/null && return 0
  nohup "$@" >>"$local_dir/log/$name.log" 2>&1 </dev/null &
  local pid=$! look
  echo "$pid" >"$local_dir/run/$name.pid"
  # In its first moments it is still a shell, and then nohup: nobody would take it for the program.
  for look in {1..100}; do
    case "$(readlink "/proc/$pid/exe")" in */bash | */nohup) sleep 0.02 ;; *) break ;; esac
  done
}

# endpoint NAME [FILE]: clients, workers or http, as the program wrote them when it began to listen.
endpoint() {
  local file=$local_dir/run/${2:-endpoints}.json
  sed -nE "s/.*\"$1\":\"([^\"]*)\".*/\1/p" "$file" 2>/dev/null
}

# http_ok PATH [URL]: whether the broker, or who is at URL, answers 200.
http_ok() {
  local place line
  place=${2:-$(endpoint http)}
  place=${place#http://}
  [ -n "$place" ] || return 1
  exec 9<>"/dev/tcp/${place%%:*}/${place##*:}" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$1" "$place" >&9
  read -r line <&9
  exec 9>&-
  case "$line" in *' 200 '*) return 0 ;; *) return 1 ;; esac
}

broker_ready() {
  pid_of broker >/dev/null || die "the broker ended: $(tail -n 1 "$local_dir/log/broker.log")"
  (http_ok /readyz) 2>/dev/null
}

# Tables, then a broker that is ready. Ports are the documented ones, unless ORDO_LISTEN_CLIENTS,
# ORDO_LISTEN_WORKERS and ORDO_LISTEN_HTTP say otherwise (the broker reads them).
start_broker() {
  mkdir -p "$local_dir/run" "$local_dir/log"
  pg_up
  ORDO_DSN=$(pg_dsn) "$(program ordo-migrate)" --shards 2 >"$local_dir/log/migrate.log" 2>&1 ||
    die "migrating failed: see $local_dir/log/migrate.log"
  if ! pid_of broker >/dev/null; then
    rm -f "$local_dir/run/endpoints.json"
    run broker "$(program ordo-broker)" --database "$(pg_dsn)" --shards 2 --plaintext \
      --endpoints-file "$local_dir/run/endpoints.json"
  fi
  wait_until 30 "the broker's /readyz" broker_ready
}

# port_near PORT: that one where nobody listens on it, else one further on.
port_near() {
  local port=$1
  while (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    port=$((port + 1))
  done
  echo "$port"
}

# Our configuration of Prometheus and Alertmanager with the addresses of this system.
start_prometheus() {
  local at=$local_dir/prometheus broker alerts port
  pid_of prometheus >/dev/null && return 0
  mkdir -p "$at"
  broker=$(endpoint http)
  alerts=127.0.0.1:$(port_near 9093)
  port=$(port_near 9090)
  sed -e "s|127.0.0.1:7780|${broker#http://}|; s|127.0.0.1:9093|$alerts|" \
    -e "s|rules/\*.yaml|$ORDO_ROOT/monitoring/prometheus/rules/*.yaml|" \
    monitoring/prometheus/prometheus.yml >"$at/prometheus.yml"
  cp monitoring/prometheus/alertmanager.yml "$at/"
  run alertmanager prometheus-alertmanager --config.file="$at/alertmanager.yml" \
    --storage.path="$at/alerts" --web.listen-address="$alerts" --cluster.listen-address= \
    --log.level=error
  run prometheus prometheus --config.file="$at/prometheus.yml" --storage.tsdb.path="$at/data" \
    --storage.tsdb.retention.time=15d --web.listen-address="127.0.0.1:$port" --log.level=warn
  echo "{\"http\":\"http://127.0.0.1:$port\"}" >"$local_dir/run/prometheus.json"
}

# The page, with a token of its own that the printed link carries.
start_monitor() {
  local monitor tokens=$local_dir/run/tokens
  monitor=$(program ordo-monitor)
  pid_of monitor >/dev/null && return 0
  [ -s "$local_dir/run/token" ] || (
    umask 077
    rm -f "$tokens"
    "$monitor" token --role operator --name operator --file "$tokens" >"$local_dir/run/token"
  )
  rm -f "$local_dir/run/monitor.json"
  run monitor "$monitor" --tokens "$tokens" --brokers "$(endpoint http)" \
    --endpoint "$(endpoint clients)" --prometheus "$(endpoint http prometheus)" \
    --listen-http "127.0.0.1:$(port_near 7790)" --endpoints-file "$local_dir/run/monitor.json"
  wait_until 30 "the page" monitor_ready
}

monitor_ready() {
  pid_of monitor >/dev/null || die "the page ended: $(tail -n 1 "$local_dir/log/monitor.log")"
  [ -n "$(endpoint http monitor)" ] && (http_ok /livez "$(endpoint http monitor)") 2>/dev/null
}

system_up() {
  ensure build run
  build_preset release programs
  start_broker
  local file
  for file in examples/pipelines/*.yaml; do
    "$(program ordo)" --endpoint "$(endpoint clients)" pipeline apply "$file" \
      >>"$local_dir/log/pipelines.log" 2>&1 ||
      note "pipeline $file was not taken: see $local_dir/log/pipelines.log"
  done
  # ORDO_LISTEN_HTTP, where it is set, is the broker's.
  run worker "$(program ordo-shop-worker)" --broker "$(endpoint workers)" --listen-http "" \
    --ledger "$local_dir/ledger"
  start_prometheus
  start_monitor
  system_status
}

system_down() {
  local name pid
  for name in monitor prometheus alertmanager worker broker; do
    pid=$(pid_of "$name") || continue
    kill -TERM "$pid"
    wait_until 40 "$name's end" bash -c "! kill -0 $pid 2>/dev/null"
    rm -f "$local_dir/run/$name.pid"
    say "stopped $name"
  done
  if [ -d "$(pg_home)/data" ] && pg_running; then
    as_pg "$(pg_bin)/pg_ctl" -D "$(pg_home)/data" -m fast -w stop >/dev/null
    say "stopped PostgreSQL"
  fi
}

system_status() {
  local name pid up=0
  for name in broker worker prometheus alertmanager monitor; do
    if pid=$(pid_of "$name"); then
      say "${green}up${plain}    $name (pid $pid)  log $local_dir/log/$name.log"
      up=$((up + 1))
    else
      say "${red}down${plain}  $name"
    fi
  done
  if [ -d "$(pg_home)/data" ] && pg_running; then
    say "${green}up${plain}    PostgreSQL        psql '$(pg_dsn)'"
    up=$((up + 1))
  else
    say "${red}down${plain}  PostgreSQL"
  fi
  [ "$up" = 6 ] || return 3
  cat <<TEXT

${bold}page       $(endpoint http monitor)/#token=$(cat "$local_dir/run/token")${plain}
clients    $(endpoint clients)      $(program ordo) --help
workers    $(endpoint workers)
HTTP       $(endpoint http)/metrics, /livez, /readyz
Prometheus $(endpoint http prometheus)
TEXT
}
