#!/usr/bin/env python3
"""Every query of every dashboard gives data: a real Prometheus that scrapes a real system.

Usage: dashboards_test.py BUILD     the folder of a build

Two brokers on one PostgreSQL, shop workers, of which one serves metrics, orders that end, fail, are
retried and parked, are refused and told to come back later; a broker and a worker that go. Nothing
is excused: each query, each variable and each selector inside a query must find series, with the
labels that legends and columns name; and some panels must show what happened. Planted queries must
be found to give none.
Exit code 77: skipped, because a program is not there.
"""

import contextlib
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import dashboards
from live_system import LiveSystem, page, postgres_bin
from servers import HOME, ROOT, configuration, program, query, wait_for

DAY = 86400
NO_WORKER = "targets: []  # such as"
PAST = 2  # orders a second, yesterday and last week
# Long enough for everything since the start of this test.
WINDOW = {"$__rate_interval": "5m", "$__range": "15m"}
# A step of its own for what no worker serves: its queue is red.
FAX = "pipeline: fax\nversion: 1\nsteps:\n  fax: { timeout: 5s }\n"
# What some panels must show of this story: uid, panel, labels of a series, and what its value is.
FACTS = [
    ("ordo-overview", "Systems", {"system": "ordo"}, lambda value: value == 2),
    ("ordo-overview", "What is wrong", {"type": "queue", "node": "fax", "reason": "no_worker",
                                        "cause": "root cause"}, lambda value: value == 2),
    ("ordo-overview", "What is wrong", {"type": "broker", "reason": "unreachable",
                                        "cause": "root cause"}, lambda value: value == 2),
    ("ordo-overview", "Orders a minute, beside yesterday and last week", {"system": "ordo"},
     lambda value: value == 60 * PAST),
    ("ordo-orders", "Told to come back later", {"reason": "client_rate"}, lambda value: value > 0),
    ("ordo-orders", "There already", {"pipeline": "hello"}, lambda value: value > 0),
    ("ordo-workers", "Waiting, by queue", {"queue": "fax"}, lambda value: value == 3),
    ("ordo-workers", "Attempts by step and outcome", {"outcome": "lost"}, lambda value: value > 0),
    ("ordo-workers", "Handlers that returned", {"handler": "code_issue", "outcome": "transient"},
     lambda value: value > 0),
    ("ordo-workers", "Sessions that are missing", {"system": "ordo"}, lambda value: value == 0),
    ("ordo-trouble", "Tried again, by step", {"pipeline": "digital", "step": "code_issue"},
     lambda value: value > 0),
]
# The database refuses the orders of one customer.
REFUSE = """
create function ordo_{0}.refuse() returns trigger language plpgsql as
  $$ begin raise check_violation; end $$;
create trigger refuse before insert on ordo_{0}.orders for each row
  when (new.customer = 'refused') execute function ordo_{0}.refuse();
"""


def past(folder):
    """Yesterday and last week, as blocks of a Prometheus that ran then."""
    now = int(time.time())
    lines = ["# TYPE system:ordo_orders_accepted:rate10m gauge"]
    for ago in (7 * DAY, DAY):
        lines += [f'system:ordo_orders_accepted:rate10m{{system="ordo"}} {PAST} {minute}'
                  for minute in range(now - ago - 900, now - ago + 900, 60)]
    path = os.path.join(folder, "past.txt")
    with open(path, "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n# EOF\n")
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", path,
                    os.path.join(folder, "data")], check=True, stdout=subprocess.DEVNULL)


def rules(folder):
    """This repository's rules, each group every second: a test cannot wait for 30 s."""
    shutil.copytree(os.path.join(HOME, "rules"), os.path.join(folder, "rules"))
    for name in os.listdir(os.path.join(folder, "rules")):
        path = os.path.join(folder, "rules", name)
        with open(path, encoding="utf-8") as text:
            changed = re.sub(r"(?m)^( +interval:) \d+s$", r"\1 1s", text.read())
        with open(path, "w", encoding="utf-8") as out:
            out.write(changed)


@contextlib.contextmanager
def prometheus(folder, brokers):
    """With this repository's configuration, looking at these brokers each second."""
    past(folder)
    rules(folder)
    targets = ", ".join(f"'{broker['http'].partition('//')[2]}'" for broker in brokers)
    config = configuration(folder, "prometheus.yml", {
        "['127.0.0.1:7780']": f"[{targets}]", "scrape_interval: 5s": "scrape_interval: 1s",
        "scrape_timeout: 4s": "scrape_timeout: 1s", "['127.0.0.1:9093']": "[]"})
    with program(folder, "prometheus", config, "--storage.tsdb.path=data",
                 "--web.listen-address=127.0.0.1:0", "--web.enable-lifecycle") as base:
        yield base


