#!/usr/bin/env python3
"""Every dashboard is whole: places, words, units, variables, links, metrics.

Usage: check_dashboards.py           the repository must give no finding
       check_dashboards.py --plants  each planted fault must give its finding

Each rule is a function from the dashboards to findings, which are sentences.
"""

import copy
import glob
import json
import os
import re
import sys

import dashboards
from servers import ROOT

SCHEMA = 42  # of the library's version; Grafana migrates older ones itself
LARGEST = 200_000  # bytes: all of them must fit into one release of Helm (1 MiB)
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREY, COLOURS = "#6e6e6e", {"-1": "unknown", "0": "green", "1": "yellow", "2": "red"}
NAME = re.compile(r"(?<![\w:./-])((?:[a-z_]+:)?(?:ordo|process)_[a-z0-9_]+(?::[a-z0-9_]+)?)"
                  r"(?![\w:/-])")
OF_GRAFANA = {"__rate_interval", "__range", "__url_time_range"}


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as text:
        return text.read()


def documented():
    """Names that a query may use: those of docs/metrics.md, with their parts, and recorded ones."""
    known = set()
    rows = re.findall(r"(?m)^\| `([a-z0-9_]+)(?:\{[^}]*\})?` \| (\w+) \|", read("docs/metrics.md"))
    for name, kind in rows:
        known |= ({f"{name}_{part}" for part in ("bucket", "sum", "count")}
                  if kind == "histogram" else {name})
    for path in glob.glob(os.path.join(ROOT, "monitoring/prometheus/rules/*.yaml")):
        known |= set(re.findall(r"(?m)^ *- record: (\S+)", read(path)))
    return known


def identity(pages):
    for name, page in pages.items():
        if name != f"{page['uid']}.json":
            yield f"{name}: its uid is {page['uid']}"
        if page["schemaVersion"] != SCHEMA:
            yield f"{name}: its schemaVersion is {page['schemaVersion']}"
        if len(json.dumps(page, indent=1)) > LARGEST:
            yield f"{name}: it is larger than {LARGEST} bytes"
        if page.get("id") is not None:
            yield f"{name}: it has an id of one server"
        if not page.get("description") or "ordo" not in page["tags"]:
            yield f"{name}: it has no description or not the tag of the links"
    for what in ("uid", "title"):
        values = [page[what] for page in pages.values()]
        for value in sorted({value for value in values if values.count(value) > 1}):
            yield f"two dashboards have the {what} {value}"


def places(pages):
    for name, page in pages.items():
        ids = [panel["id"] for panel in page["panels"]]
        if len(set(ids)) != len(ids):
            yield f"{name}: two panels have the same id"
        taken = {}
        for panel in page["panels"]:
            at, title = panel["gridPos"], panel["title"]
            if at["x"] + at["w"] > 24 or min(at["w"], at["h"]) < 1:
                yield f"{name}, {title}: it is outside of the grid"
            for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"])
                         for y in range(at["y"], at["y"] + at["h"])):
                other = taken.setdefault(cell, title)
                if other != title:
                    yield f"{name}, {title}: it lies on {other}"
                    break


def words(pages):
    for name, page in pages.items():
        titles = [panel["title"] for panel in dashboards.panels(page)]
        for title in sorted({title for title in titles if titles.count(title) > 1}):
            yield f"{name}: two panels are called {title}"
        for panel in dashboards.panels(page):
            if not re.fullmatch(r"(?s)\S.{20,}[.?]", panel.get("description", "")):
                yield f"{name}, {panel['title']}: it has no description"
            field = panel["fieldConfig"]["defaults"]
            overrides = [entry for override in panel["fieldConfig"]["overrides"]
                         for entry in override["properties"]]
            mappings = [mapping for given in [field.get("mappings", [])] +
                        [entry["value"] for entry in overrides if entry["id"] == "mappings"]
                        for mapping in given]
            colours = {value: result.get("text", "").split()[-1] for mapping in mappings
                       if mapping["type"] == "value"
                       for value, result in mapping["options"].items()}
            if not field.get("unit") and not colours:
                yield f"{name}, {panel['title']}: it has neither unit nor words for its values"
            if field["thresholds"]["steps"][0] != {"value": None, "color": GREY}:
                yield f"{name}, {panel['title']}: its thresholds do not begin with grey"
            shown = " ".join(target["expr"] for target in panel["targets"])
            if re.search(r":ordo_health:|ordo_node_health", shown) and colours != COLOURS:
                yield f"{name}, {panel['title']}: a colour without the words of all four"


