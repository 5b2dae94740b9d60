#!/usr/bin/env python3
"""From a red node to a receiver: a real Prometheus and Alertmanager with this repository's rules.

Usage: prometheus_test.py

A stand-in for a broker answers /metrics/health and turns a shard red. The system must be red
within 9 s of that, and the receiver must hear of the cause. Every PromQL line of the runbooks is
sent to that Prometheus, which must understand it. All servers take free ports of loopback.
Exit code 77: skipped, because a program is not there.
"""

import glob
import http.server
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time

from servers import HOME, ROOT, configuration, program, query, wait_for

SEEN_WITHIN = 9.0  # seconds from fault to colour: what ordo promises
SHARD = 'system="ordo",group="shards",app="shard",node="0",type="shard"'
BROKER = 'system="ordo",group="brokers",app="broker",node="b1",type="broker"'


class Stage:
    """What the stand-in tells, and what the receiver has heard."""
    is_red = False
    heard = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        colour = 2 if Stage.is_red else 0
        body = (f"ordo_node_health{{{SHARD}}} {colour}\nordo_node_health{{{BROKER}}} {colour}\n"
                f"ordo_node_root_cause{{{SHARD}}} {colour // 2}\n"
                f"ordo_node_root_cause{{{BROKER}}} 0\n")
        if Stage.is_red:
            body += f'ordo_node_reason{{{SHARD},reason="probe_failed"}} 1\n'
        self.answer(body if self.path == "/metrics/health" else "ordo_orders_resident 0\n")

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"]))
        for alert in json.loads(text)["alerts"]:
            Stage.heard.append((self.path, alert["status"], alert["labels"]["alertname"]))
        self.answer("")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def colour(base):
    result = query(base, "system:ordo_health:colour")
    return result[0]["value"][1] if result else None


def red_is_seen(base):
    wait_for("the system is green", lambda: colour(base) == "0")
    Stage.is_red = True
    began = time.monotonic()
    wait_for("the system is red", lambda: colour(base) == "2", SEEN_WITHIN)
    print(f"red after {time.monotonic() - began:.1f} s")
    wait_for("the receiver hears of the cause",
             lambda: ("/database", "firing", "OrdoShardDown") in Stage.heard,
             said=lambda: f"; the receiver heard {Stage.heard}")
    print(f"told after {time.monotonic() - began:.1f} s")
    # Told in one round with the cause, or not at all: the symptoms were held back.
    symptoms = [word for word in Stage.heard if word[2] in ("OrdoSystemRed", "OrdoNodeRed")]
    if symptoms:
        sys.exit(f"symptoms were told beside their cause: {symptoms}")
    Stage.is_red = False
    wait_for("the system is green again", lambda: colour(base) == "0", SEEN_WITHIN)


def is_promql(line):
    """Lines of a runbook are commands, SQL or PromQL."""
    other = r"\s|ordo [a-z]|curl|psql|amtool|promtool|dmesg|select|vacuum"
    return not re.match(other, line)


def runbooks_are_understood(base):
    lines = [(os.path.basename(path), line)
             for path in sorted(glob.glob(os.path.join(ROOT, "docs/runbooks/*.md")))
             for line in re.findall(r"(?m)^ {4}(\S.*)$", open(path, encoding="utf-8").read())
             if is_promql(line)]
    wrong = [(path, line, answer) for path, line in lines
             for answer in [query(base, line)] if isinstance(answer, str)]
    if not lines or wrong or not isinstance(query(base, "sum by (x ordo_waiters"), str):
        sys.exit("\n".join(map(str, wrong)) or "no line was checked, or a wrong one was taken")
    print(f"{len(lines)} lines of PromQL in runbooks are understood")


def main():
    for name in ("prometheus", "prometheus-alertmanager"):
        if shutil.which(name) is None:
            print(f"SKIPPED: no {name}; ./dev setup test installs it", file=sys.stderr)
            sys.exit(77)
    stand_in = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=stand_in.serve_forever, daemon=True).start()
    port = stand_in.server_address[1]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(os.path.join(HOME, "rules"), os.path.join(folder, "rules"))
        config = configuration(folder, "alertmanager.yml", {"127.0.0.1:9095": f"127.0.0.1:{port}"})
        with program(folder, "prometheus-alertmanager", config, "--storage.path=alerts",
                     "--web.listen-address=127.0.0.1:0", "--cluster.listen-address=") as alerts:
            config = configuration(folder, "prometheus.yml", {
                "127.0.0.1:7780": f"127.0.0.1:{port}", "'127.0.0.1:9093'": f"'{alerts}'"})
            with program(folder, "prometheus", config, "--storage.tsdb.path=data",
                         "--web.listen-address=127.0.0.1:0") as base:
                red_is_seen(base)
                runbooks_are_understood(base)


main()
