#!/usr/bin/env python3
"""How the server answers many at once: `print 1`, the front page, and what a reader sees while eight long queries run.

Only the standard library is used, and only the loopback interface. Each figure is printed beside the one it is compared with.

    vestige demo --no-serve --workspace bench.vestige
    Benchmarks/server/run.py --workspace bench.vestige --vestige .build/release/vestige
"""

import argparse
import http.client
import json
import os
import re
import selectors
import socket
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

    def cpu(self) -> float:
        """Seconds of a core that the server has used (Linux)."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> float:
        start = time.monotonic()
        self.process.terminate()
        self.process.wait(20)
        return time.monotonic() - start


class Caller:
    """A connection that asks the same again as soon as it has the whole answer. It reads no more of an answer than where it ends, so that
    one core of callers keeps a server busy."""

    def __init__(self, port: int, request: bytes) -> None:
        self.port, self.request, self.buffer = port, request, bytearray()
        self.socket: socket.socket | None = None
        self.ask()

    def ask(self) -> None:
        self.buffer.clear()
        self.end, self.closes, self.began = -1, False, time.monotonic()
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(self.request)

    def read(self) -> bool:
        """Whether the answer is whole now."""
        part = self.socket.recv(1 << 18)
        if not part:
            raise SystemExit("the server ended a connection")
        self.buffer += part
        if self.end < 0:
            head = self.buffer.find(b"\r\n\r\n")
            if head < 0:
                return False
            if not self.buffer.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(f"an answer was: {bytes(self.buffer[:300]).decode()}")
            fields = bytes(self.buffer[:head]).lower()
            length = re.search(rb"\r\ncontent-length: (\d+)", fields)
            self.closes = b"\r\nconnection: close" in fields
            if length is None:
                raise SystemExit("an answer did not say how long it is")
            self.end = head + 4 + int(length[1])
        return len(self.buffer) >= self.end


def load(port: int, clients: int, seconds: float, request: bytes) -> tuple[float, list[float]]:
    """Requests a second of so many clients, and the seconds of each."""
    times: list[float] = []
    watch = selectors.DefaultSelector()
    began = time.monotonic()
    for _ in range(clients):
        caller = Caller(port, request)
        watch.register(caller.socket, selectors.EVENT_READ, caller)
    stop = began + seconds
    while time.monotonic() < stop:
        for key, _ in watch.select(1):
            caller = key.data
            if not caller.read():
                continue
            times.append(time.monotonic() - caller.began)
            if caller.closes:
                watch.unregister(caller.socket)
                caller.socket.close()
                caller.socket = None
                caller.ask()
                watch.register(caller.socket, selectors.EVENT_READ, caller)
            else:
                caller.ask()
    passed = time.monotonic() - began
    for key in list(watch.get_map().values()):
        key.data.socket.close()
    if not times:
        raise SystemExit(f"there was no answer in {seconds:.0f} s")
    return len(times) / passed, times


def request(method: str, path: str, body: bytes = b"") -> bytes:
    fields = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nUser-Agent: bench\r\n"
    if body:
        fields += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return (fields + "\r\n").encode() + body


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
    failures: list[str] = []

    def told(text: str, holds: bool, wanted: str) -> None:
        print(f"{text} ({wanted}){'' if holds else '  MISSED'}", flush=True)
        if not holds:
            failures.append(text)

    def measure(clients: int, method: str, path: str, body: bytes = b"") -> tuple[float, list[float]]:
        asked = request(method, path, body).replace(b"PORT", str(server.port).encode(), 1)
        server.ask(method, path, body or None)
        before = server.cpu()
        rate, times = load(server.port, clients, given.seconds, asked)
        used = server.cpu() - before
        # What a busy machine does not change.
        print(f"  {used / len(times) * 1000:.2f} ms of a core for each answer")
        return rate, times

    def shown(rate: float, times: list[float]) -> str:
        return f"{rate:,.1f}/s, p50 {statistics.median(times) * 1000:.1f} ms, p99 {percentile(times, 0.99):.1f} ms"

    try:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/")
        home = connection.getresponse().getheader("Location") or "/"
        connection.close()

        body = json.dumps({"db": "Vestige", "csl": "print 1"}).encode()
        for what, version in (("print 1, version 1", "/v1/rest/query"), ("print 1, version 2", "/v2/rest/query")):
            rate, times = measure(16, "POST", version, body)
            told(f"{what}, 16 clients: {shown(rate, times)}", rate >= 10 * BEFORE["print"], f"at least {10 * BEFORE['print']:.0f}/s")
        rate, times = measure(4, "GET", home)
        told(f"front page, 4 clients: {shown(rate, times)}", rate >= 10 * BEFORE["page"], f"at least {10 * BEFORE['page']:.0f}/s")

        hogs = [threading.Thread(target=lambda: swallow(lambda: server.query(ENDLESS, given.seconds + 60)), daemon=True)
                for _ in range(8)]
        for hog in hogs:
            hog.start()
        time.sleep(2)
        rate, times = measure(1, "GET", "/healthz")
        told(f"healthz beside eight long queries: {shown(rate, times)}", percentile(times, 0.99) <= 50, "p99 at most 50 ms")
        start = time.monotonic()
        status, _ = server.ask("GET", home + ("&" if "?" in home else "?") + "unknown=1")
        seconds = time.monotonic() - start
        told(f"a reader's page beside them: {seconds:.2f} s, status {status}", seconds <= 2 and status == 200, "at most 2 s")
        # A question that nobody has asked yet, so that its answer is not lying there.
        start = time.monotonic()
        status, _ = server.query(f"DeviceInfo | summarize count() by OSPlatform | extend run = {time.time_ns()}")
        seconds = time.monotonic() - start
        told(f"a new question beside them: {seconds:.2f} s, status {status}", seconds <= 2 and status == 200, "at most 2 s")
    finally:
        seconds = server.end()
        told(f"SIGTERM with what was left running: {seconds:.2f} s", seconds <= 2, "at most 2 s")
    if failures:
        raise SystemExit(f"{len(failures)} figures were missed")


def swallow(ask) -> None:
    try:
        ask()
    except OSError:
        pass  # The server ends while the query runs.


if __name__ == "__main__":
    main()
