"""What reaches a terminal: text, and never what would steer it."""

import os
import re
import tempfile
import unittest

import pexpect

VESTIGE = os.environ.get("VESTIGE", "")
WORKSPACE = os.environ.get("VESTIGE_WORKSPACE", "")
ROOT = os.environ.get("VESTIGE_ROOT", ".")
# What steers, as UTF-8 text. Line ends and the program's own colours are taken away before.
STEERING = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
OWN = re.compile("\x1b\\[[0-9;]*m")
HOSTILE = "print ['c\\u001b[31m\\u0000ol'] = 'x\\u001b[2J\\u009b1m\\u0007\\u007f\\u202eevil\\u2028y', ['z'] = 'a\\r\\nerror: fake'"


class TerminalTests(unittest.TestCase):
    def output(self, *words, workspace=True):
        words = list(words) + (["--workspace", WORKSPACE] if workspace else [])
        child = pexpect.spawn(VESTIGE, words, cwd=ROOT, dimensions=(40, 120), encoding="utf-8", timeout=30)
        self.addCleanup(child.close)
        child.expect(pexpect.EOF)
        return child.before

    def check(self, text):
        self.assertIsNone(STEERING.search(OWN.sub("", text)), repr(text))
        self.assertNotIn("\x1b[2J", text)
        self.assertNotRegex(OWN.sub("", text), "(?m)^error: fake")

    def test_results_in_every_format(self):
        for form in ["table", "json", "ndjson", "csv", "csv-excel"]:
            text = self.output("query", "--format", form, HOSTILE)
            self.assertIn("evil", text, form)
            if form not in ("csv", "csv-excel"):
                self.check(text)
            else:
                # Line ends inside a field are part of CSV.
                self.assertIsNone(STEERING.search(text), repr(text))

    def test_charts(self):
        self.check(self.output("query", HOSTILE + ", n = 3 | render barchart with (title='t\\u001b[31m')"))

    def test_queries_and_names_echoed_in_errors(self):
        for query in ["print 'x\x1b[31m\u202e' | nonsense\x9b", "Nosuch\x1b[2JTable", "print 1 | render x\x1b", "print a\x7f"]:
            self.check(self.output("query", query))
            self.check(self.output("check", query))
        self.check(self.output("query", "--file", "/nosuch/\x1b[31m\nerror: fake"))
        self.check(self.output("status", "--workspace", "/nosuch/\x1b[31m\r\nerror: fake", workspace=False))
        self.check(self.output("query", "--bogus\x1b[31m", "print 1"))

    def test_a_file_or_program_gets_data_as_it_is(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "out.csv")
            child = pexpect.spawn(
                "/bin/sh", ["-c", f"'{VESTIGE}' query --workspace '{WORKSPACE}' --format csv \"$0\" > '{file}'", HOSTILE],
                cwd=ROOT, encoding="utf-8", timeout=30)
            child.expect(pexpect.EOF)
            child.close()
            with open(file, newline="", encoding="utf-8") as lines:
                text = lines.read()
            self.assertIn("x\x1b[2J\x9b1m\x07\x7f\u202eevil\u2028y", text)
            self.assertIn("a\r\nerror: fake", text)
