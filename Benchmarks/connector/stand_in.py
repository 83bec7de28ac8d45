"""The services that both programs talk to: a tenant's vulnerability export in pages, and an ingestion endpoint that takes
everything. Pages are files that are written before anything is measured, so that no program waits for them."""

import http.server
import json
import os
import threading
import urllib.parse

PAGE = 20_000
PRODUCTS = [f"product_{i}" for i in range(400)]
LEVELS = ["Low", "Medium", "High", "Critical"]


def mix(*parts):
    """A number that the parts decide."""
    z = 0x9E3779B97F4A7C15
    for part in parts:
        z = (z ^ part) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        z ^= z >> 29
    return z


def record(n, day, changed):
    """One record of about 640 bytes of JSON; of the later day, `changed` of a hundred differ from the first's."""
    device, software = n // 240, mix(n, 1) % len(PRODUCTS)
    moved = day > 0 and mix(n, 2) % 10_000 < changed * 100
    machine = f"{mix(device, 3):016x}{mix(device, 4):016x}{mix(device, 5) & 0xFFFFFFFF:08x}"
    version = f"{mix(n, 6) % 20}.{mix(n, 7) % 10}.{mix(n, 8) % 1000}"
    cve = f"CVE-202{mix(n, 9) % 6}-{10_000 + n % 240 * 101 + mix(n, 10) % 97}"
    return {
        "id": f"{machine}_vendor_{PRODUCTS[software]}_{version}_{cve}", "deviceId": machine, "rbacGroupId": mix(device, 11) % 7,
        "rbacGroupName": f"Group {mix(device, 11) % 7}", "deviceName": f"workstation-{device:06}.corp.example", "osPlatform": "Windows11",
        "osVersion": "10.0.26100.2033", "osArchitecture": "x64", "softwareVendor": f"vendor_{software % 40}", "softwareName": PRODUCTS[software],
        "softwareVersion": version, "cveId": cve, "vulnerabilitySeverityLevel": LEVELS[mix(n, 12) % 4],
        "recommendedSecurityUpdate": f"{'November' if moved else 'October'} 2026 Security Updates", "cvssScore": mix(n, 13) % 100 / 10, "securityUpdateAvailable": True,
        "exploitabilityLevel": "NoExploit", "firstSeenTimestamp": "2026-10-01 08:12:45", "lastSeenTimestamp": f"2026-11-{10 + day} 01:00:00",
    }


def write_pages(folder, records, changed):
    """The export of two days, a file for each page; returns the bytes of a day."""
    size = 0
    for day in (0, 1):
        os.makedirs(f"{folder}/{day}", exist_ok=True)
        for page, start in enumerate(range(0, records, PAGE)):
            body = {"@odata.context": "x", "value": [record(n, day, changed) for n in range(start, min(records, start + PAGE))]}
            if start + PAGE < records:
                body["@odata.nextLink"] = f"NEXT/api/machines/SoftwareVulnerabilitiesByMachine?page={page + 1}"
            data = json.dumps(body, separators=(",", ":")).encode()
            with open(f"{folder}/{day}/{page}.json", "wb") as file:
                file.write(data)
            size += len(data) if day == 0 else 0
    return size


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", kind="application/json"):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        page = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query).get("page", ["0"])[0]
        with open(f"{self.server.folder}/{self.server.day}/{page}.json", "rb") as file:
            self.reply(200, file.read().replace(b"NEXT/", f"http://{self.headers['Host']}/".encode()))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "oauth2" in self.path:
            # A token that nobody checks; its middle says nothing.
            return self.reply(200, b'{"token_type":"Bearer","expires_in":3599,"access_token":"e30.e30.e30"}')
        with self.server.lock:
            self.server.calls += 1
            self.server.bytes += len(body)
        self.reply(204)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.day = folder, 0
        self.lock, self.calls, self.bytes = threading.Lock(), 0, 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"
