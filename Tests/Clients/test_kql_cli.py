"""kql-cli, a third party's command, against the workbench."""

import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

URL = os.environ.get("VESTIGE_URL", "")

# kql-cli always signs in; with the Azure CLI on the path it takes that one's token.
AZ = """#!/bin/sh
echo '{"accessToken":"none","expiresOn":"2099-01-01 00:00:00.000000","expires_on":4070908800,"subscription":"s","tenant":"t","tokenType":"Bearer"}'
"""


class CommandTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        az = pathlib.Path(folder.name, "az")
        az.write_text(AZ)
        az.chmod(az.stat().st_mode | stat.S_IXUSR)
        self.environment = {**os.environ, "PATH": f"{folder.name}:{os.environ['PATH']}", "HOME": folder.name}

    def kq(self, *words):
        done = subprocess.run(
            [pathlib.Path(sys.executable).parent / "kq", "query", "--cluster", URL, "--database", "Vestige", *words],
            env=self.environment, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def test_a_query(self):
        code, out, err = self.kq("--format", "json", "DeviceInfo | summarize Devices = dcount(DeviceId)")
        self.assertEqual(code, 0, err)
        self.assertGreater(json.loads(out)[0]["Devices"], 10)

    def test_a_command(self):
        code, out, err = self.kq("--format", "json", ".show tables | project TableName")
        self.assertEqual(code, 0, err)
        self.assertIn("DeviceInfo", [r["TableName"] for r in json.loads(out)])

    def test_an_error(self):
        code, out, err = self.kq("DeviceInfo | where Nothing == 1")
        self.assertNotEqual(code, 0)
        self.assertIn("Nothing", out + err)
