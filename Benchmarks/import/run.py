"""How long imports take, and how much memory, by the number of rows and by their form.

    python3 Benchmarks/import/run.py [--vestige .build/release/vestige] [--scale 1]

Each file is imported at two or three sizes, one twice as long as the other: time that grows in proportion is a ratio of about 2.
Memory is the program's peak, mapped pages of the file among it.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def small(n):
    """Records as a service's answer has them: six members, two of them texts."""
    return "[" + ",\n".join(
        f'{{"Id":{i},"Name":"device-{i % 997}","Score":{i % 101 / 10},"Ok":{"true" if i % 2 else "false"},"At":"2026-01-{1 + i % 28:02d}T00:00:00Z","Tags":["a","b"]}}'
        for i in range(n)) + "]"


def lines(n):
    return "\n".join(json.dumps({"Id": i, "Name": f"device-{i % 997}", "Score": i % 101 / 10}) for i in range(n))


def table(n):
    return "Id,Name,Score,At\n" + "\n".join(f"{i},device-{i % 997},{i % 101 / 10},2026-01-{1 + i % 28:02d}" for i in range(n))


def wide(n):
    """Records of 2,000 members."""
    return "[" + ",\n".join("{" + ",".join(f'"m{c}":{(c * 31 + i) % 1000}' for c in range(2000)) + "}" for i in range(n)) + "]"


def sparse(n):
    """A member of its own in each record."""
    return "\n".join(f'{{"Id":{i},"k{i}":"v"}}' for i in range(n))


def nested(n):
    return "[" + ",\n".join(f'{{"Id":{i},"Deep":{"[" * 100}{i}{"]" * 100}}}' for i in range(n)) + "]"


SHAPES = [
    ("JSON, small records", small, "json", [20_000, 40_000, 400_000]),
    ("NDJSON", lines, "ndjson", [200_000, 400_000]),
    ("CSV", table, "csv", [200_000, 400_000]),
    ("JSON, 2,000 members a record", wide, "json", [250, 500, 1_000]),
    ("NDJSON, another name in each", sparse, "ndjson", [5_000, 10_000, 20_000]),
    ("JSON, 100 levels deep", nested, "json", [10_000, 20_000]),
]


def measure(program, folder, text, ending, extra=()):
    path = f"{folder}/f.{ending}"
    with open(path, "w") as file:
        file.write(text)
    workspace = f"{folder}/w-{random.random()}.vestige"
    started = time.monotonic()
    process = subprocess.Popen(
        [program, "import", path, "--table", "T", "--workspace", workspace, *extra], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    err = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, err
    return time.monotonic() - started, usage.ru_maxrss / 1000


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--vestige", default=str(ROOT / ".build/release/vestige"))
    options.add_argument("--scale", type=float, default=1)
    options = options.parse_args()
    print("| file | rows | MB | seconds | times as long as the one before | peak MB |")
    print("|---|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for name, make, ending, sizes in SHAPES:
            before = None
            for size in (max(1, int(n * options.scale)) for n in sizes):
                text = make(size)
                seconds, memory = measure(options.vestige, folder, text, ending)
                ratio = f"{seconds / before:.1f}" if before else ""
                print(f"| {name} | {size:,} | {len(text) / 1e6:.0f} | {seconds:.2f} | {ratio} | {memory:.0f} |", flush=True)
                before = seconds


if __name__ == "__main__":
    main()
