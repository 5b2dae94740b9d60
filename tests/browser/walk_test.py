#!/usr/bin/env python3
"""A newcomer's walk through the page of a real system: walk_test.py BUILD PACKAGES [PICTURES].

PostgreSQL, a broker, shop workers, Prometheus with this repository's rules and ordo-monitor, all on
free ports of loopback; walk.mjs walks in Chromium. PICTURES is a folder for docs/images.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "monitoring"))
from dashboards_test import is_open, lines, prometheus  # pylint: disable=wrong-import-position
from live_system import LiveSystem, postgres_bin  # pylint: disable=wrong-import-position
from servers import query, wait_for  # pylint: disable=wrong-import-position

# A slow worker cannot do it in time; one failure, and it waits for an operator.
HELLO = """
pipeline: hello
version: 7
steps:
  hello: { timeout: 300ms, retry: { attempts: 1 } }
"""
SHOP = os.path.join(HERE, "../../examples/pipelines")


def monitor(system, broker, base):
    """Starts ordo-monitor; gives its address and an operator's token."""
    program = os.path.join(system.build, "monitoring/monitor/ordo-monitor")
    tokens = os.path.join(system.folder, "tokens")
    made = subprocess.run([program, "token", "--role", "operator", "--name", "ann", "--file", tokens],
                          check=True, capture_output=True, text=True)
    path = os.path.join(system.folder, "monitor.json")
    process = system.start("monitor", [
        program, "--listen-http", "127.0.0.1:0", "--brokers", broker["http"],
        "--endpoint", broker["clients"], "--prometheus", f"http://{base}", "--tokens", tokens,
        "--endpoints-file", path])

    def address():
        if process.poll() is not None or not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as text:
            return json.load(text)["http"]
    return wait_for("ordo-monitor listens", address), made.stdout.split()[-1]


def parked(system, broker, count):
    listed = system.ordo(broker, "ls", "--parked", "--output", "json")
    return listed.count('"status": "parked"') >= count


def prepare(system, broker, base):
    """Three parked orders, orders that went through, then nobody who works and tasks that wait."""
    path = os.path.join(system.folder, "hello.yaml")
    with open(path, "w", encoding="utf-8") as out:
        out.write(HELLO)
    wait_for("the broker is ready", lambda: is_open(broker))
    system.ordo(broker, "pipeline", "apply", path, os.path.join(SHOP, "3c.yaml"))
    slow = system.start_worker("slow-1", broker, "--time-scale", "1000")
    system.ordo(broker, "submit", "--file", "-", lines=lines("hello", 3, customer="c42"))
    wait_for("three orders are parked", lambda: parked(system, broker, 3))
    slow.terminate()
    slow.wait(60)
    quick = system.start_worker("shop-1", broker, "--time-scale", "0.01")
    accepted = 'ordo_orders_accepted_total{pipeline="3c"}'
    for seen in (accepted, f"rate({accepted}[1m]) > 0"):  # a rate wants a figure before it grows
        system.ordo(broker, "submit", "--file", "-", lines=lines("3c", 60, customer="c7"))
        wait_for("Prometheus has seen orders", lambda expr=seen: query(base, expr))
    # It leaves: who falls silent is named for a minute only, and a slow walk takes longer.
    quick.terminate()
    quick.wait(60)
    system.ordo(broker, "submit", "--file", "-", lines=lines("3c", 20, customer="c8"))


def walk(system, broker, environment):
    """Runs the browser, and does what it asks for."""
    process = subprocess.Popen(["node", os.path.join(HERE, "walk.mjs")], text=True, env=environment,
                               stdout=subprocess.PIPE)
    for line in process.stdout:
        print(line, end="", flush=True)
        if line.startswith("please: start a worker"):
            system.start_worker("shop-2", broker, "--time-scale", "0.01")
    return process.wait()


def missing(packages):
    for name in ("node", "prometheus", "promtool"):
        if shutil.which(name) is None:
            return name
    browser = os.environ.get("ORDO_BROWSER", "/usr/bin/chromium")
    if not os.path.exists(browser):
        return browser
    if not os.path.isdir(os.path.join(packages, "node_modules/playwright-core")):
        return "playwright-core (the test browser.page fetches it)"
    return None if postgres_bin() else "PostgreSQL's server"


def main():
    build, packages = (os.path.abspath(word) for word in sys.argv[1:3])
    lack = missing(packages)
    if lack:
        print(f"SKIPPED: no {lack}; ./dev setup installs what there is in packages", file=sys.stderr)
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        system = LiveSystem(build, folder)
        try:
            system.start_database()
            _, broker = system.start_broker("ordo-0")
            with prometheus(folder, [broker]) as base:
                url, token = monitor(system, broker, base)
                prepare(system, broker, base)
                environment = dict(os.environ, ORDO_WALK_URL=url, ORDO_WALK_TOKEN=token,
                                   ORDO_BROWSER_PACKAGES=packages)
                if len(sys.argv) > 3:
                    environment["ORDO_WALK_PICTURES"] = os.path.abspath(sys.argv[3])
                sys.exit(walk(system, broker, environment))
        finally:
            system.stop()


if __name__ == "__main__":
    main()
