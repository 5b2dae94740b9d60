#!/usr/bin/env python3
"""Rules, alerts, runbooks, dashboards, tests and metrics agree.

Usage: check_alerts.py          the repository must give no finding
       check_alerts.py --plants each planted fault must give its finding

Each rule is a function from a tree to findings, which are sentences.
Exit code 77: skipped, because there is no PyYAML.
"""

import glob
import json
import os
import re
import shutil
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RULES = "monitoring/prometheus/rules"
RUNBOOKS = "docs/runbooks"
DASHBOARDS = "monitoring/grafana/dashboards"
FAMILIES = ["monitoring/probe/families.hpp", "worker/app/families.hpp"]
SEVERITIES = {"critical", "warning", "info"}
SWITCH = "OrdoDeadMansSwitch"  # always fires: severity none, and no test in which it is silent
ROLES = {None, "cause", "symptom"}
PARTS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
NAME = re.compile(r"(?<![\w:./-])((?:[a-z_]+:)?ordo_[a-z0-9_]+(?::[a-z0-9_]+)?)(?![\w:/-])")


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


class Tree:
    """What the rules look at, read once from a folder."""

    def __init__(self, top):
        self.top = top
        self.groups = [group for path in sorted(glob.glob(f"{top}/{RULES}/*.yaml"))
                       for group in yaml.safe_load(read(path))["groups"]]
        rules = [rule for group in self.groups for rule in group["rules"]]
        self.alerts = [rule for rule in rules if "alert" in rule]
        self.records = {rule["record"] for rule in rules if "record" in rule}
        self.exprs = [(rule.get("alert") or rule["record"], str(rule["expr"])) for rule in rules]
        self.tests = [(os.path.basename(path), yaml.safe_load(read(path)))
                      for path in sorted(glob.glob(f"{top}/tests/monitoring/*.test.yaml"))]
        self.routes = yaml.safe_load(read(f"{top}/monitoring/prometheus/alertmanager.yml"))["route"]
        self.runbooks = {os.path.basename(path)[:-len(".md")]: read(path)
                         for path in glob.glob(f"{top}/{RUNBOOKS}/*.md")}
        self.index = self.runbooks.pop("README", "")
        self.families = {name for path in FAMILIES
                         for name in re.findall(r'"(ordo_[a-z0-9_]+)"', read(f"{top}/{path}"))}
        self.uids = {json.loads(read(path))["uid"]
                     for path in glob.glob(f"{top}/{DASHBOARDS}/*.json")}
        self.cli = read(f"{top}/docs/cli.md")

    def names(self):
        return {alert["alert"] for alert in self.alerts}


def labels_and_words(tree):
    owners = {match.partition("=")[2].strip() for route in tree.routes["routes"]
              for match in route["matchers"] if match.startswith("owner")}
    for alert in tree.alerts:
        name, labels, words = alert["alert"], alert["labels"], alert["annotations"]
        allowed = {"none"} if name == SWITCH else SEVERITIES
        if labels.get("severity") not in allowed:
            yield f"{name}: severity is {labels.get('severity')}"
        if labels.get("owner") not in owners:
            yield f"{name}: nobody is routed owner {labels.get('owner')}"
        if labels.get("role") not in ROLES:
            yield f"{name}: role is {labels.get('role')}"
        # A cause holds symptoms back: it must be as loud as the loudest of them.
        if labels.get("role") == "cause" and labels.get("severity") != "critical":
            yield f"{name}: a cause that is not critical"
        if not re.fullmatch(r"[A-Z][^{}]*\.", words.get("summary", "")):
            yield f"{name}: its summary is no plain sentence"
        if not words.get("description"):
            yield f"{name}: it has no description"
        if words.get("runbook_url") != f"{RUNBOOKS}/{name}.md":
            yield f"{name}: its runbook_url is {words.get('runbook_url')}"
        # Relative to where Grafana is, which the rules do not know.
        found = re.fullmatch(r"d/([\w-]+)", words.get("dashboard_url", ""))
        if not found or found.group(1) not in tree.uids:
            yield f"{name}: there is no dashboard {words.get('dashboard_url')}"


