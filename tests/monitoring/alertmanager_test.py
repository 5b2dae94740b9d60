#!/usr/bin/env python3
"""A real Alertmanager with the configuration of this repository holds symptoms back behind a cause.

Usage: alertmanager_test.py

It listens on a free port of loopback. Exit code 77: skipped, because the program is not there.
"""

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
import urllib.request

from servers import DEADLINE, program

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONFIG = os.path.join(ROOT, "monitoring", "prometheus", "alertmanager.yml")


@contextlib.contextmanager
def alertmanager(config):
    """Runs one with this text of a configuration; gives its address."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "alertmanager.yml"), "w", encoding="utf-8") as out:
            out.write(config)
        with program(folder, "prometheus-alertmanager", "--config.file=alertmanager.yml",
                     "--storage.path=data", "--web.listen-address=127.0.0.1:0",
                     "--cluster.listen-address=") as base:
            yield "http://" + base


def post(base, alerts):
    """Alerts are pairs of a name and its other labels."""
    body = [{"labels": {"alertname": name, **labels}} for name, labels in alerts]
    urllib.request.urlopen(urllib.request.Request(
        base + "/api/v2/alerts", json.dumps(body).encode(),
        {"Content-Type": "application/json"}), timeout=5).close()


def states(base):
    """(alertname, system) -> (state, names of the alerts that hold it back)."""
    with urllib.request.urlopen(base + "/api/v2/alerts", timeout=5) as answer:
        alerts = json.load(answer)
    names = {a["fingerprint"]: a["labels"]["alertname"] for a in alerts}
    return {(a["labels"]["alertname"], a["labels"].get("system")):
            (a["status"]["state"], [names[f] for f in a["status"]["inhibitedBy"]])
            for a in alerts}


def expect(base, wanted):
    """Waits until the alerts are in these states; says what differs otherwise."""
    end = time.monotonic() + DEADLINE
    seen = {}
    while time.monotonic() < end:
        seen = states(base)
        if all(seen.get(key) == value for key, value in wanted.items()):
            return
        time.sleep(0.05)
    for key, value in wanted.items():
        if seen.get(key) != value:
            print(f"{key}: expected {value}, found {seen.get(key)}", file=sys.stderr)
    sys.exit(1)


def main():
    if shutil.which("prometheus-alertmanager") is None:
        print("SKIPPED: no prometheus-alertmanager; ./dev setup test installs it", file=sys.stderr)
        sys.exit(77)
    symptom = {"system": "shop", "owner": "platform", "severity": "critical", "role": "symptom"}
    cause = {"system": "shop", "owner": "database", "severity": "critical", "role": "cause"}
    other = {"system": "mail", "owner": "platform", "severity": "critical", "role": "symptom"}
    fault = {"system": "shop", "owner": "platform", "severity": "critical"}
    with open(CONFIG, encoding="utf-8") as text:
        config = text.read()
    with alertmanager(config) as base:
        post(base, [("OrdoSystemRed", symptom)])
        expect(base, {("OrdoSystemRed", "shop"): ("active", [])})
        post(base, [("OrdoShardDown", cause), ("OrdoSystemRed", symptom),
                    ("OrdoSystemRed", other), ("OrdoRowsMissing", fault)])
        expect(base, {
            ("OrdoShardDown", "shop"): ("active", []),
            ("OrdoSystemRed", "shop"): ("suppressed", ["OrdoShardDown"]),
            ("OrdoSystemRed", "mail"): ("active", []),   # another system
            ("OrdoRowsMissing", "shop"): ("active", [])  # follows from nothing
        })
    # Without the rule that does it, nothing is held back: what is seen above is its work.
    without = re.sub(r"(?ms)^inhibit_rules:.*?^(?=\S)", "", config)
    assert without != config
    with alertmanager(without) as base:
        post(base, [("OrdoSystemRed", symptom), ("OrdoShardDown", cause)])
        expect(base, {("OrdoShardDown", "shop"): ("active", []),
                      ("OrdoSystemRed", "shop"): ("active", [])})
    print("alertmanager: well")


main()
