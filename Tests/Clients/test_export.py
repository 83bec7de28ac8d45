"""An export of a million rows in packed files: collected with bounded memory."""

import gzip
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest

VESTIGE, ROOT = os.environ["VESTIGE"], os.environ["VESTIGE_ROOT"]
ROWS, FILES = 1_000_000, 4
# The workspace of the other tests is none of this one's business.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "VESTIGE_WORKSPACE"}
MEGABYTES = 512


def packed(number):
    """A file of the export: a quarter of a million records, one a line, names with a capital."""
    lines = []
    for n in range(number * ROWS // FILES, (number + 1) * ROWS // FILES):
        lines.append(
            '{"DeviceId":"%040x","DeviceName":"host-%d.corp.example","OSPlatform":"Windows11","OSVersion":"10.0.26100","OSArchitecture":"x64",'
            '"SoftwareVendor":"vendor_%d","SoftwareName":"product_%d","SoftwareVersion":"%d.1","CveId":"CVE-2026-%d","VulnerabilitySeverityLevel":"High",'
            '"CvssScore":7.5,"ExploitabilityLevel":"NoExploit","FirstSeenTimestamp":"2026-01-01 00:00:00","LastSeenTimestamp":"2026-03-01 00:00:00"}'
            % (n // 250, n // 250, n % 40, n % 250, n % 9, 10_000 + n % 250))
    return gzip.compress("\n".join(lines).encode(), 1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if "/blob/" in self.path:
            return self.reply(packed(int(self.path.split("?")[0][-1])))
        host = self.headers["Host"]
        self.reply(json.dumps({"exportFiles": [f"http://{host}/blob/part-{n}?sig=x" for n in range(FILES)], "generatedTime": "2026-03-01T00:00:00Z"}).encode())

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.reply(b'{"token_type":"Bearer","expires_in":3599,"access_token":"e30.e30.e30"}')


class Export(unittest.TestCase):
    def test_a_million_rows_in_bounded_memory(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/secret", "w") as file:
                file.write("none")
            os.chmod(f"{folder}/secret", 0o600)
            with open(f"{folder}/vestige.yaml", "w") as file:
                file.write(
                    f"workspace: {folder}/w.vestige\nexports: files\nsources: [mde-software-vulnerabilities]\n"
                    f'tenant: {{tenantId: t, clientId: c, clientSecret: "file:{folder}/secret", loginHost: "{url}", graphHost: "{url}", endpointHost: "{url}"}}\n')
            command = [VESTIGE, "collect", "--once", "--quiet", "--config", f"{folder}/vestige.yaml"]
            for run in range(2):
                process = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT)
                _, status, usage = os.wait4(process.pid, 0)
                self.assertEqual(status, 0)
                peak = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1 << 20)
                self.assertLess(peak, MEGABYTES, f"run {run + 1}")
            count = subprocess.run(
                [VESTIGE, "query", "--quiet", "--format", "csv", "--config", f"{folder}/vestige.yaml",
                 "DeviceTvmSoftwareVulnerabilities | summarize count(), countif(CvssScore == 7.5)"], cwd=ROOT, env=ENVIRONMENT, capture_output=True,
                text=True)
            self.assertEqual(count.stdout.splitlines()[1], f"{ROWS},{ROWS}", count.stderr)
        server.shutdown()


if __name__ == "__main__":
    unittest.main()
