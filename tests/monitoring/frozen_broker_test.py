#!/usr/bin/env python3
"""What a real Prometheus says of a real broker that hangs, is killed and comes back.

Usage: frozen_broker_test.py BUILD_FOLDER

A frozen broker (SIGSTOP) still accepts connections: the system must be red within 9 s all the same,
with that broker as the root cause, and green within 9 s after it goes on. So with one that was
killed and is started again. The alert that is always there must have reached its receiver. Prints
the times as a table. Exit code 77: skipped, because a program is not there.
"""

import os
import shutil
import signal
import socket
import sys
import tempfile
import time

from live_system import LiveSystem, postgres_bin
from servers import HOME, configuration, program, query, wait_for

SEEN_WITHIN = 9.0  # seconds from fault to colour: what ordo promises
COLOURS = {"0": "green", "2": "red"}


class Table:
    def __init__(self, base):
        self.base = base
        self.rows = []

    def colour(self):
        result = query(self.base, "system:ordo_health:colour")
        return result[0]["value"][1] if result else None

    def causes(self):
        found = query(self.base, "node:ordo_root_cause:max == 1")
        return sorted(f'{one["metric"]["type"]}/{one["metric"]["node"]}' for one in found)

    def expect(self, what, wanted, cause=()):
        """Waits until the system has that colour for that cause, and writes down how long it took."""
        began = time.monotonic()
        wait_for(what, lambda: self.colour() == wanted and self.causes() == list(cause),
                 said=lambda: f": the system is {self.colour()} because of {self.causes()}")
        took = time.monotonic() - began
        self.rows.append(f"{what:28} system {COLOURS[wanted]:6} {took:4.1f} s  {' '.join(cause)}")
        if took > SEEN_WITHIN:
            sys.exit(f"{what}: {took:.1f} s are more than {SEEN_WITHIN:.0f} s")


def address_of(url):
    return url.partition("//")[2]


def accepts(address):
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=2):
        return True


def faults(system, broker, endpoints, base):
    http = address_of(endpoints["http"])
    cause = [f"broker/{http}"]  # it cannot say its name: it is called by its address
    table = Table(base)
    table.expect("all is well", "0")
    broker.send_signal(signal.SIGSTOP)
    assert accepts(http), "the kernel answers for a frozen process"
    table.expect("broker frozen (SIGSTOP)", "2", cause)
    broker.send_signal(signal.SIGCONT)
    table.expect("broker goes on (SIGCONT)", "0")
    broker.kill()
    broker.wait()
    table.expect("broker killed (-9)", "2", cause)
    system.start_broker("one", at=endpoints)
    table.expect("broker started again", "0")
    wait_for("the dead-man's switch fires",
             lambda: query(base, 'ALERTS{alertname="OrdoDeadMansSwitch",alertstate="firing"}'))
    print("\n".join(table.rows))


def run(system):
    system.start_database()
    broker, endpoints = system.start_broker("one")
    shutil.copytree(os.path.join(HOME, "rules"), os.path.join(system.folder, "rules"))
    config = configuration(system.folder, "prometheus.yml",
                           {"127.0.0.1:7780": address_of(endpoints["http"])})
    with program(system.folder, "prometheus", config, "--storage.tsdb.path=data",
                 "--web.listen-address=127.0.0.1:0") as base:
        faults(system, broker, endpoints, base)


def main():
    if shutil.which("prometheus") is None or postgres_bin() is None:
        print("SKIPPED: no prometheus or no PostgreSQL; ./dev setup installs them",
              file=sys.stderr)
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        system = LiveSystem(os.path.abspath(sys.argv[1]), folder)
        try:
            run(system)
        finally:
            system.stop()


main()
