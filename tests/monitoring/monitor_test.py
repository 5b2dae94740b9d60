#!/usr/bin/env python3
"""What ordo-monitor tells of the past, by a real Prometheus whose past is made up.

Usage: monitor_test.py ORDO_MONITOR

Blocks are written with promtool: orders accepted an hour up to now, the same hour yesterday and a
week ago at other rates, and the colours of one node. The monitor must show each curve at now's
times, the node's colours and reasons, an alert, and say so where Prometheus is gone.
Exit code 77: skipped, because a program is not there.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from servers import program, wait_for

TOKEN = "t" * 43
DAY = 86400
STEP = 15
PER_MINUTE = {"now": 600, "yesterday": 300, "last_week": 120}
BACK = {"now": 0, "yesterday": DAY, "last_week": 7 * DAY}
NODE = 'system="ordo",group="workers",app="pay",node="p\\"1",type="worker"'
RULES = """groups:
  - name: test
    interval: 1s
    rules:
      - alert: Second
        expr: vector(1)
        labels: {severity: warning}
      - alert: First
        expr: vector(1)
        labels: {severity: critical, system: ordo}
        annotations: {summary: s, description: d, runbook_url: r}
"""


def made_up_past(now):
    """OpenMetrics: of each family all samples together, in time."""
    lines = ["# TYPE ordo_orders_accepted counter"]
    for name in ("last_week", "yesterday", "now"):
        end = now - BACK[name]
        lines += [f'ordo_orders_accepted_total{{system="ordo",instance="b"}} '
                  f"{PER_MINUTE[name] * (at - end + 4500) / 60} {at}"
                  for at in range(end - 4500, end + 1, STEP)]
    lines.append("# TYPE node:ordo_health:max gauge")
    lines += [f"node:ordo_health:max{{{NODE}}} {2 if at > now - 600 else 0} {at}"
              for at in range(now - 3600, now + 1, STEP)]
    lines.append("# TYPE node:ordo_reason:max gauge")
    lines += [f'node:ordo_reason:max{{{NODE},reason="errors"}} 1 {at}'
              for at in range(now - 585, now + 1, STEP)]
    return "\n".join(lines + ["# EOF", ""])


@contextlib.contextmanager
def monitor(folder, binary, prometheus):
    tokens, endpoints = os.path.join(folder, "tokens"), os.path.join(folder, "endpoints")
    with open(os.open(tokens, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as out:
        out.write(f"ann observer {TOKEN}\n")
    with open(os.path.join(folder, "monitor.log"), "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [binary, "--tokens", tokens, "--listen-http", "127.0.0.1:0", "--endpoints-file",
             endpoints, "--brokers", "127.0.0.1:1", "--prometheus", f"http://{prometheus}"],
            stdout=log, stderr=log)
    try:
        wait_for("ordo-monitor listens", lambda: os.path.exists(endpoints))
        with open(endpoints, encoding="utf-8") as text:
            yield json.load(text)["http"]
    finally:
        process.terminate()
        if process.wait() != 0:
            sys.exit("ordo-monitor did not end as asked")


def ask(base, path, **query):
    """Status and JSON."""
    request = urllib.request.Request(f"{base}/api/v1/{path}?{urllib.parse.urlencode(query)}",
                                     headers={"Authorization": f"Bearer {TOKEN}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def check(is_so, what):
    if not is_so:
        sys.exit(f"not so: {what}")


def curves_are_shown(base, now):
    status, business = ask(base, "business", minutes=60)
    check(status == 200 and business["step_s"] == 60, business)
    for name, rate in PER_MINUTE.items():
        points = [(at, value) for at, value in business[name] if at <= now]
        check(len(points) >= 55, f"{name} has {len(points)} points")
        check(all(abs(value - rate) < rate * 0.05 for _, value in points), f"{name}: {points}")
        check(all(now - 3700 <= at for at, _ in points), f"{name} lies on now's times: {points}")
    times = [{at for at, _ in business[name] if at <= now - 60} for name in PER_MINUTE]
    check(times[0] == times[1] == times[2], "the three curves have the same times")


def a_node_is_shown(base, now):
    status, node = ask(base, "history", system="ordo", type="worker", node='p"1', minutes=60)
    check(status == 200 and node["step_s"] == STEP, node)
    for at, colour in node["health"]:
        # A point between two samples has the one before.
        check(colour == (2 if at - at % STEP > now - 600 + STEP else 0)
              or abs(at - (now - 600)) <= 2 * STEP, f"colour {colour} at {at - now}")
    check({colour for _, colour in node["health"]} == {0, 2}, "both colours are there")
    check([one["reason"] for one in node["reasons"]] == ["errors"], node["reasons"])
    check(len(node["reasons"][0]["points"]) >= 35, node["reasons"])
    # Nothing gets out of the quotes of a label.
    status, none = ask(base, "history", system='ordo"} or vector(1) #', type="worker", node="x")
    check(status == 200 and none["health"] == [], none)
    check(ask(base, "history", system="ordo")[0] == 400, "a node has three names")
    check(ask(base, "business", minutes=0)[0] == 400, "minutes begin at 1")


def alerts_are_shown(base):
    def fired():
        alerts = ask(base, "alerts")[1].get("alerts", [])
        return alerts if len(alerts) == 2 and alerts[0]["state"] == "firing" else None
    first, second = wait_for("both alerts fire", fired)
    check((first["name"], second["name"]) == ("First", "Second"), "critical first")
    check(first["labels"] == {"system": "ordo"} and first["runbook"] == "r", first)
    check(abs(first["since_ms"] / 1000 - time.time()) < 120, first)


def main():
    for name in ("prometheus", "promtool"):
        if shutil.which(name) is None:
            print(f"SKIPPED: no {name}; ./dev setup test installs it", file=sys.stderr)
            sys.exit(77)
    now = int(time.time()) // STEP * STEP
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("past", made_up_past(now)), ("rules.yaml", RULES),
                           ("prometheus.yml", "rule_files: [rules.yaml]\n")):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                out.write(text)
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics",
                        os.path.join(folder, "past"), os.path.join(folder, "data")],
                       check=True, stdout=subprocess.DEVNULL)
        with contextlib.ExitStack() as stack:
            with program(folder, "prometheus", "--config.file=prometheus.yml",
                         "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0") as address:
                base = stack.enter_context(monitor(folder, sys.argv[1], address))
                check(ask(base, "me")[1]["has_prometheus"], "it knows of a Prometheus")
                curves_are_shown(base, now)
                a_node_is_shown(base, now)
                alerts_are_shown(base)
            status, gone = wait_for("the answers of before are forgotten", lambda: (
                lambda said: said if said[0] == 503 else None)(ask(base, "business", minutes=60)))
            check(gone["error"]["reason"] == "prometheus", gone)
            check(ask(base, "health")[0] == 200, "the colours need no Prometheus")
    print("yesterday, last week, a node's colours and alerts are shown")


main()