def sources(pages):
    for name, page in pages.items():
        found = [("annotation", note) for note in page["annotations"]["list"]]
        found += [(name, entry) for name, entry in dashboards.variables(page).items()
                  if entry["type"] == "query"]
        for panel in dashboards.panels(page):
            found += [(panel["title"], panel)]
            found += [(panel["title"], target) for target in panel["targets"]]
        for where, entry in found:
            if entry.get("datasource") != SOURCE:
                yield f"{name}, {where}: its data source is {entry.get('datasource')}"
        if "ALERTS{" not in json.dumps(page["annotations"]):
            yield f"{name}: it does not mark alerts"


def used_variables(pages):
    for name, page in pages.items():
        known = set(dashboards.variables(page))
        body = json.dumps([page["panels"], page["annotations"], page["links"],
                           page["templating"]])
        used = set(re.findall(r"\$\{?(\w+)", body)) - OF_GRAFANA
        for variable in sorted(used - known - {"__all"}):
            yield f"{name}: there is no variable {variable}"
        for variable in sorted(known - used):
            yield f"{name}: nothing uses the variable {variable}"


def links(pages):
    for name, page in pages.items():
        kinds = {link["type"] for link in page["links"]}
        if kinds != {"dashboards", "link"}:
            yield f"{name}: it needs links to the other dashboards and to the page"
        for link in page["links"]:
            others = [other for other in pages.values() if other["uid"] != page["uid"]
                      and set(link["tags"]) <= set(other["tags"])]
            if link["type"] == "dashboards" and not (link["tags"] and others):
                yield f"{name}: no other dashboard has the tags {link['tags']}"
            if link["type"] == "link" and not re.fullmatch(r"\$\{\w+\}", link.get("url", "")):
                yield f"{name}: the address of {link['title']} is fixed: {link.get('url')}"
            if link.get("placement"):
                yield f"{name}: the link {link['title']} is hidden in a menu"


def links_of_panels(pages):
    uids = {page["uid"] for page in pages.values()}
    for name, page in pages.items():
        for panel in dashboards.panels(page):
            for link in panel["fieldConfig"]["defaults"].get("links", []):
                found = re.match(r"/d/([\w-]+)\?", link.get("url", ""))
                if not found or found.group(1) not in uids:
                    yield f"{name}, {panel['title']}: {link.get('url')} leads nowhere"


def metrics(pages):
    known = documented()
    for page in pages.values():
        for where, expr, _ in dashboards.queries(page):
            for metric in sorted(set(NAME.findall(expr)) - known):
                yield f"{where}: there is no metric {metric}"
            for window in re.findall(r"rate\([^\[\]]*\[([^\]]*)\]", expr):
                if window != "$__rate_interval":
                    yield f"{where}: a rate over {window} instead of $__rate_interval"
            for selector in re.findall(r"\{([^}]*)\}", expr):
                if "system=~" not in selector:
                    yield f"{where}: {{{selector}}} chooses no system"
        for name, entry in dashboards.variables(page).items():
            for metric in sorted(set(NAME.findall(entry.get("definition", ""))) - known):
                yield f"{page['uid']}, variable {name}: there is no metric {metric}"


CHECKS = [identity, places, words, sources, used_variables, links, links_of_panels,
          metrics]


def findings(pages):
    return [finding for check in CHECKS for finding in check(pages)]


def panel(page, kind):
    return next(entry for entry in page["panels"] if entry["type"] == kind)


def first_expr(page, change):
    target = panel(page, "timeseries")["targets"][0]
    target["expr"] = change(target["expr"])


