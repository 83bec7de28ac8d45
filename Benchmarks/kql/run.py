"""Measures Vestige beside duckdb-kql, DuckDB and SQLite, all in one run on one machine.

    python3 Benchmarks/kql/run.py [--scale 0.1] [--only TEXT] [--without sqlite] [--folder DIR] [--json FILE]

See README.md beside this file for what is measured and how.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOME = ROOT / ".build" / "bench"
ENGINES = ["vestige", "duckdb-kql", "duckdb", "sqlite"]
WARM_RUNS = 3
SECONDS_MAX = 60


def interpreter():
    stamp = HOME / "requirements.txt"
    wanted = (HERE / "requirements.txt").read_text()
    python = HOME / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(HOME, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", HERE / "requirements.txt"], check=True)
        stamp.write_text(wanted)
    return python


def peak_mb(pid="self"):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024


# -- what each engine does; every function below runs in a process of its own ---------------------


def fill(text, facts):
    return text.replace("{device}", facts["device"]).replace("{past}", facts["past"])


class Vestige:
    def __init__(self, file):
        self.server = subprocess.Popen(
            [ROOT / ".build/release/vestige", "serve", "--workspace", file, "--listen", "127.0.0.1:0"], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        self.url = re.search(r"http://[0-9.:]+", next(line for line in self.server.stderr if "http://" in line)).group()

    def ask(self, query, facts):
        body = json.dumps({"db": "Vestige", "csl": fill(query[1], facts)}).encode()
        request = urllib.request.Request(self.url + "/v1/rest/query", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=SECONDS_MAX * 3) as answer:
            return json.load(answer)["Tables"][0]["Rows"]

    def peak(self):
        return peak_mb(self.server.pid)

    def close(self):
        self.server.terminate()
        self.server.wait()


class Duck:
    def __init__(self, file, speaks_kql=False):
        import duckdb

        self.connection = duckdb.connect(file, read_only=True)
        self.connection.execute("set timezone = 'UTC'")
        self.speaks_kql = speaks_kql

    def ask(self, query, facts):
        if self.speaks_kql:
            import duckdb_kql

            return duckdb_kql.kql(self.connection, fill(query[1], facts)).fetchall()
        return self.connection.execute(fill(query[2], facts)).fetchall()

    def peak(self):
        return peak_mb()

    def close(self):
        self.connection.close()


class SQLite:
    def __init__(self, file):
        import sqlite3

        self.connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)

    def ask(self, query, facts):
        deadline = time.perf_counter() + SECONDS_MAX
        self.connection.set_progress_handler(lambda: time.perf_counter() > deadline, 100_000)
        return self.connection.execute(fill(query[3] or query[2], facts)).fetchall()

    def peak(self):
        return peak_mb()

    def close(self):
        self.connection.close()


def open_engine(engine, file):
    return {"vestige": Vestige, "duckdb-kql": lambda f: Duck(f, True), "duckdb": Duck, "sqlite": SQLite}[engine](file)


def ask_once(engine, file, query, facts):
    """The first answer of a fresh engine, then warm ones, and the most memory used."""
    if engine == "sqlite" and query[3] is None and "quantile" in query[2]:
        return {"error": "has no percentiles"}
    opened = open_engine(engine, file)
    try:
        times = []
        for _ in range(1 + WARM_RUNS):
            started = time.perf_counter()
            rows = opened.ask(query, facts)
            times.append(time.perf_counter() - started)
            # One warm run is enough where runs are long.
            if sum(times) > SECONDS_MAX or len(times) > 1 and sum(times) > 15:
                break
        return {"rows": len(rows), "first": times[0], "warm": min(times[1:] or times), "memory": opened.peak(), "sample": [str(v) for v in rows[0]] if rows else []}
    except urllib.error.HTTPError as error:
        return {"error": json.load(error)["error"]["@message"][:160]}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"}
    finally:
        opened.close()


def load(engine, data, file):
    """Reads the CSV files in; seconds, rows per second on one core, bytes on disk."""
    import data as tables

    for old in pathlib.Path(file).parent.glob(pathlib.Path(file).name + "*"):
        old.unlink()
    started = time.perf_counter()
    if engine == "vestige":
        for table, schema in tables.SCHEMAS.items():
            subprocess.run(
                [ROOT / ".build/release/vestige", "import", f"{data}/{table}.csv", "--table", table, "--schema", schema, "--workspace", file, "--quiet"],
                check=True, cwd=ROOT)
    elif engine == "duckdb":
        import duckdb

        with duckdb.connect(file) as connection:
            connection.execute("set threads = 1")
            for table in tables.SCHEMAS:
                connection.execute(f"create table {table} as select * from read_csv('{data}/{table}.csv')")
            connection.execute("checkpoint")
    else:
        import csv
        import sqlite3

        connection = sqlite3.connect(file)
        connection.executescript("pragma journal_mode = off; pragma synchronous = off;")
        affinity = {"long": "integer", "real": "real", "bool": "integer"}
        for table, schema in tables.SCHEMAS.items():
            columns = [pair.split(":") for pair in schema.split(",")]
            connection.execute(f"create table {table} ({', '.join(f'{n} {affinity.get(t, chr(116) + chr(101) + chr(120) + chr(116))}' for n, t in columns)})")
            flags = [i for i, (_, t) in enumerate(columns) if t == "bool"]
            with open(f"{data}/{table}.csv", newline="") as source:
                reader = csv.reader(source)
                next(reader)

                def rows():
                    for row in reader:
                        for i in flags:
                            row[i] = row[i] == "true"
                        yield row

                connection.executemany(f"insert into {table} values ({', '.join('?' * len(columns))})", rows())
        for table in ["Settings", "Vulnerabilities", "Changes", "Events"]:
            connection.execute(f"create index {table}_device on {table} (DeviceId)")
        connection.commit()
        connection.close()
    return {"seconds": time.perf_counter() - started, "bytes": os.path.getsize(file)}


# -- the run ---------------------------------------------------------------------------------------


def child(*arguments):
    done = subprocess.run([sys.executable, __file__, "--child", json.dumps(arguments)], capture_output=True, text=True)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1][:160] if done.stderr.strip() else "it ended"}
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--folder", default=os.path.join(tempfile.gettempdir(), "vestige-bench"))
    parser.add_argument("--json")
    parser.add_argument("--reload", action="store_true")
    parser.add_argument("--child")
    arguments = parser.parse_args()
    sys.path.insert(0, str(HERE))
    if arguments.child:
        name, *rest = json.loads(arguments.child)
        print(json.dumps({"load": load, "ask": ask_once}[name](*rest)))
        return
    python = interpreter()
    if pathlib.Path(sys.executable) != python:
        sys.exit(subprocess.run([python, __file__, *sys.argv[1:]]).returncode)
    import data
    import queries

    folder = pathlib.Path(arguments.folder) / f"scale-{arguments.scale}"
    data.make(folder / "csv", arguments.scale)
    files = {"vestige": folder / "bench.vestige", "duckdb": folder / "bench.duckdb", "duckdb-kql": folder / "bench.duckdb", "sqlite": folder / "bench.sqlite"}
    engines = [e for e in ENGINES if e not in arguments.without]
    with open(folder / "csv" / "Settings.csv") as source:
        next(source)
        for _ in range(min(40_000, int(4_000_000 * arguments.scale) - 1)):
            next(source)
        device = next(source).split(",")[1]
    facts = {"device": device, "past": queries.PAST}
    results = {"scale": arguments.scale, "load": {}, "queries": []}
    csv_rows = int((24_000_000 + 5_000_000 + 400_000) * arguments.scale)
    print(f"\n{'load on one core':46}{'seconds':>10}{'rows/s':>12}{'MB':>10}")
    for engine in engines:
        if engine == "duckdb-kql":
            continue
        known = folder / f"load-{engine}.json"
        if arguments.reload or not known.exists() or not files[engine].exists():
            outcome = child("load", engine, str(folder / "csv"), str(files[engine]))
            if "error" in outcome:
                sys.exit(f"{engine} did not load: {outcome['error']}")
            known.write_text(json.dumps(outcome))
        outcome = json.loads(known.read_text())
        results["load"][engine] = outcome
        print(f"{engine:46}{outcome['seconds']:10.1f}{csv_rows / outcome['seconds']:12,.0f}{outcome['bytes'] / 1e6:10,.0f}", flush=True)
    print(f"\n{'milliseconds: first / warm, and peak MB':46}" + "".join(f"{e:>26}" for e in engines))
    for query in queries.QUERIES:
        if arguments.only not in query[0]:
            continue
        line = {}
        for engine in engines:
            line[engine] = child("ask", engine, str(files[engine]), query, facts)
        results["queries"].append({"name": query[0], **line})
        cells = ""
        for engine in engines:
            one = line[engine]
            cell = one["error"][:24] if "error" in one else f"{one['first'] * 1e3:,.0f} / {one['warm'] * 1e3:,.0f}  {one['memory']:,.0f}"
            cells += f"{cell:>26}"
        counts = {one["rows"] for one in line.values() if "rows" in one}
        print(f"{query[0]:46}{cells}{'' if len(counts) <= 1 else '  ROWS DIFFER ' + str(counts)}", flush=True)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1))


main()
