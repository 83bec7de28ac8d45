"""Measures the way from a JSON source to accepted Logs Ingestion requests, beside the official Python client.

    python3 Benchmarks/connector/run.py [--records 1000000] [--changed 2] [--vestige .build/release/vestige]
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import stand_in

ROOT = pathlib.Path(__file__).resolve().parents[2]


def measured(arguments, **options):
    """Runs a program; its seconds, CPU seconds and peak memory in MB."""
    began = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    threading.Thread(target=process.stderr.read, daemon=True).start()
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{arguments[0]} ended with {status}: {out}")
    scale = 1024 if sys.platform != "darwin" else 1024 * 1024
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale


def stand_in_collector(folder, url, vestige):
    """The command and the environment of a collector of the stand-in's export that sends to the stand-in."""
    with open(f"{folder}/secret", "w") as file:
        file.write("none")
    os.chmod(f"{folder}/secret", 0o600)
    with open(f"{folder}/vestige.yaml", "w") as file:
        file.write(f"""workspace: {folder}/bench.vestige
exports: pages
sources: [mde-software-vulnerabilities]
rules: false
tenant: {{tenantId: t, clientId: c, clientSecret: "file:{folder}/secret", loginHost: "{url}", graphHost: "{url}", endpointHost: "{url}"}}
sinks: [{{name: sentinel, kind: logs-ingestion, endpoint: "{url}", rule: dcr-1}}]
""")
    command = [vestige, "collect", "--once", "--quiet", "--config", f"{folder}/vestige.yaml"]
    return command, os.environ | {"VESTIGE_CONTENT": str(ROOT / "Content")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--changed", type=float, default=2, help="of a hundred records, on the second day")
    parser.add_argument("--vestige", default=str(ROOT / ".build/release/vestige"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        size = stand_in.write_pages(folder, options.records, options.changed)
        server = stand_in.Server(folder)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        collect, environment = stand_in_collector(folder, server.url, options.vestige)
        print(f"{options.records:,} records of {size / options.records:.0f} bytes")
        print(f"{'':34}{'seconds':>9}{'CPU s per million':>20}{'records per CPU s':>20}{'peak MB':>9}{'calls':>8}{'MB sent':>9}")

        def row(name, result):
            seconds, cpu, peak = result
            print(
                f"{name:34}{seconds:>9.1f}{cpu / options.records * 1e6:>20.2f}{options.records / cpu:>20,.0f}{peak:>9.0f}{server.calls:>8}"
                f"{server.bytes / 1e6:>9.1f}", flush=True)
            server.calls = server.bytes = 0

        row("Vestige, every record new", measured(collect, env=environment))
        server.day = 1
        row(f"Vestige, {options.changed:g} % changed", measured(collect, env=environment))
        server.day = 0
        row("azure-monitor-ingestion, all", measured([sys.executable, str(pathlib.Path(__file__).with_name("function_app.py")), server.url]))


if __name__ == "__main__":
    main()
