"""What is true of an estate, noted while its rows are made."""
from . import facts
from .acts import stamp

HARM = set("""account-created account-changed credentials-stolen persistence-added protection-disabled logs-cleared
recovery-inhibited files-encrypted data-staged data-exfiltrated data-destroyed service-stopped resource-hijacked
remote-tool-installed device-restarted defaced plc-program-changed plc-mode-changed plc-firmware-changed
parameter-changed command-sent view-lost control-lost safety-impaired alarm-suppressed ot-data-collected""".split())
VECTORS = set("""exploit-public-app exposed-remote-service phishing user-execution valid-account removable-media
vendor-access internet-exposed-controller supply-chain other""".split())
PROOFS = {"would-have-blocked", "would-have-limited", "would-only-have-detected", "unknown"}

# Settings whose absence lets a technique work. On a device of an intrusion those that the scenario does not
# name as a gap are on, so that nothing is a cause by accident.
PREVENTS = {
    "T1003.001": "2509 25 2080", "T1204.002": "2501 2502 2504 2507 2060", "T1566.001": "2500 2512",
    "T1566.002": "2061 96", "T1059.005": "2504 2506", "T1059.007": "2504", "T1059.001": "2505", "T1047": "2510",
    "T1569.002": "2510", "T1546.003": "2514", "T1505.003": "2516 2010", "T1562.001": "2003 6092 5092",
    "T1486": "2508 2021 2016", "T1091": "2511", "T1078.003": "84 52 3010", "T1021.002": "84 52 2071 30 53 54",
    "T1021.006": "74", "T1550.002": "84 52", "T1110": "44 41 42 32", "T1110.001": "44 41 42 32",
    "T1110.003": "44 41 42", "T1105": "96", "T1189": "2061 96", "T1543.003": "2515 115", "T1068": "2515 115",
    "T1021.001": "45 24", "T1218.005": "107", "T1496": "2013 96", "T1003.002": "84", "T1003.004": "84",
    "T1003.008": "6014", "T1053.003": "6014", "T1055": "2503", "T1558.003": "32", "T1106": "2506",
    "T1557.001": "111 109", "T1080": "4001", "T1574.009": "3001 3002", "T1574.001": "", "T1555.003": "22",
    "T1553.001": "5009", "T1555.001": "5003", "T1219": "2013", "T1490": "2508", "T1489": "2003",
    "T1059.004": "6090 6093", "T1027": "2505", "T1112": "2003", "T0847": "2511", "T0866": "2071", "T1210": "53 54"}


