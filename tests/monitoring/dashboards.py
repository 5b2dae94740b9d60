"""The dashboards of monitoring/grafana, as the tests of this folder look at them."""

import glob
import json
import os
import re

from servers import ROOT

FOLDER = "monitoring/grafana/dashboards"


def load(top=ROOT):
    """File name -> dashboard."""
    made = {}
    for path in sorted(glob.glob(os.path.join(top, FOLDER, "*.json"))):
        with open(path, encoding="utf-8") as text:
            made[os.path.basename(path)] = json.load(text)
    return made


def panels(dashboard):
    """Its panels without the headings of rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries(dashboard):
    """(where, expression, names that its legend or columns take from labels)."""
    for panel in panels(dashboard):
        columns = [name for step in panel.get("transformations", [])
                   for name in step["options"].get("indexByName", {}) if name != "Value"]
        for target in panel["targets"]:
            names = re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", ""))
            # A bucket's bound is made into an axis, not asked for as a label.
            yield (f"{dashboard['uid']}, {panel['title']}", target["expr"],
                   [name for name in names + columns if name != "le"])
    for note in dashboard["annotations"]["list"]:
        yield f"{dashboard['uid']}, annotation {note['name']}", note["expr"], []


def variables(dashboard):
    """Name -> variable."""
    return {entry["name"]: entry for entry in dashboard["templating"]["list"]}