def runbooks(tree):
    for name in sorted(tree.names() - set(tree.runbooks)):
        yield f"{name}: it has no runbook"
    for name in sorted(set(tree.runbooks) - tree.names()):
        yield f"{RUNBOOKS}/{name}.md: there is no such alert"
    for name, text in sorted(tree.runbooks.items()):
        titles = re.findall(r"(?m)^## (.+)$", text)
        if not text.startswith(f"# {name}\n") or titles != PARTS:
            yield f"{RUNBOOKS}/{name}.md: its parts are not # {name}, {', '.join(PARTS)}"
        if f"({name}.md)" not in tree.index:
            yield f"{RUNBOOKS}/README.md: it does not list {name}"
        commands = re.findall(r"(?m)(?:^ {4,}|`)ordo ([a-z]+)", text)
        for command in sorted(set(commands)):
            if not re.search(rf"(?m)^\|.*`{command}\b", tree.cli):
                yield f"{RUNBOOKS}/{name}.md: `ordo {command}` is not in docs/cli.md"


def tested(tree):
    fires, silent = set(), set()
    for _, document in tree.tests:
        for test in document["tests"]:
            for case in test.get("alert_rule_test", []):
                (fires if case.get("exp_alerts") else silent).add(case["alertname"])
    for name in sorted(tree.names()):
        if name not in fires:
            yield f"{name}: no test fires it"
        if name not in silent and name != SWITCH:
            yield f"{name}: no test keeps it silent"
    for name in sorted((fires | silent) - tree.names()):
        yield f"{name}: tested, but there is no such alert"
    groups = {group["name"] for group in tree.groups}
    for path, document in tree.tests:
        if set(document["group_eval_order"]) != groups:
            yield f"{path}: group_eval_order does not name all groups"


def known_names(tree, text):
    """Metrics in a text that nobody exports and no rule records."""
    for name in sorted(set(NAME.findall(re.sub(r"ordo_\d+\b|ordo_\*", "", text)))):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        if name not in tree.records and not {name, base} & tree.families:
            yield name


def metrics(tree):
    for where, expr in tree.exprs:
        for name in known_names(tree, expr):
            yield f"{where}: there is no metric {name}"
    for path, document in tree.tests:
        for test in document["tests"]:
            series = " ".join(entry["series"].partition("{")[0] for entry in test["input_series"])
            for name in known_names(tree, series):
                yield f"{path}: there is no metric {name}"
    for name, text in sorted(tree.runbooks.items()):
        for metric in known_names(tree, " ".join(re.findall(r"(?m)^ {4,}(.+)$", text))):
            yield f"{RUNBOOKS}/{name}.md: there is no metric {metric}"


CHECKS = [labels_and_words, runbooks, tested, metrics]


def findings(top):
    tree = Tree(top)
    return [finding for check in CHECKS for finding in check(tree)]


