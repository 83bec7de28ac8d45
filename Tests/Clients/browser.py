"""A headless Chromium, steered by its own protocol over a pipe (https://chromedevtools.github.io/devtools-protocol/)."""

import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """One page of a browser, with what it logged and what it was answered."""

    def __init__(self):
        self.folder = tempfile.mkdtemp()
        to_browser, self.out = os.pipe()
        self.inp, from_browser = os.pipe()

        def files():
            # The browser reads its commands from file 3 and writes to file 4. Both may be in the other's place: they are moved away first.
            a, b = os.dup(to_browser), os.dup(from_browser)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [
                PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe",
                "--user-data-dir=" + self.folder, "about:blank",
            ],
            preexec_fn=files, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.buffer, self.events, self.session = 0, b"", [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(domain + ".enable")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.out)
        os.close(self.inp)
        shutil.rmtree(self.folder, ignore_errors=True)

    def message(self, seconds):
        end = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.inp], [], [], left)[0]:
                return None
            self.buffer += os.read(self.inp, 1 << 16)
        text, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.out, json.dumps(command).encode() + b"\0")
        while True:
            message = self.message(60)
            if message is None:
                raise TimeoutError(method)
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def until(self, condition, seconds=30):
        """Waits for events until what was seen meets a condition."""
        end = time.monotonic() + seconds
        while not condition():
            message = self.message(max(0, end - time.monotonic()))
            if message is None:
                return False
            self.events.append(message)
        return True

    def of(self, method):
        return [event["params"] for event in self.events if event.get("method") == method]

    def open(self, address):
        """Loads a page, to the end of its load event."""
        self.events = []
        self.call("Page.navigate", url=address)
        if not self.until(lambda: self.of("Page.loadEventFired")):
            raise TimeoutError(address)

    def run(self, script):
        """What an expression gives in the page."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def complaints(self):
        """What the page did that its policy forbids, or that failed in its scripts."""
        logged = [entry["entry"]["text"] for entry in self.of("Log.entryAdded") if entry["entry"]["level"] == "error"]
        return logged + [thrown["exceptionDetails"]["text"] for thrown in self.of("Runtime.exceptionThrown")]
