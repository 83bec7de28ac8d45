#!/usr/bin/env python3
"""Runs the conformance checker over its files and compares the counts with the recorded floors.

usage: run.py CONFORMANCE_FOLDER PROGRAM [--record]
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import hunt

FLOORS = os.path.join(os.path.dirname(__file__), "floors.json")


def count(folder, program, suite):
    """Cases that pass, and cases there are."""
    command = [sys.executable, os.path.join(folder, "check_kql.py"), "--jobs", "2", "--show", "0"]
    command += suite["options"]
    # A folder of its own: the checks see no workspace of anybody's.
    with tempfile.TemporaryDirectory() as home:
        env = dict(os.environ, VESTIGE_CONTENT=os.path.abspath("Content"), VESTIGE_WORKSPACE=os.path.join(home, "w.vestige"))
        command += ["--cmd", f"{os.path.abspath(program)} {suite['command']}", os.path.join(folder, suite["file"])]
        run = subprocess.run(command, capture_output=True, text=True, env=env)
    found = re.findall(r"^(\d+) passed, (\d+) failed", run.stdout, re.M)
    if not found:
        sys.exit(f"{suite['name']}: the checker gave no count\n{run.stdout[-600:]}{run.stderr[-600:]}")
    passed, failed = map(int, found[-1])
    return passed, passed + failed


def main():
    folder, program = sys.argv[1], sys.argv[2]
    with open(FLOORS) as file:
        suites = json.load(file)
    failed = False
    for suite in suites:
        passed, total = hunt.count(folder, program) if suite["file"] == "hunt" else count(folder, program, suite)
        if "--record" in sys.argv:
            suite["floor"] = max(passed, suite["floor"])
        mark = "ok" if passed >= suite["floor"] else "BELOW THE FLOOR"
        failed |= passed < suite["floor"]
        print(f"{suite['name']}: {passed} of {total}, floor {suite['floor']}: {mark}", flush=True)
    if "--record" in sys.argv:
        with open(FLOORS, "w") as file:
            json.dump(suites, file, indent=2)
            file.write("\n")
    sys.exit(1 if failed else 0)


main()
