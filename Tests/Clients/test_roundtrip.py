"""Export, then import: the same rows, in every format, to the last tick and the last quotation mark."""

import csv
import json
import os
import subprocess
import tempfile
import unittest

VESTIGE, ROOT = os.environ["VESTIGE"], os.environ["VESTIGE_ROOT"]
COLUMNS = "TimeGenerated:datetime,Text:string,Whole:long,Small:int,Real:real,Flag:bool,Id:guid,Span:timespan,Money:decimal,Bag:dynamic"
ROWS = [
    {"TimeGenerated": "2026-03-01T12:34:56.1234567Z", "Text": "plain", "Whole": 9223372036854775807, "Small": -2147483648, "Real": 0.1, "Flag": True,
     "Id": "00112233-4455-6677-8899-aabbccddeeff", "Span": "1.02:03:04.0000005", "Money": "12345678901234567890.123", "Bag": {"a": [1, "x", None], "b": {"c": 1.5}}},
    {"TimeGenerated": "0001-01-01T00:00:00.0000001Z", "Text": "quotes \" and ' and \\ and, commas\tand tabs\nand lines\r\nand \u00fc\u4e16\U0001F512", "Whole": -1,
     "Small": 0, "Real": -1.5e300, "Flag": False, "Id": "ffffffff-ffff-ffff-ffff-ffffffffffff", "Span": "-00:00:00.0000001", "Money": "-0.001", "Bag": ["[1]", "{}", ""]},
    {"TimeGenerated": "9999-12-31T23:59:59.9999999Z", "Text": "", "Whole": None, "Small": None, "Real": None, "Flag": None, "Id": None, "Span": None,
     "Money": None, "Bag": None},
]
QUESTION = "{} | order by TimeGenerated asc | project TimeGenerated, Text, Whole, Small, Real, Flag, Id, Span, Money, Bag"


class RoundTrip(unittest.TestCase):
    def run_vestige(self, *arguments):
        done = subprocess.run([VESTIGE, *arguments], cwd=ROOT, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        # As bytes: a line's end is part of what must stay as it is.
        return done.stdout.decode()

    def test_every_format_gives_the_same_rows(self):
        with tempfile.TemporaryDirectory() as folder:
            workspace = f"{folder}/w.vestige"
            with open(f"{folder}/start.json", "w") as file:
                json.dump(ROWS, file)
            self.run_vestige("import", f"{folder}/start.json", "--table", "Start", "--schema", COLUMNS, "--workspace", workspace, "--quiet")

            def rows(table):
                text = self.run_vestige("query", "--quiet", "--format", "ndjson", "--workspace", workspace, QUESTION.format(table))
                return [json.loads(line) for line in text.split("\n") if line]

            before = rows("Start")
            self.assertEqual(len(before), 3)
            self.assertEqual(before[1]["TimeGenerated"], "2026-03-01T12:34:56.1234567Z")
            self.assertEqual(before[0]["Text"], ROWS[1]["Text"])
            self.assertEqual(before[1]["Span"], "1.02:03:04.0000005")
            for kind in ("csv", "json", "ndjson"):
                with self.subTest(kind):
                    out = self.run_vestige("query", "--quiet", "--format", kind, "--workspace", workspace, QUESTION.format("Start"))
                    with open(f"{folder}/out.{kind}", "w", newline="") as file:
                        file.write(out)
                    self.run_vestige(
                        "import", f"{folder}/out.{kind}", "--table", f"From_{kind}", "--schema", COLUMNS, "--workspace", workspace, "--quiet")
                    self.assertEqual(rows(f"From_{kind}"), before)

    def test_a_collected_table_goes_through_unchanged(self):
        with tempfile.TemporaryDirectory() as folder:
            source = os.environ["VESTIGE_WORKSPACE"]
            question = "MDEMachines_CL | order by TimeGenerated asc, RowId asc | project-away TimeGenerated, RowId, SourceName, ChangeType, Unmapped"
            out = self.run_vestige("query", "--quiet", "--format", "ndjson", "--workspace", source, question)
            self.assertGreater(len(out.splitlines()), 50)
            with open(f"{folder}/machines.ndjson", "w") as file:
                file.write(out)
            workspace = f"{folder}/w.vestige"
            self.run_vestige("import", f"{folder}/machines.ndjson", "--table", "MDEMachines_CL", "--workspace", workspace, "--quiet")
            again = self.run_vestige(
                "query", "--quiet", "--format", "ndjson", "--workspace", workspace,
                "MDEMachines_CL | project-away TimeGenerated, RowId, SourceName, ChangeType, Unmapped")
            self.assertEqual(sorted(again.splitlines()), sorted(out.splitlines()))

    def test_a_workspace_goes_out_and_in_again(self):
        source = os.environ["VESTIGE_WORKSPACE"]

        def tables(workspace):
            out = self.run_vestige(
                "query", "--quiet", "--format", "json", "--workspace", workspace,
                "union withsource=T * | summarize n = count(), t = max(TimeGenerated) by T | order by T asc")
            return json.loads(out)["rows"]

        before = tables(source)
        self.assertGreater(len(before), 15)
        # The other forms go out and in with rows of every type in the Swift tests.
        for kind, options in (("ndjson", ["--gzip"]),):
            with self.subTest(kind), tempfile.TemporaryDirectory() as folder:
                self.run_vestige("export", f"{folder}/out", "--format", kind, *options, "--workspace", source, "--quiet")
                for name in os.listdir(f"{folder}/out"):
                    self.assertRegex(name, r"^\w+\.(schema\.json|csv|json|ndjson\.gz)$")
                for _ in range(2):
                    self.run_vestige("import", f"{folder}/out", "--workspace", f"{folder}/w.vestige", "--quiet")
                self.assertEqual(tables(f"{folder}/w.vestige"), before)
                for table in [row[0] for row in sorted(before, key=lambda row: row[1])[:8]]:
                    rows = [
                        self.run_vestige("query", "--quiet", "--format", "ndjson", "--workspace", workspace, f"set notruncation; ['{table}']")
                        for workspace in (source, f"{folder}/w.vestige")]
                    self.assertEqual(sorted(rows[0].splitlines()), sorted(rows[1].splitlines()), table)

    def test_other_programs_read_the_csv(self):
        with tempfile.TemporaryDirectory() as folder:
            workspace = f"{folder}/w.vestige"
            with open(f"{folder}/start.json", "w") as file:
                json.dump(ROWS, file)
            self.run_vestige("import", f"{folder}/start.json", "--table", "Start", "--schema", COLUMNS, "--workspace", workspace, "--quiet")
            self.run_vestige("export", f"{folder}/out", "--format", "csv", "--workspace", workspace, "--quiet")
            with open(f"{folder}/out/Start.csv", newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            self.assertEqual([row["Text"] for row in rows], [row["Text"] for row in ROWS])
            self.assertEqual(json.loads(rows[1]["Bag"]), ROWS[1]["Bag"])


if __name__ == "__main__":
    unittest.main()
