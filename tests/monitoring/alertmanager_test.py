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
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONFIG = os.path.join(ROOT, "monitoring", "prometheus", "alertmanager.yml")
DEADLINE = 30.0  # seconds for each fact that is waited for


def wait_for(what, look):
    """Looks until there is something, and returns it."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(f"not within {DEADLINE:.0f} s: {what}")


def is_ready(base):
    """It listens before it can answer."""
    try:
        urllib.request.urlopen(f"http://{base}/-/ready", timeout=5).close()
    except urllib.error.URLError:
        return False
    return True


@contextlib.contextmanager
def alertmanager(config):
    """Runs one with this text of a configuration; gives its address, which is in its log."""
    with tempfile.TemporaryDirectory() as folder:
        log_path = os.path.join(folder, "log")
        config_path = os.path.join(folder, "alertmanager.yml")
        with open(config_path, "w", encoding="utf-8") as out:
            out.write(config)
        with open(log_path, "w", encoding="utf-8") as log:
            process = subprocess.Popen(
                ["prometheus-alertmanager", f"--config.file={config_path}",
                 f"--storage.path={folder}/data", "--web.listen-address=127.0.0.1:0",
                 "--cluster.listen-address="], stdout=log, stderr=log)
        try:
            def address():
                if process.poll() is not None:
                    with open(log_path, encoding="utf-8") as log:
                        sys.exit("Alertmanager ended:\n" + log.read())
                with open(log_path, encoding="utf-8") as log:
                    found = re.search(r'"Listening on" address=(\S+)', log.read())
                return found and found.group(1)
            base = wait_for("Alertmanager listens", address)
            wait_for("Alertmanager is ready", lambda: is_ready(base))
            yield "http://" + base
        finally:
            process.terminate()
            process.wait()


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
