"""`vestige query --on`: against the workbench itself, and against duckdb-kql, an independent implementation."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

VESTIGE = os.environ.get("VESTIGE", "")
URL = os.environ.get("VESTIGE_URL", "")
WORKSPACE = os.environ.get("VESTIGE_WORKSPACE", "")
ROOT = os.environ.get("VESTIGE_ROOT", ".")

VALUES = """print b = true, i = int(-7), l = 9007199254740993, r = 1.5, m = decimal(1.25), s = 'x', d = datetime(2026-01-02 03:04:05.1234567),
    t = time(1.02:03:04.5), g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), y = dynamic({'k':[1]}), n = long(null), nan = real(nan)"""


def query(*words, **options):
    return subprocess.run([VESTIGE, "query", *words], cwd=ROOT, capture_output=True, text=True, timeout=120, **options)


class OwnServerTests(unittest.TestCase):
    def test_the_same_answer_near_and_far(self):
        for text in [
            VALUES, "DeviceInfo | summarize dcount(DeviceId), max(TimeGenerated) by OSPlatform | order by OSPlatform asc",
            "DevicesAt(now()) | project DeviceName, OSPlatform, LoggedOnUsers | order by DeviceName asc | take 20",
        ]:
            near = query("--workspace", WORKSPACE, "--format", "json", text)
            self.assertEqual(near.returncode, 0, near.stderr)
            for address in [URL, URL + "/Vestige", URL + "/v1/workspaces/any"]:
                with self.subTest(text=text[:30], address=address):
                    far = query("--on", address, "--format", "json", text)
                    self.assertEqual(far.returncode, 0, far.stderr)
                    self.assertEqual(json.loads(far.stdout), json.loads(near.stdout))

    def test_commands_and_parameters(self):
        self.assertIn("DeviceInfo", query("--on", URL, ".show tables").stdout)
        self.assertIn("DeviceInfo", query("--workspace", WORKSPACE, ".show tables").stdout)
        text = "declare query_parameters(n:long, s:string); print n + 1, s"
        for where in [["--on", URL], ["--workspace", WORKSPACE]]:
            done = query(*where, "-p", "n=41", "-p", "s=hello there", "--format", "csv", text)
            self.assertEqual(done.stdout.splitlines()[1:], ["42,hello there"], done.stderr)

    def test_a_time_range(self):
        for where in [["--on", URL + "/v1/workspaces/any"], ["--workspace", WORKSPACE]]:
            done = query(*where, "--timespan", "2001-01-01/2001-02-01", "--format", "csv", "DeviceInfo | count")
            self.assertEqual(done.stdout.splitlines()[1:], ["0"], done.stderr)

    def test_errors_come_through(self):
        done = query("--on", URL, "DeviceInfo | where Nothing == 1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("'Nothing'", done.stderr)
        done = query("--on", URL, "set truncationmaxrecords = 3; DeviceInfo")
        self.assertEqual(done.returncode, 1)
        self.assertIn("rows are missing", done.stderr)
        self.assertGreater(len(done.stdout.splitlines()), 3)
        self.assertIn("connection refused", query("--on", "http://127.0.0.1:1", "print 1").stderr)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("VESTIGE")}
        done = query("--on", "https://cluster.example/db", "print 1", env=environment)
        self.assertEqual(done.returncode, 2)
        self.assertIn("sign-in", done.stderr)
        self.assertEqual(query("--on", "http://cluster.example/db", "print 1").returncode, 2)


class DuckTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        import duckdb

        cls.folder = tempfile.TemporaryDirectory()
        path = os.path.join(cls.folder.name, "duck.db")
        with duckdb.connect(path) as database:
            database.execute(
                "create table Events as select i as Id, 'device' || (i % 5) as Device, timestamp '2026-01-01' + i * interval 1 minute as At,"
                " (i * 0.5)::double as Score, {'k': i} as Props from range(1000) t(i)")
        cls.server = subprocess.Popen(
            [pathlib.Path(sys.executable).parent / "duckdb-kql", "serve", path, "-p", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"})
        cls.url = None
        for line in cls.server.stdout:
            if match := re.search(r"http://[0-9.]+:[0-9]+", line):
                cls.url = match.group()
                break

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait(timeout=20)
        cls.server.stdout.close()
        cls.folder.cleanup()

    def test_a_query(self):
        done = query("--on", self.url, "--format", "json", "Events | summarize n = count(), latest = max(At), mean = avg(Score) by Device | order by Device asc")
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual([c["type"] for c in answer["columns"]], ["string", "long", "datetime", "real"])
        self.assertEqual(answer["rows"][0], ["device0", 200, "2026-01-01T16:35:00.0000000Z", 248.75])

    def test_types_parameters_and_commands(self):
        done = query("--on", self.url + "/duck", "--format", "json", "-p", "n=5", "declare query_parameters(n:long); Events | where Id == n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["rows"], [[5, "device0", "2026-01-01T00:05:00.0000000Z", 2.5, {"k": 5}]])
        self.assertIn("Events", query("--on", self.url, ".show tables").stdout)

    def test_an_error(self):
        done = query("--on", self.url, "Events | where Nothing > 1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Nothing", done.stderr)
