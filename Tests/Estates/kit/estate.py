"""An estate: devices, the days that are looked at, rows and truth, and how it is written out."""
import datetime as dt
import json
import random

from . import schema
from .acts import Acts, stamp
from .device import Device
from .plant import Plant
from .posture import Posture
from .truth import Truth

ORGS = ["alderbrook", "brackenridge", "calderstone", "dovecot", "elmhurst", "fallowfield", "greystoke", "harrowgate",
        "inverlea", "juniper", "kestrel", "larkspur", "merriton", "northolt", "oakhaven", "pinewood", "quarrybank",
        "ravensworth", "silverdale", "thornbury", "underhill", "vale", "whitmoor", "yarrow"]
GIVEN = """ada ben cara dan eve finn gil hana ivo joan kit lena mia noel olga paul quin rosa sam tess una vic
wren zoe""".split()
FAMILY = "abbott birch crane doyle ellis frost grant holt irwin judd keane lowe marsh north oakes pratt".split()


EVENTS = {"DeviceProcessEvents", "DeviceFileEvents", "DeviceNetworkEvents", "DeviceRegistryEvents", "DeviceEvents",
          "DeviceLogonEvents", "DeviceImageLoadEvents", "IoTEvents_CL", "IoTAlerts_CL", "AlertInfo", "AlertEvidence"}