def look_at_worker(folder, base, address):
    """Puts a worker's address where prometheus.yml has room for it."""
    path = os.path.join(folder, "prometheus.yml")
    with open(path, encoding="utf-8") as text:
        config = text.read()
    assert NO_WORKER in config, f"prometheus.yml has no {NO_WORKER}"
    with open(path, "w", encoding="utf-8") as out:
        out.write(config.replace(NO_WORKER, f"targets: ['{address}']  #"))
    urllib.request.urlopen(f"http://{base}/-/reload", data=b"", timeout=5).close()


def lines(pipeline, count, **more):
    return "".join(json.dumps({"pipeline": pipeline, "payload": "{}", **more}) + "\n"
                   for _ in range(count))


def is_open(broker):
    try:
        return page(broker["http"] + "/readyz")
    except urllib.error.URLError:
        return None


def apply_pipelines(system, broker):
    fax = os.path.join(system.folder, "fax.yaml")
    with open(fax, "w", encoding="utf-8") as out:
        out.write(FAX)
    files = [os.path.join(ROOT, "examples/pipelines", f"{name}.yaml")
             for name in ("3c", "digital", "hello")]
    wait_for("the broker is ready", lambda: is_open(broker))
    system.ordo(broker, "pipeline", "apply", *files, fax)


def database_trouble(system, broker, base):
    """A refused write, and a row that goes behind its owner's back: missed when its order ends."""
    for shard in (0, 1):
        system.sql(REFUSE.format(shard))
    for _ in range(4):  # both shards, very likely; one is enough
        system.ordo(broker, "submit", "hello", "{}", "--customer", "refused")
    order = system.ordo(broker, "submit", "fax", "{}", "-q").strip()
    for shard in (0, 1):
        system.sql(f"delete from ordo_{shard}.task")
    system.ordo(broker, "cancel", order, "--yes", "--why", "its row is gone", timeout="1s")
    wait_for("a row is missed", lambda: query(base, "ordo_rows_missing_total"))
    wait_for("the broker is ready again", lambda: is_open(broker))


def work(system, broker, base):
    """Orders of all kinds; a worker that is killed with tasks in its hands."""
    # More than fits into the window while nobody works; the client's rate is used up, too.
    system.ordo(broker, "submit", "--file", "-", lines=lines("hello", 600) + lines("fax", 3))
    doomed = system.start_worker("shop-2", broker, "--time-scale", "100")
    wait_for("the worker to be killed has tasks", lambda: value(base, "sum(ordo_queue_leased)"))
    doomed.kill()
    system.start_worker("shop-1", broker, "--slots", "16", "--listen-http", "127.0.0.1:0")
    look_at_worker(system.folder, base, system.worker_http("shop-1"))
    discontinued = lines("digital", 8, payload='{"note": "discontinued"}')
    ran = "ordo_worker_handler_seconds_count"
    for seen in (ran, f"rate({ran}[5m]) > 0"):  # a rate wants a figure before it grows
        system.ordo(broker, "submit", "--file", "-",
                    lines=discontinued + lines("digital", 60) + lines("3c", 60))
        wait_for("Prometheus has seen handlers return", lambda expr=seen: query(base, expr))
    order = system.ordo(broker, "submit", "hello", "{}", "-q").strip()
    system.ordo(broker, "submit", "hello", "{}", "--id", order)
    system.ordo(broker, "get", order)
    system.ordo(broker, "ls", "--parked")


def value(base, expr):
    """The only value of an expression; 0 where there is none."""
    result = query(base, expr)
    return float(result[0]["value"][1]) if result else 0.0


def chosen(base, dashboard):
    """What `All` stands for in each variable, as Grafana writes it into a query."""
    found = dict(WINDOW)
    for name, entry in dashboards.variables(dashboard).items():
        if entry["type"] != "query":
            continue
        metric, label = re.fullmatch(r"label_values\((.+), (\w+)\)", entry["definition"]).groups()
        url = f"http://{base}/api/v1/label/{label}/values?" + urllib.parse.urlencode(
            {"match[]": filled(metric, found)})
        values = [re.sub(r"[\\^$*+?.()|\[\]{}]", r"\\\\\g<0>", text)
                  for text in json.loads(page(url))["data"]]
        found[f"${name}"] = f"({'|'.join(values)})" if values else ""
    return found