# What is spoilt (file, what, by what; nothing: the file goes) and what must be found.
WORK = f"{RULES}/work_alerts.yaml"
PLANTS = [
    (WORK, "severity: warning, owner: orders}", "severity: loud, owner: orders}",
     "severity is loud"),
    (WORK, "owner: orders", "owner: somebody", "nobody is routed owner somebody"),
    (WORK, "role: symptom", "role: rumour", "role is rumour"),
    (f"{RULES}/health_alerts.yaml", "severity: critical, owner: orders, role: cause",
     "severity: info, owner: orders, role: cause", "a cause that is not critical"),
    (WORK, "A queue grows and grows.", "a queue grows", "no plain sentence"),
    (WORK, "description: 'Shard {{ $labels.shard }} of {{ $labels.system }} refused writes.'",
     "description: ''", "OrdoWritesRejected: it has no description"),
    (WORK, "runbooks/OrdoNoWorkers.md", "runbooks/Other.md",
     "OrdoNoWorkers: its runbook_url is docs/runbooks/Other.md"),
    (WORK, "dashboard_url: d/ordo-trouble", "dashboard_url: d/ordo-troubles",
     "OrdoTasksParked: there is no dashboard d/ordo-troubles"),
    (WORK, "          dashboard_url: d/ordo-engine\n", "",
     "OrdoLoopSaturated: there is no dashboard None"),
    (f"{DASHBOARDS}/ordo-trouble.json", None, None,
     "OrdoTasksParked: there is no dashboard d/ordo-trouble"),
    (f"{RUNBOOKS}/OrdoNoWorkers.md", None, None, "OrdoNoWorkers: it has no runbook"),
    (WORK, "alert: OrdoNoWorkers", "alert: OrdoNobody", "OrdoNoWorkers.md: there is no such alert"),
    (f"{RUNBOOKS}/OrdoNoWorkers.md", "## Impact", "## Effect", "OrdoNoWorkers.md: its parts"),
    (f"{RUNBOOKS}/README.md", "(OrdoNoWorkers.md)", "()", "does not list OrdoNoWorkers"),
    (f"{RUNBOOKS}/OrdoNoWorkers.md", "    ordo worker", "    ordo servant", "`ordo servant`"),
    ("tests/monitoring/work_alerts.test.yaml", "alertname: OrdoLeasesLost",
     "alertname: OrdoRetryStorm", "OrdoLeasesLost: no test fires it"),
    ("tests/monitoring/work_alerts.test.yaml", "alertname: OrdoLeasesLost",
     "alertname: OrdoRetryStorm", "OrdoLeasesLost: no test keeps it silent"),
    ("tests/monitoring/work_alerts.test.yaml", "alertname: OrdoLeasesLost",
     "alertname: OrdoGone", "OrdoGone: tested, but"),
    ("tests/monitoring/work_alerts.test.yaml", "  - ordo-work\n", "", "does not name all groups"),
    (WORK, "ordo_commit_seconds_bucket", "ordo_commit_hours_bucket",
     "there is no metric ordo_commit_hours_bucket"),
    (WORK, "queue:ordo_waiting:sum > 0", "queue:ordo_waiting:max > 0",
     "there is no metric queue:ordo_waiting:max"),
    (f"{RULES}/worker_alerts.yaml", "ordo_worker_brokers_up", "ordo_worker_servers_up",
     "there is no metric ordo_worker_servers_up"),
    ("tests/monitoring/work_alerts.test.yaml", "- series: ordo_queue_paused",
     "- series: ordo_queue_stopped", "there is no metric ordo_queue_stopped"),
    (f"{RUNBOOKS}/OrdoNoWorkers.md", "ordo_queue_workers", "ordo_queue_servants",
     "there is no metric ordo_queue_servants"),
]


def planted(plant):
    """What is wrong with how this fault is found; nothing where it is found."""
    path, before, after, expected = plant
    with tempfile.TemporaryDirectory() as top:
        for folder in (RULES, RUNBOOKS, DASHBOARDS, "tests/monitoring"):
            shutil.copytree(f"{ROOT}/{folder}", f"{top}/{folder}")
        for file in ("monitoring/prometheus/alertmanager.yml", "docs/cli.md", *FAMILIES):
            os.makedirs(os.path.dirname(f"{top}/{file}"), exist_ok=True)
            shutil.copy(f"{ROOT}/{file}", f"{top}/{file}")
        if before is None:
            os.remove(f"{top}/{path}")
        else:
            text = read(f"{top}/{path}")
            if before not in text:
                return f"{path} has no '{before}' to spoil"
            with open(f"{top}/{path}", "w", encoding="utf-8") as out:
                out.write(text.replace(before, after))
        if not any(expected in finding for finding in findings(top)):
            return f"{path}, '{before}' -> '{after}': not found: {expected}"
    return None


def main():
    if sys.argv[1:] == ["--plants"]:
        wrong = [word for word in map(planted, PLANTS) if word]
        said = f"{len(PLANTS)} planted faults are found"
    else:
        wrong = findings(ROOT)
        said = "alerts, runbooks, dashboards, tests and metrics agree"
    for word in wrong:
        print(word, file=sys.stderr)
    if not wrong:
        print(said)
    sys.exit(1 if wrong else 0)


try:
    import yaml
except ImportError:
    # The python3 that comes first need not be the system's, which Debian's python3-yaml serves.
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print("SKIPPED: no PyYAML; ./dev setup test installs it", file=sys.stderr)
    sys.exit(77)
main()
