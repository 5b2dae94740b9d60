"""Real servers for the tests of this folder: on free ports of loopback, ended with their test."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOME = os.path.join(ROOT, "monitoring", "prometheus")
DEADLINE = 60.0  # seconds for each fact that is waited for


def wait_for(what, look, seconds=DEADLINE, said=lambda: ""):
    """Looks until there is something, and returns it; `said` is told where there is nothing."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(f"not within {seconds:.0f} s: {what}{said()}")


def is_ready(base):
    """It listens before it can answer."""
    try:
        urllib.request.urlopen(f"http://{base}/-/ready", timeout=5).close()
    except urllib.error.URLError:
        return False
    return True


@contextlib.contextmanager
def program(folder, *command):
    """Runs a Prometheus or Alertmanager in a folder; gives the address that it logs, once ready."""
    path = os.path.join(folder, command[0] + ".log")

    def log():
        with open(path, encoding="utf-8") as text:
            return text.read()

    with open(path, "w", encoding="utf-8") as out:
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command],
                                   stdout=out, stderr=out, cwd=folder)

    def address():
        if process.poll() is not None:
            sys.exit(f"{command[0]} ended:\n{log()}")
        found = re.search(r'"Listening on" address=(\S+)', log())
        return found and found.group(1)
    try:
        base = wait_for(f"{command[0]} listens", address)
        wait_for(f"{command[0]} is ready", lambda: is_ready(base))
        yield base
    finally:
        process.terminate()
        process.wait()


def configuration(folder, name, changes):
    """This repository's file with other addresses."""
    with open(os.path.join(HOME, name), encoding="utf-8") as text:
        config = text.read()
    for before, after in changes.items():
        assert before in config, f"{name} has no {before}"
        config = config.replace(before, after)
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(config)
    return f"--config.file={path}"


def query(base, expr):
    """The result, or the error as a text."""
    url = f"http://{base}/api/v1/query?" + urllib.parse.urlencode({"query": expr})
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        return json.load(error)["error"]
