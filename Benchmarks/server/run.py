#!/usr/bin/env python3
"""How the server answers many at once: `print 1`, the front page, and what a reader sees while eight long queries run.

Only the standard library is used, and only the loopback interface. Each figure is printed beside the one it is compared with.

    vestige demo --no-serve --workspace bench.vestige
    Benchmarks/server/run.py --workspace bench.vestige --vestige .build/release/vestige
"""

import argparse
import http.client
import json
import re
import statistics
import subprocess
import threading
import time

ENDLESS = "range i from 1 to 1e13 step 1 | count"
#: Requests a second of the version before answers were kept and queries had turns.
BEFORE = {"print": 364.0, "page": 0.9}


class Server:
    def __init__(self, program: str, workspace: str) -> None:
        self.process = subprocess.Popen(
            [program, "serve", "--workspace", workspace, "--listen", "127.0.0.1:0"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.port = 0
        for line in self.process.stderr:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            if found:
                self.port = int(found.group(1))
                break
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def ask(self, method: str, path: str, body: bytes | None = None, timeout: float = 60) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def query(self, text: str, timeout: float = 60) -> tuple[int, bytes]:
        return self.ask("POST", "/v2/rest/query", json.dumps({"db": "Vestige", "csl": text}).encode(), timeout)

    def end(self) -> float:
        start = time.monotonic()
        self.process.terminate()
        self.process.wait(20)
        return time.monotonic() - start


def load(clients: int, seconds: float, ask) -> tuple[float, list[float]]:
    """Requests a second of so many clients, and the seconds of each."""
    times: list[float] = []
    lock = threading.Lock()
    stop = time.monotonic() + seconds

    def client() -> None:
        while time.monotonic() < stop:
            start = time.monotonic()
            status, _ = ask()
            if status != 200:
                raise SystemExit(f"an answer had the status {status}")
            with lock:
                times.append(time.monotonic() - start)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(times) / (time.monotonic() - began), times


def percentile(times: list[float], part: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] * 1000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--workspace", required=True)
    options.add_argument("--vestige", default=".build/release/vestige")
    options.add_argument("--seconds", type=float, default=12)
    given = options.parse_args()
    server = Server(given.vestige, given.workspace)
    try:
        home = "/"
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/")
        home = connection.getresponse().getheader("Location") or "/"
        connection.close()

        rate, times = load(16, given.seconds, lambda: server.query("print 1"))
        print(f"print 1, 16 clients: {rate:.0f}/s (before {BEFORE['print']:.0f}), p50 {statistics.median(times) * 1000:.1f} ms,"
              f" p99 {percentile(times, 0.99):.0f} ms")
        rate, times = load(4, given.seconds, lambda: server.ask("GET", home))
        print(f"front page, 4 clients: {rate:.1f}/s (before {BEFORE['page']}), p50 {statistics.median(times) * 1000:.0f} ms,"
              f" p99 {percentile(times, 0.99):.0f} ms")

        hogs = [threading.Thread(target=lambda: swallow(lambda: server.query(ENDLESS, given.seconds + 60)), daemon=True)
                for _ in range(8)]
        for hog in hogs:
            hog.start()
        time.sleep(2)
        _, times = load(1, given.seconds, lambda: server.ask("GET", "/healthz"))
        print(f"healthz beside eight long queries: p50 {statistics.median(times) * 1000:.1f} ms, p99 {percentile(times, 0.99):.0f} ms"
              " (at most 50)")
        start = time.monotonic()
        server.ask("GET", home + ("&" if "?" in home else "?") + "unknown=1")
        print(f"a reader's page beside them: {time.monotonic() - start:.2f} s (at most 2)")
    finally:
        print(f"SIGTERM with what was left running: {server.end():.2f} s (at most 2)")


def swallow(ask) -> None:
    try:
        ask()
    except OSError:
        pass  # The server ends while the query runs.


if __name__ == "__main__":
    main()