def filled(expr, values):
    for name in sorted(values, key=len, reverse=True):
        expr = expr.replace(name, values[name])
    return expr


def lacking(base, expr, names=()):
    """What an expression lacks, as a sentence; nothing where it gives what it should."""
    result = query(base, expr)
    if isinstance(result, str):
        return result
    if not any(math.isfinite(float(entry["value"][1])) for entry in result):
        return "no data"
    for name in names:
        if not any(name in entry["metric"] for entry in result):
            return f"no series has the label {name}"
    # What `or` and unions hide: each selector must find something of its own.
    for selector in re.findall(r"[a-zA-Z_:][\w:]*\{[^{}]*\}", expr):
        if not query(base, f"count(count_over_time({selector}[15m]))"):
            return f"nothing is selected by {selector}"
    return None


def all_lacking(base):
    """(where, what it lacks) of all dashboards."""
    found = []
    for dashboard in dashboards.load().values():
        values = chosen(base, dashboard)
        found += [(dashboard["uid"], f"the variable {name} has no values")
                  for name, text in values.items() if text == ""]
        for where, expr, names in dashboards.queries(dashboard):
            lack = lacking(base, filled(expr, values), names)
            if lack:
                found.append((where, lack))
    return found


def is_shown(base, uid, title, labels, is_right):
    """Whether a query of this panel gives such a series."""
    dashboard = dashboards.load()[f"{uid}.json"]
    values = chosen(base, dashboard)
    return any(labels.items() <= entry["metric"].items() and is_right(float(entry["value"][1]))
               for panel in dashboards.panels(dashboard) if panel["title"] == title
               for target in panel["targets"]
               for entry in query(base, filled(target["expr"], values)))


def not_shown(base):
    return [(f"{uid}, {title}", f"{labels} is not there, or wrong")
            for uid, title, labels, is_right in FACTS
            if not is_shown(base, uid, title, labels, is_right)]


def plants(base):
    """What gives nothing must be noticed, or the test shows nothing."""
    hidden = "ordo_workers{system=\"ordo\"} or ordo_waiters{system=\"gone\"}"
    faults = [("sum(ordo_orders_accepted_total{pipeline=\"gone\"})", [], "no data"),
              ("0 * sum(ordo_workers) / 0", [], "no data"),
              ("sum(ordo_workers", [], "unclosed"),
              ("sum by (system) (ordo_workers)", ["queue"], "the label queue"),
              (hidden, [], "nothing is selected")]
    for expr, names, expected in faults:
        if expected not in (lacking(base, expr, names) or ""):
            sys.exit(f"{expr}: not noticed: {expected}")
    if is_shown(base, "ordo-overview", "Systems", {"system": "ordo"}, lambda value: value == 0):
        sys.exit("a red system is taken for a green one")
    return len(faults)


def run(system):
    system.start_database()
    _, one = system.start_broker("one", "--window-tasks", "50", "--client-rate", "300")
    apply_pipelines(system, one)
    other, two = system.start_broker("two")
    with prometheus(system.folder, [one, two]) as base:
        wait_for("a broker that stands by does not obtain a shard",
                 lambda: query(base, "rate(ordo_shard_refused_total[1m])"))  # seen twice
        other.terminate()  # it stays among the targets: a red node, and an alert that fires
        database_trouble(system, one, base)
        work(system, one, base)
        state = []

        def is_all_there():
            state[:] = all_lacking(base) or not_shown(base)
            return not state
        wait_for("every query gives data, and what happened is shown", is_all_there,
                 said=lambda: "\n" + "\n".join(f"  {where}: {lack}" for where, lack in state))
        count = sum(len(list(dashboards.queries(page))) for page in dashboards.load().values())
        print(f"{count} queries give data, {len(FACTS)} facts are shown; "
              f"{plants(base)} planted queries give none")


def main():
    for name in ("prometheus", "promtool"):
        if shutil.which(name) is None:
            print(f"SKIPPED: no {name}; ./dev setup test installs it", file=sys.stderr)
            sys.exit(77)
    if postgres_bin() is None:
        print("SKIPPED: no PostgreSQL server; ./dev setup run installs it", file=sys.stderr)
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        system = LiveSystem(os.path.abspath(sys.argv[1]), folder)
        try:
            run(system)
        finally:
            system.stop()


if __name__ == "__main__":
    main()