class Truth:
    """The part of an estate that says what happened."""

    def note(self, dev, *techniques):
        """Techniques that were used on a device."""
        for x in techniques:
            if (dev.name, x) not in self.used: self.used.append((dev.name, x))

    def entry(self, dev, t, techniques, vector, rows=()):
        """How they got in, first visible act."""
        assert vector in VECTORS, vector
        self.verdict = "intrusion"
        self.way_in = {"device": dev.name, "time": stamp(t), "technique": list(techniques), "vector": vector,
                       "evidence": rows}
        self.note(dev, *techniques)

    def cause(self, dev, techniques, control, proof, why, same=(), rows=(), audit=False):
        """A control that was missing and let a step work; `same` close the same gap and were off as well."""
        assert proof in PROOFS, proof
        techniques = techniques.split()
        for c in (control, *same):
            if c.startswith(("scid-", "cfg.")): dev.off.add(c)
            if c.startswith("CVE-"): dev.cves.setdefault(c, None)
            if c == "av.signature_age": dev.off.add("scid-2011")
        if audit: dev.audit.add(control)
        self.causes.append({"device": dev.name, "technique": techniques, "control": control,
                            "class": [facts.class_of(control)], "proof": proof, "alternatives": list(same),
                            "why": why, "evidence": rows})
        self.note(dev, *techniques)

    def move(self, frm, to, t, technique, how, rows=()):
        """They came to run on another device."""
        self.note(to, technique)
        if any(x["from"] == frm.name and x["to"] == to.name for x in self.path): return
        self.path.append({"from": frm.name, "to": to.name, "time": stamp(t), "technique": technique, "how": how,
                          "evidence": rows})

    def harm(self, dev, t, technique, what, detail, rows=(), optional=False):
        """Something was broken, taken or left behind."""
        assert what in HARM, what
        if any(h["device"] == dev.name and h["what"] == what for h in self.harms): return
        self.harms.append({"device": dev.name, "time": stamp(t), "technique": technique, "what": what,
                           "detail": detail, "evidence": rows} | ({"optional": True} if optional else {}))
        self.note(dev, technique)

    def benign(self, dev, t, what, why, rows=()):
        """Something that looks like harm and is none."""
        self.harmless.append({"device": dev.name, "time": stamp(t), "what": what, "why": why, "evidence": rows})

    def held(self, dev, technique, control, t, why, rows=()):
        """A control that stopped a step."""
        self.stopped.append({"device": dev.name, "technique": technique, "control": control, "time": stamp(t),
                             "why": why, "evidence": rows})
        self.keep.setdefault(dev.name, set()).add(control)

    def decoy(self, dev, control, why):
        """A gap without a part in it."""
        if control.startswith(("scid-", "cfg.")): dev.off.add(control)
        if control.startswith("CVE-"): dev.cves.setdefault(control, None)
        self.decoys.append({"device": dev.name, "control": control, "why": why})

    def tamper(self, dev, control, t):
        """A control that the intruder switched off; the next assessment sees it."""
        self.tampered.append({"device": dev.name, "control": control, "time": stamp(t)})
        self.keep.setdefault(dev.name, set()).add(control)
        dev.changes.append((t, control, False))

    def settle(self):
        """Switches on what must have been on for the truth to be true."""
        named = {}
        for c in self.causes: named.setdefault(c["device"], set()).update([c["control"], *c["alternatives"]])
        for device, technique in self.used:
            for number in PREVENTS.get(technique, "").split():
                if f"scid-{number}" not in named.get(device, ()): self.devices[device].off.discard(f"scid-{number}")
        for device, controls in self.keep.items(): self.devices[device].off -= controls - named.get(device, set())

    def truth(self, written):
        """The truth in the form of the judge; `written` says which rows reached a table."""
        def refs(rows):
            out = []
            for r in (x.row if hasattr(x, "row") else x for x in _flat(rows)):
                if r is None or id(r) not in written: continue
                keys = ("_table", "Timestamp", "EventTime", "AlertTime", "TimeGenerated", "DeviceId", "ReportId",
                        "EventType", "AlertId")
                out.append({k: r[k] for k in keys if k in r})
            return out
        def told(x):
            return {**x, "evidence": refs(x["evidence"])} if x else None
        def state(c):
            table = "DeviceBaselineComplianceAssessment" if c["control"].startswith("cfg.") else \
                "DeviceTvmSoftwareVulnerabilities" if c["control"].startswith("CVE-") else \
                "DeviceTvmSecureConfigurationAssessment"
            return [{k: r[k] for k in ("_table", "Timestamp", "TimeGenerated", "DeviceId", "ConfigurationId", "CveId")
                     if k in r} for r in self.rows.get(table, ()) if r.get("_of") == (c["device"], c["control"])][:1]
        listed = self.devices.values()
        return {
            "scenario": self.name, "title": self.title, "verdict": self.verdict, "sources": [],
            "entry": told(self.way_in),
            "rootCauses": [told(c) | {"stateEvidence": state(c)} for c in self.causes],
            "chain": [told(x) for x in sorted(self.path, key=lambda x: x["time"])],
            "havoc": [told(x) for x in sorted(self.harms, key=lambda x: x["time"])],
            "notMalicious": [told(x) for x in self.harmless], "decoyGaps": self.decoys,
            "techniques": [list(x) for x in self.used], "tampered": self.tampered, "unknowns": self.unknowns,
            "prevented": [told(x) for x in self.stopped],
            "devices": {d.name: {"id": d.id, "fqdn": d.fqdn(), "ip": d.address(self.end),
                                 "role": d.role} for d in listed},
            "off": {d.name: sorted(self.open_controls(d)) for d in listed},
            "openCves": {d.name: sorted(d.cves) for d in listed}}


def _flat(rows):
    for r in rows:
        if isinstance(r, (list, tuple)): yield from _flat(r)
        else: yield r