# How each fault is planted into a dashboard, and what must be found.
PLANTS = [
    ("overview", lambda page: page.update(uid="other"), "its uid is other"),
    ("overview", lambda page: page.update(schemaVersion=16), "its schemaVersion is 16"),
    ("overview", lambda page: page.update(id=7), "an id of one server"),
    ("overview", lambda page: page.update(description="x" * LARGEST), "larger than"),
    ("overview", lambda page: page.update(description=""), "no description or not the tag"),
    ("overview", lambda page: page.update(title="ordo / 2 orders"), "have the title ordo / 2"),
    ("overview", lambda page: page["panels"][2].update(id=1), "the same id"),
    ("overview", lambda page: page["panels"][2]["gridPos"].update(x=0), "it lies on"),
    ("overview", lambda page: page["panels"][2]["gridPos"].update(w=25), "outside of the grid"),
    ("overview", lambda page: page["panels"][2].update(title="Systems"), "are called Systems"),
    ("overview", lambda page: page["panels"][2].update(description=""), "it has no description"),
    ("orders", lambda page: panel(page, "timeseries")["fieldConfig"]["defaults"].pop("unit"),
     "neither unit nor words"),
    ("overview", lambda page: panel(page, "stat")["fieldConfig"]["defaults"]["thresholds"]["steps"]
     .pop(0) and panel(page, "stat")["fieldConfig"]["defaults"]["thresholds"]["steps"]
     .append({"value": None, "color": "green"}), "do not begin with grey"),
    ("overview", lambda page: panel(page, "stat")["fieldConfig"]["defaults"]["mappings"][0]
     ["options"].pop("-1"), "without the words of all four"),
    ("overview", lambda page: panel(page, "state-timeline")["fieldConfig"]["defaults"]["mappings"]
     [0]["options"]["2"].update(text="✓ green"), "without the words of all four"),
    ("orders", lambda page: panel(page, "timeseries")["targets"][0].update(datasource="prom"),
     "its data source is prom"),
    ("orders", lambda page: dashboards.variables(page)["system"].update(datasource="prom"),
     "its data source is prom"),
    ("orders", lambda page: page["annotations"]["list"].clear(), "does not mark alerts"),
    ("orders", lambda page: first_expr(page, lambda expr: expr.replace("$system", "$sistem")),
     "no variable sistem"),
    ("orders", lambda page: page["templating"]["list"].append({"name": "unused", "type": "custom"}),
     "nothing uses the variable unused"),
    ("orders", lambda page: page["links"].pop(), "it needs links"),
    ("orders", lambda page: page["links"][0].update(tags=["other"]), "has the tags ['other']"),
    ("orders", lambda page: page["links"][1].update(url="http://10.0.0.1/"), "is fixed"),
    ("orders", lambda page: page["links"][1].update(placement="inControlsMenu"), "in a menu"),
    ("overview", lambda page: page["panels"][2]["fieldConfig"]["defaults"]["links"][0].update(
        url="/d/ordo-order?"), "leads nowhere"),
    ("orders", lambda page: first_expr(page, lambda expr: expr.replace("accepted", "acepted")),
     "no metric ordo_orders_acepted_total"),
    ("engine", lambda page: first_expr(page, lambda expr: "process_cpu_hours{system=~\".\"}"),
     "no metric process_cpu_hours"),
    ("orders", lambda page: first_expr(page, lambda expr: "ordo_order_seconds{system=~\".\"}"),
     "no metric ordo_order_seconds"),
    ("orders", lambda page: first_expr(page, lambda expr: expr.replace("$__rate_interval", "5m")),
     "a rate over 5m"),
    ("orders", lambda page: first_expr(page, lambda expr: expr.replace("system=~", "job=~")),
     "chooses no system"),
    ("orders", lambda page: dashboards.variables(page)["system"].update(
        definition="label_values(ordo_gone, system)"), "variable system: there is no metric"),
]


def planted(page, spoil, expected):
    """What is wrong with how this fault is found; nothing where it is found."""
    pages = copy.deepcopy(dashboards.load())
    spoil(pages[f"ordo-{page}.json"])
    found = findings(pages)
    if not any(expected in finding for finding in found):
        return f"not found: {expected} (found: {found})"
    return None


def main():
    if sys.argv[1:] == ["--plants"]:
        wrong = [word for word in (planted(*plant) for plant in PLANTS) if word]
        said = f"{len(PLANTS)} planted faults are found"
    else:
        pages = dashboards.load()
        count = sum(len(dashboards.panels(page)) for page in pages.values())
        wrong = findings(pages) if pages else ["there are no dashboards"]
        said = f"{len(pages)} dashboards, {count} panels: whole"
    for word in wrong:
        print(word, file=sys.stderr)
    if not wrong:
        print(said)
    sys.exit(1 if wrong else 0)


main()
