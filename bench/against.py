#!/usr/bin/env python3
"""What the features since a commit cost an order that uses none of them: against.py COMMIT.

Builds COMMIT in a work tree of its own under build/against, then runs `ordo-bench throughput` of it
and of this tree in turn, so that what drifts on the machine meets both. Prints each run's processor
time a task by process, then one JSON line: medians and their ratio for one step and for six.
"""

import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Enough to keep two shards' batches full, and within the window of every version.
IN_FLIGHT = {1: 8000, 6: 3000}
OURS = ("client", "broker", "worker")


def run(command, **more):
    return subprocess.run(command, check=True, text=True, **more)


def build_of(commit):
    """The folder in which `commit` is built."""
    name = run(["git", "-C", ROOT, "rev-parse", "--short", f"{commit}^{{commit}}"],
               capture_output=True).stdout.strip()
    tree = os.path.join(ROOT, "build", "against", name)
    if not os.path.isdir(tree):
        run(["git", "-C", ROOT, "worktree", "add", "--detach", "--force", tree, name],
            stdout=sys.stderr)
    build = os.path.join(tree, "build", "release")
    if not os.path.exists(os.path.join(build, "build.ninja")):
        run(["cmake", "--preset", "release"], cwd=tree, stdout=subprocess.DEVNULL)
    run(["cmake", "--build", build, "--target", "ordo-bench", "ordo-broker"], stdout=sys.stderr)
    return name, build


def measure(build, steps, arguments):
    """Microseconds of processor time a task, by process."""
    printed = run([os.path.join(build, "bench", "ordo-bench"), "throughput", "--steps", str(steps),
                   "--in-flight", str(IN_FLIGHT[steps]), "--no-ceiling",
                   "--warm-up", str(arguments.warm_up), "--seconds", str(arguments.seconds)],
                  stdout=subprocess.PIPE).stdout
    figures = json.loads(printed.strip().splitlines()[-1])
    if figures["failed"]:
        sys.exit(f"against: {figures['failed']} orders failed in {build}")
    used = {who: figures[f"{who}_us_a_task"] for who in OURS + ("postgres",)}
    return {**used, "ours": sum(used[who] for who in OURS), "tasks_per_s": figures["tasks_per_s"]}


def middle(runs):
    """The run in the middle by what our processes used."""
    return sorted(runs, key=lambda one: one["ours"])[len(runs) // 2]


def compare(then, now, steps, arguments):
    sides = {then: [], now: []}
    for _ in range(arguments.rounds):
        for (name, build), runs in sides.items():
            used = measure(build, steps, arguments)
            runs.append(used)
            told = ", ".join(f"{who} {used[who]:.2f}" for who in OURS + ("postgres",))
            print(f"{name:>8} {steps} step(s): {used['ours']:6.2f} us a task ({told})",
                  file=sys.stderr, flush=True)
    of = {side: middle(runs) for side, runs in sides.items()}
    return {
        "steps": steps,
        **{f"{word}_{who}_us": round(of[side][who], 2)
           for word, side in (("then", then), ("now", now))
           for who in ("ours", "broker", "postgres")},
        "ratio": round(of[now]["ours"] / of[then]["ours"], 3),
        "broker_ratio": round(of[now]["broker"] / of[then]["broker"], 3),
        "spread": round(max(max(one["ours"] for one in runs) / min(one["ours"] for one in runs)
                            for runs in sides.values()), 3)}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench against", description=__doc__)
    parser.add_argument("commit", help="what this tree is compared with")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side (5)")
    parser.add_argument("--seconds", type=int, default=10, help="that count, of each run (10)")
    parser.add_argument("--warm-up", type=int, default=4, help="seconds before (4)")
    parser.add_argument("--steps", type=int, choices=(1, 6), help="only orders of so many steps")
    arguments = parser.parse_args()
    then = build_of(arguments.commit)
    now = ("now", os.path.join(ROOT, "build", "release"))
    found = [compare(then, now, steps, arguments)
             for steps in ([arguments.steps] if arguments.steps else (1, 6))]
    print(json.dumps({"bench": "against", "commit": then[0], "rounds": arguments.rounds,
                      "of": "broker, worker and client; PostgreSQL's time beside it",
                      "found": found}))


if __name__ == "__main__":
    main()