class Estate(Acts, Truth, Posture, Plant):
    """One estate that is made from a seed, in one of two styles of noise."""

    def __init__(self, name, title, style, seed):
        self.name, self.title, self.style = name, title, style
        self.rng = random.Random(f"{name}/{style}/{seed}")
        self.days = self.rng.choice([21, 23, 24, 26])
        first = dt.datetime(2026, 8, 3) + dt.timedelta(days=self.rng.randint(0, 34))
        self.start = first
        self.org = self.rng.choice(ORGS)
        self.suffix = f"{self.org}.example" if style == "a" else f"ad.{self.org}.example"
        self.net_it = f"10.{self.rng.randint(12, 90)}" if style == "a" else f"172.{self.rng.randint(17, 30)}"
        self.net_ot = f"10.{self.rng.randint(120, 220)}"
        self.authority = "-".join(str(self.rng.randint(10**8, 10**9)) for _ in range(3))
        self.egress = f"198.51.100.{self.rng.randint(8, 60)}"
        self.rows, self.devices, self.locals = {}, {}, {"administrator", "localadm", "root", "ubuntu", "sa"}
        self.late, self.looseness, self.alerts, self.ot_alerts = 0.0, 0.25, 0, 0
        self.missing, self.gaps, self.links = set(), [], []
        self.sensor, self.site = f"sensor-{self.org[:3]}", self.org.title()
        self.verdict, self.way_in, self.causes, self.path, self.harms = "none", None, [], [], []
        self.harmless, self.stopped, self.decoys, self.used = [], [], [], []
        self.tampered, self.unknowns, self.keep = [], [], {}

    @property
    def end(self):
        return self.start + dt.timedelta(days=self.days)

    def at(self, day, clock, seconds=0):
        """A moment: day of the window and time of day, some seconds and microseconds added."""
        h, m, *s = (int(x) for x in clock.split(":"))
        return self.start + dt.timedelta(days=day, hours=h, minutes=m, seconds=(s[0] if s else 0) + seconds,
                                         microseconds=self.rng.randint(0, 999999))

    def workday(self, day):
        """The first day of the window from `day` on that is no week-end."""
        while (self.start + dt.timedelta(days=day)).weekday() > 4: day += 1
        return day

    def device(self, name, platform, ip, role="client", user=None, **more):
        if "." not in ip or ip.count(".") == 1: ip = f"{self.net_it}.{ip}"
        dev = Device(name, platform, ip, role, self.suffix, user, **more)
        dev.report = self.rng.randint(1000, 60000)
        dev.pid = self.rng.randint(400, 4000)
        if dev.group == "Clients" and dev.server: dev.group = "Servers"
        self.devices[name] = dev
        if dev.agent: self.loosen(dev)
        return dev

    def people(self, count, first=101, net="20", prefix=None, mix="w10 w11 w11"):
        """Desks with a person each."""
        prefix, out = prefix or ("PC-" if self.style == "a" else "WS"), []
        for n in range(count):
            platform = self.rng.choice(mix.split())
            user = f"{GIVEN[(first + n) % 24]}.{FAMILY[(first * 7 + n) % 16]}"
            if self.style == "b": user = f"{user[0]}{user.split('.')[1]}{n % 10}"
            name = f"{prefix}{first + n}" if platform != "mac" else f"MAC{first + n}"
            out.append(self.device(name, platform, f"{net}.{21 + n}", "client", user))
        return out

    def servers(self, *names):
        """Servers by role: dc, file, app, db, backup, web, exchange, linux."""
        made = {"dc": ("DC01", "s19", "1.11"), "file": ("FS01", "s19", "1.12"), "app": ("APP01", "s22", "1.13"),
                "db": ("SQL01", "s19", "1.14"), "backup": ("BKP01", "s19", "1.15"), "web": ("WEB01", "s19", "1.16"),
                "exchange": ("MAIL01", "s16", "1.17"), "dc2": ("DC02", "s19", "1.18"), "rds": ("RDS01", "s19", "1.19"),
                "linux": ("LNX01", "linux", "1.30")}
        out = []
        for n in names:
            name, platform, ip = made[n]
            if self.style == "b": name = f"{self.org[:3].upper()}-{name}"
            out.append(self.device(name, platform, ip, n))
        return out

    def admin(self):
        """The administrator's own workstation and account."""
        user = "adm.river" if self.style == "a" else "a-mholt"
        dev = self.device("PC-ADM" if self.style == "a" else "ADM-WS1", "w11", "20.9", "client", user)
        self.admin_user, self.admin_desk = user, dev
        return dev

    def write(self, folder):
        """Writes the tables and the truth; returns what is wrong with them."""
        self.settle()
        self.posture()
        self.inventory()
        faults, written = [], set()
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*"): old.unlink()
        silent = {d.id for d in self.devices.values() if not d.agent}
        for table, rows in sorted(self.rows.items()):
            if table in self.missing: continue
            kept = [r for r in rows if not self._unseen(table, r, silent)]
            kept.sort(key=lambda r: (r["TimeGenerated"], r.get(schema.time_column(table), "")))
            written |= {id(r) for r in kept}
            clean = [{k: v for k, v in r.items() if not k.startswith("_")} for r in kept]
            faults += schema.faults(table, clean)
            if clean: (folder / f"{table}.ndjson").write_text(
                "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in clean))
        truth = self.truth(written)
        (folder / "truth.json").write_text(json.dumps(truth, indent=1))
        return faults + self.contradictions(truth)

    def _unseen(self, table, row, silent):
        """Whether a row never reaches the workspace: no agent, or a gap in the telemetry."""
        if table.startswith("Device") and not table.startswith(("DeviceTvm", "DeviceInfo")):
            if row.get("DeviceId") in silent: return True
        when = row.get(schema.time_column(table))
        if when and schema.time_column(table) in row and not table.startswith("DeviceTvm") \
                and row["_table"] in EVENTS and not stamp(self.start) <= when <= stamp(self.end): return True
        return any(t == table and d.id == row.get("DeviceId") and stamp(a) <= when <= stamp(b)
                   for t, d, a, b in self.gaps)

    def contradictions(self, truth):
        """Truth that its own rows do not carry."""
        out, first, last = [], stamp(self.start), stamp(self.end)
        def inside(x, what):
            if x["device"] not in self.devices: out.append(f"{what}: no device {x['device']}")
            if not first <= x["time"] <= last: out.append(f"{what}: {x['time']} is outside of the window")
            if not x["evidence"] and what != "benign": out.append(f"{what} {x['device']}: no row shows it")
        for what, key in (("harm", "havoc"), ("benign", "notMalicious"), ("held", "prevented")):
            for x in truth[key]: inside(x, what)
        if truth["entry"]: inside(truth["entry"], "entry")
        for x in truth["chain"]:
            if x["from"] not in self.devices or x["to"] not in self.devices: out.append(f"chain: {x}")
            if not first <= x["time"] <= last: out.append(f"chain: {x['time']} is outside of the window")
        for c in truth["rootCauses"]:
            d = self.devices[c["device"]]
            if c["control"].startswith(("scid-", "cfg.")) and c["control"] not in truth["off"][d.name]:
                out.append(f"cause {d.name} {c['control']}: is not off")
            if c["control"].startswith("CVE-") and c["control"] not in d.cves: out.append(f"cause {c['control']}")
        for x in self.stopped + self.tampered:
            if x["control"] in truth["off"][x["device"]]: out.append(f"{x['device']} {x['control']}: was off")
        if (truth["verdict"] == "intrusion") != bool(truth["entry"]): out.append("verdict and entry disagree")
        return [f"{self.name}: {x}" for x in out]
