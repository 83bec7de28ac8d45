"""The interactive prompt of `vestige query`, in a terminal."""

import os
import tempfile
import unittest

import pexpect

VESTIGE = os.environ.get("VESTIGE", "")
WORKSPACE = os.environ.get("VESTIGE_WORKSPACE", "")
ROOT = os.environ.get("VESTIGE_ROOT", ".")


class PromptTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.state = folder.name

    def start(self, *words):
        environment = {**os.environ, "XDG_STATE_HOME": self.state, "NO_COLOR": "1", "PAGER": "cat", "TERM": "xterm"}
        child = pexpect.spawn(
            VESTIGE, ["query", *(words or ["--workspace", WORKSPACE])], cwd=ROOT, env=environment, dimensions=(40, 120), encoding="utf-8", timeout=20)
        self.addCleanup(child.close)
        child.expect_exact("kql> ")
        return child

    def test_completion_and_a_result(self):
        child = self.start()
        child.send("DeviceInf\t| summ\t")
        child.expect_exact("summarize ")
        child.send("Devices = dcount(DeviceI\t) by OSPl\t\r")
        child.expect("OSPlatform +Devices")
        child.expect("rows, ")
        child.send("\x04")
        child.expect(pexpect.EOF)

    def test_lines_history_and_search(self):
        child = self.start()
        # Enter after a bar starts a new line.
        child.send("print x = 41 |\r")
        child.send("extend y = x + 1\r")
        child.expect("41 +42")
        child.send("\x1b[A\r")
        child.expect("41 +42")
        child.send("exit\r")
        child.expect(pexpect.EOF)
        again = self.start()
        again.send("\x12x + 1\r")
        again.send("\r")
        again.expect("41 +42")
        history = os.path.join(self.state, "vestige", "history")
        self.assertEqual(os.stat(history).st_mode & 0o777, 0o600)

    def test_a_pasted_query_keeps_its_lines(self):
        child = self.start()
        child.send("\x1b[200~print a = 'pasted'\n| extend b = strlen(a)\x1b[201~\r")
        child.expect("pasted +6")

    def test_an_error_does_not_end_it(self):
        child = self.start()
        child.send("DeviceInfo | where DevicName == 1\r")
        child.expect("did you mean DeviceName")
        child.send("print 6 * 7\r")
        child.expect("42")

    def test_ctrl_c_stops_a_query_each_time(self):
        child = self.start()
        for _ in range(2):
            child.send("range x from 1 to 100000000000 step 1 | where x < 0 | count\r")
            child.expect_exact("count")
            # The terminal is back in its own mode once the query runs.
            child.expect([pexpect.TIMEOUT], timeout=1)
            child.send("\x03")
            child.expect("cancelled", timeout=5)
            child.expect_exact("kql> ")
        child.send("half a query\x03")
        child.expect_exact("kql> ")
        child.send("print 6 * 7\r")
        child.expect("42")

    def test_a_chart(self):
        child = self.start()
        child.send("range x from 1 to 9 step 1 | extend y = x * x | render linechart\r")
        child.expect("81 ┤")

    def test_it_speaks_to_a_server(self):
        child = self.start("--on", os.environ["VESTIGE_URL"])
        child.send("DeviceIn\t| count\r")
        child.expect("Count")
