#!/usr/bin/env python3
"""Checks of the generator and the score; they can fail. Run: python3 Tests/Estates/test_estates.py"""
import contextlib
import copy
import datetime as dt
import filecmp
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import generate  # noqa: E402
import score  # noqa: E402
from kit import acts, schema, truth  # noqa: E402
from kit.estate import Estate  # noqa: E402
from scenarios import ALL  # noqa: E402

SOME = ["rdp-smallshop", "well-exposed", "stick-refused", "quiet-small"]


def write(names, folder, seed=1, style="a"):
    out = []
    for n in names: out += generate.make(n, *ALL[n], style, seed, folder)
    return out


def known(folder, name, style="a"):
    return json.loads((folder / style / name / "truth.json").read_text())


def perfect(t):
    return {"verdict": t["verdict"], "entry": t["entry"], "chain": t["chain"], "havoc": t["havoc"],
            "rootCauses": [dict(c, **{"class": c["class"][0]}) for c in t["rootCauses"]]}


class Written(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory()
        cls.out = pathlib.Path(cls.place.name)
        cls.faults = write(SOME, cls.out)

    @classmethod
    def tearDownClass(cls): cls.place.cleanup()

    def rows(self, name, table):
        f = self.out / "a" / name / f"{table}.ndjson"
        return [json.loads(x) for x in f.read_text().splitlines()] if f.exists() else []

    def test_nothing_is_wrong_with_them(self): self.assertEqual(self.faults, [])

    def test_the_same_seed_gives_the_same_bytes_and_another_does_not(self):
        with tempfile.TemporaryDirectory() as again:
            write(SOME[:1], pathlib.Path(again))
            left, right = self.out / "a" / SOME[0], pathlib.Path(again) / "a" / SOME[0]
            names = sorted(p.name for p in left.iterdir())
            self.assertEqual(filecmp.cmpfiles(left, right, names, shallow=False)[1:], ([], []))
            write(SOME[:1], pathlib.Path(again), seed=2)
            self.assertNotEqual((left / "truth.json").read_bytes(), (right / "truth.json").read_bytes())

    def test_styles_share_no_background(self):
        with tempfile.TemporaryDirectory() as other:
            write(["quiet-small"], pathlib.Path(other), style="b")
            def commands(folder, style):
                file = folder / style / "quiet-small" / "DeviceProcessEvents.ndjson"
                return {json.loads(x)["ProcessCommandLine"] for x in file.read_text().splitlines()}
            a, b = commands(self.out, "a"), commands(pathlib.Path(other), "b")
            self.assertTrue(a and b)
            self.assertLess(len(a & b), 3)

    def test_each_row_that_the_truth_names_is_there(self):
        for name in SOME:
            t = known(self.out, name)
            told = t["rootCauses"] + t["havoc"] + t["notMalicious"] + t["prevented"]
            named = [r for x in told for r in x["evidence"]]
            named += t["entry"]["evidence"] if t["entry"] else []
            for r in named:
                keys = {k: v for k, v in r.items() if k != "_table"}
                self.assertTrue(any(keys.items() <= row.items() for row in self.rows(name, r["_table"])), (name, r))

    def test_event_rows_come_after_what_they_tell_of(self):
        for row in self.rows("rdp-smallshop", "DeviceProcessEvents"):
            self.assertGreater(row["TimeGenerated"], row["Timestamp"])
            self.assertLessEqual(row["InitiatingProcessCreationTime"], row["Timestamp"])

    def test_additional_fields_are_json_as_text(self):
        texts = [r["AdditionalFields"] for r in self.rows("stick-refused", "DeviceEvents") if "AdditionalFields" in r]
        self.assertTrue(texts)
        for x in texts: self.assertIsInstance(json.loads(x), dict)

    def test_what_the_truth_calls_off_is_off_in_the_state_tables(self):
        t = known(self.out, "rdp-smallshop")
        states = {(r["DeviceId"], r["ConfigurationId"]): r for r in
                  self.rows("rdp-smallshop", "DeviceTvmSecureConfigurationAssessment") if r["ChangeType"] == "Added"}
        for name, controls in t["off"].items():
            for c in controls:
                row = states.get((t["devices"][name]["id"], c))
                if not c.startswith("scid-"): continue
                self.assertIsNotNone(row, (name, c))
                audited = row.get("Context") == [["Audit"]]
                self.assertTrue(audited or not row["IsCompliant"], (name, c))


class Checks(unittest.TestCase):
    def test_a_column_that_is_not_there_and_a_wrong_type_are_faults(self):
        self.assertEqual(schema.faults("DeviceFileEvents", [{"Timestamp": "2026-01-01T00:00:00Z"}]), [])
        for row in ({"Colour": "red"}, {"FileSize": "12"}, {"FileSize": True}, {"Timestamp": "yesterday"}):
            self.assertEqual(len(schema.faults("DeviceFileEvents", [row])), 1, row)

    def test_a_truth_that_its_rows_do_not_carry_is_a_fault(self):
        e = Estate("made-up", "", "a", 1)
        d = e.people(1)[0]
        t = e.at(3, "10:00")
        p = e.run(d, t, "cmd.exe", "cmd.exe")
        e.entry(d, t, ["T1190"], "exploit-public-app", [p])
        e.harm(d, e.end + dt.timedelta(days=2), "T1490", "recovery-inhibited", "late", [p])
        e.harm(d, t, "T1489", "service-stopped", "nothing shows it", [])
        e.cause(d, "T1562.001", "scid-2003", "would-have-blocked", "", rows=[p])
        e.held(d, "T1562.001", "scid-2003", t, "it cannot be both", [p])
        with tempfile.TemporaryDirectory() as f: faults = e.write(pathlib.Path(f))
        self.assertEqual(len(faults), 3, faults)

    def test_what_would_have_stopped_a_step_is_on_unless_it_is_named(self):
        e = Estate("made-up-2", "", "b", 1)
        d = e.people(1)[0]
        d.off |= {"scid-2509", "scid-25", "scid-22"}
        e.cause(d, "T1003.001", "scid-2509", "would-have-blocked", "")
        e.settle()
        self.assertIn("scid-2509", d.off)
        self.assertNotIn("scid-25", d.off)
        self.assertIn("scid-22", d.off)

    def test_all_words_of_harm_and_all_ways_in_occur(self):
        source = "".join(p.read_text() for p in (pathlib.Path(generate.__file__).parent / "scenarios").glob("*.py"))
        for word in truth.HARM | truth.VECTORS: self.assertIn(f'"{word}"', source)
        self.assertGreaterEqual(len(ALL), 30)

    def test_documentation_addresses_are_public(self):
        self.assertTrue(acts.public("203.0.113.9") and acts.public("192.0.2.1"))
        self.assertFalse(acts.public("10.1.2.3") or acts.public("172.20.1.1"))


class Scored(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory()
        write(SOME, pathlib.Path(cls.place.name))
        cls.truths = {n: known(pathlib.Path(cls.place.name), n) for n in SOME}

    @classmethod
    def tearDownClass(cls): cls.place.cleanup()

    def of(self, name, **change):
        t = self.truths[name]
        return t, score.score(t, copy.deepcopy(perfect(t)) | change)

    def test_the_truth_itself_scores_everything(self):
        for n in SOME:
            t, r = self.of(n)
            self.assertTrue(r["verdict"])
            self.assertEqual((r["causes"]["found"], r["causes"]["strict"], r["causes"]["wrong"]),
                             (len(t["rootCauses"]), len(t["rootCauses"]), 0))
            self.assertEqual((r["havoc"]["found"], r["havoc"]["wrong"]), (r["havoc"]["want"], 0))
            self.assertTrue(all(r.get("entry", [True])))

    def test_silence_finds_nothing_and_is_quiet_where_it_should_be(self):
        t, r = self.of("rdp-smallshop", verdict="none", entry=None, rootCauses=[], chain=[], havoc=[])
        self.assertFalse(r["verdict"])
        self.assertEqual((r["causes"]["found"], r["havoc"]["found"], r["entry"]), (0, 0, [False] * 4))
        self.assertTrue(self.of("quiet-small")[1]["quiet"])
        self.assertFalse(self.of("quiet-small", entry={"device": "x"})[1]["quiet"])

    def test_a_listing_of_every_gap_is_wrong_beyond_three_for_each_cause(self):
        t = self.truths["rdp-smallshop"]
        listed = [{"device": d, "control": c, "technique": "T1110"} for d, cs in t["off"].items() for c in cs]
        r = self.of("rdp-smallshop", rootCauses=listed)[1]
        self.assertGreater(r["causes"]["wrong"], 10)

    def test_what_the_intruder_switched_off_is_wrong(self):
        x = {"device": "KASSE-SRV", "control": "scid-2012", "technique": "T1562.001", "class": "missing-setting"}
        r = self.of("rdp-smallshop", rootCauses=[x])[1]
        self.assertEqual(r["causes"]["wrongList"], [("KASSE-SRV", "scid-2012")])

    def test_the_like_of_a_control_is_right_and_its_own_class_strict(self):
        x = {"device": "KASSE-SRV", "control": "scid-114", "technique": "T1133", "class": "misconfiguration"}
        r = self.of("rdp-smallshop", rootCauses=[x, dict(x, control="net.exposed")])[1]["causes"]
        self.assertEqual((r["found"], r["strict"], r["wrong"], r["also"]), (1, 1, 0, 1))

    def test_harm_counts_within_a_quarter_of_an_hour(self):
        t = self.truths["rdp-smallshop"]
        def at(minutes):
            h = copy.deepcopy(t["havoc"][:1])
            h[0]["time"] = acts.stamp(score.moment(h[0]["time"]) + dt.timedelta(minutes=minutes))
            return self.of("rdp-smallshop", havoc=h)[1]["havoc"]
        self.assertEqual([at(14)["found"], at(16)["found"], at(16)["wrong"], at(100)["wrong"]], [1, 0, 0, 1])

    def test_devices_are_known_by_id_name_and_address(self):
        t = self.truths["rdp-smallshop"]
        d = t["devices"]["KASSE-SRV"]
        for word in (d["id"], d["fqdn"].upper(), d["fqdn"].split(".")[0], d["ip"]):
            self.assertEqual(score.Names(t["devices"])(word), "KASSE-SRV")

    def test_techniques_of_version_19_and_parents_are_understood(self):
        self.assertTrue(score.meets(score.techniques("T1685"), ["T1562.001"]))
        self.assertTrue(score.meets(["T1110"], ["T1110.001"]))
        self.assertFalse(score.meets(["T1110.003"], ["T1110.001"]))


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()): unittest.main(verbosity=1)
