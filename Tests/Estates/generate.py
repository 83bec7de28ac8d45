#!/usr/bin/env python3
"""Writes the estates: generate.py OUT [--seed N] [--style a|b] [--only NAME] [--list]

Each estate becomes OUT/STYLE/NAME with one NDJSON file a table and truth.json. Standard library only.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from kit import noise_a, noise_b  # noqa: E402
from kit.estate import Estate  # noqa: E402
from scenarios import ALL  # noqa: E402


def make(name, title, build, style, seed, out):
    """Builds one estate; returns what is wrong with it."""
    estate = Estate(name, title, style, seed)
    skip = build(estate) or ()
    {"a": noise_a, "b": noise_b}[style].noise(estate, skip)
    return estate.write(out / style / name)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--style", choices=["a", "b"], help="only one author's background noise; both without it")
    p.add_argument("--only", nargs="*", default=[])
    p.add_argument("--list", action="store_true")
    o = p.parse_args()
    faults, made = [], 0
    for name, (title, build) in sorted(ALL.items()):
        if o.only and name not in o.only: continue
        if o.list: print(f"{name:32} {title}"); continue
        for style in [o.style] if o.style else ["a", "b"]:
            faults += make(name, title, build, style, o.seed, o.out)
            made += 1
    for f in faults: print(f, file=sys.stderr)
    if not o.list: print(f"{made} estates written to {o.out}, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__": sys.exit(main())
