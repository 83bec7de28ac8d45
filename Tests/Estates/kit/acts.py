"""What happens on devices, written as the rows that Defender keeps of it."""
import base64
import datetime as dt
import ipaddress
import json

from . import facts
from .device import Device, Process, digest

SIDS = {"system": "S-1-5-18", "local service": "S-1-5-19", "network service": "S-1-5-20", "root": None}


def stamp(t):
    """A time as the tables write it, to 100 ns."""
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + f"{t.microsecond:06d}0Z"


def encoded(script):
    """A PowerShell script as -EncodedCommand takes it."""
    return base64.b64encode(script.encode("utf-16-le")).decode()


def public(ip):
    a = ipaddress.ip_address(ip)
    return not a.is_private or any(a in ipaddress.ip_network(n) for n in
                                   ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))


class Acts:
    """The part of an estate that makes event rows."""

    def sid(self, user, domain=""):
        if user.lower() in SIDS: return SIDS[user.lower()]
        n = int(digest(domain + user, 6), 16)
        return f"S-1-5-21-{self.authority}-{1100 + n % 8000}"

    def put(self, table, row, t, delay=None):
        """Adds an event row, observed some seconds later, or hours when the estate is slow."""
        late = delay if delay is not None else self.rng.uniform(15, 230)
        if self.late and self.rng.random() < self.late: late = self.rng.uniform(2, 19) * 3600
        row = {k: v for k, v in row.items() if v is not None}
        row["TimeGenerated"] = stamp(t + dt.timedelta(seconds=late))
        row["_table"] = table
        self.rows.setdefault(table, []).append(row)
        return row

    def _row(self, dev, t, action):
        dev.report += self.rng.randint(1, 4)
        seen = t + dt.timedelta(seconds=dev.skew)
        if action != "ProcessCreated": seen += dt.timedelta(microseconds=self.rng.randint(0, 700000))
        return {"Timestamp": stamp(seen), "DeviceId": dev.id, "DeviceName": dev.fqdn(t), "ReportId": dev.report,
                "ActionType": action}

    def _by(self, p):
        if p is None: return {}
        q = p.parent
        out = {"InitiatingProcessFileName": p.file.lower() if self.style == "a" else p.file,
               "InitiatingProcessFolderPath": p.path.lower() if p.device.windows else p.path,
               "InitiatingProcessId": p.pid, "InitiatingProcessCommandLine": p.command,
               "InitiatingProcessCreationTime": stamp(p.born), "InitiatingProcessAccountName": p.user,
               "InitiatingProcessAccountDomain": p.domain, "InitiatingProcessAccountSid": self.sid(p.user, p.domain),
               "InitiatingProcessSHA1": p.sha256[:40], "InitiatingProcessSHA256": p.sha256}
        if p.level: out["InitiatingProcessIntegrityLevel"] = p.level
        if q: out |= {"InitiatingProcessParentFileName": q.file.lower() if self.style == "a" else q.file,
                      "InitiatingProcessParentId": q.pid, "InitiatingProcessParentCreationTime": stamp(q.born)}
        if p.remote: out |= {"IsInitiatingProcessRemoteSession": True, "InitiatingProcessRemoteSessionIP": p.remote}
        return out

    def base(self, dev, name, user=None, command=None, path=None):
        """A process that runs since the start of the device and therefore has no row of its own."""
        key = (name, user, command)
        if key not in dev.bases:
            path = path or facts.PLACES.get(name.lower()) or name
            own = user or ("system" if name.lower() in facts.SYSTEM else dev.user or "system")
            if not dev.windows: own = user or "root"
            domain = self.place(dev, own)
            dev.pid += self.rng.randint(7, 90)
            born = self.start - dt.timedelta(hours=self.rng.uniform(5, 140))
            level = ("System" if own == "system" else "Medium") if dev.windows else None
            dev.bases[key] = Process(dev, path, command or (f'"{path}"' if dev.windows else path), dev.pid, born,
                                     own, domain, level)
            if name.lower() == "svchost.exe": dev.bases[key].parent = self.base(dev, "services.exe")
        return dev.bases[key]

    def place(self, dev, user):
        """The domain that an account of a device belongs to."""
        if not dev.windows: return dev.name.lower()
        if user.lower() in ("system", "local service", "network service"): return "nt authority"
        if user.lower() in self.locals: return dev.name.lower()
        if user.lower().startswith(("iis apppool", "nt service")): return user.split("\\")[0].lower()
        return self.org

    def run(self, dev, t, exe, command, parent=None, user=None, level=None, content=None, remote=None, **columns):
        """A process starts. `exe` is a path, or the name of a program that Windows brings."""
        path = facts.PLACES.get(exe.lower(), exe)
        t += dt.timedelta(microseconds=self.rng.randint(0, 300000))
        parent = parent or self.base(dev, "explorer.exe" if dev.windows else "bash", user=user or dev.user)
        user = user or parent.user
        dev.pid += self.rng.randint(3, 60)
        level = level or (parent.level if user == parent.user else "High" if dev.windows else None)
        p = Process(dev, path, command, dev.pid % 30000 + 300, t, user, self.place(dev, user), level, parent,
                    content=content, remote=remote or (parent.remote if user == parent.user else None))
        row = self._row(dev, t, "ProcessCreated") | {
            "FileName": p.file, "FolderPath": path, "ProcessId": p.pid, "ProcessCommandLine": command,
            "ProcessCreationTime": stamp(t), "ProcessIntegrityLevel": level, "AccountName": user,
            "AccountDomain": p.domain, "AccountSid": self.sid(user, p.domain), "SHA1": p.sha256[:40],
            "SHA256": p.sha256} | self._by(parent) | columns
        if dev.windows and exe.lower() in facts.PLACES:
            row |= {"ProcessVersionInfoOriginalFileName": p.file,
                    "ProcessVersionInfoCompanyName": "Microsoft Corporation"}
        if p.remote: row |= {"IsProcessRemoteSession": True, "ProcessRemoteSessionIP": p.remote}
        p.row = self.put("DeviceProcessEvents", row, t)
        return p

    def file(self, dev, t, action, path, by, size=None, content=None, **columns):
        """A file is made, changed, renamed or deleted by a process."""
        name = path.replace("/", "\\").split("\\")[-1]
        sha = digest(content or path + dev.id, 64)
        return self.put("DeviceFileEvents", self._row(dev, t, action) | {
            "FileName": name, "FolderPath": path, "SHA1": sha[:40], "SHA256": sha,
            "FileSize": size or self.rng.randint(900, 900000)} | self._by(by) | columns, t)

    def registry(self, dev, t, key, value, data, by, kind="String", action="RegistryValueSet"):
        """A registry value is set."""
        return self.put("DeviceRegistryEvents", self._row(dev, t, action) | {
            "RegistryKey": key, "RegistryValueName": value, "RegistryValueData": data,
            "RegistryValueType": kind} | self._by(by), t)

    def net(self, dev, t, by, ip, port, url=None, action="ConnectionSuccess", local=None, **columns):
        """A process speaks to an address, or is spoken to."""
        inbound = action.startswith("Inbound")
        if isinstance(ip, Device): url, ip = url or ip.fqdn(t), ip.address(t)
        return self.put("DeviceNetworkEvents", self._row(dev, t, action) | {
            "RemoteIP": ip, "RemotePort": self.rng.randint(49200, 65500) if inbound else port, "RemoteUrl": url,
            "LocalIP": dev.address(t), "LocalPort": port if inbound else local or self.rng.randint(49200, 65500),
            "Protocol": "Tcp", "RemoteIPType": "Public" if public(ip) else "Private"} | self._by(by) | columns, t)

    def load(self, dev, t, path, by, content=None):
        """A library is loaded."""
        sha = digest(content or path.split("\\")[-1], 64)
        return self.put("DeviceImageLoadEvents", self._row(dev, t, "ImageLoaded") | {
            "FileName": path.split("\\")[-1], "FolderPath": path, "SHA1": sha[:40], "SHA256": sha} | self._by(by), t)

    def logon(self, dev, t, user, kind, frm=None, ok=True, reason=None, admin=None, protocol=None, domain=None):
        """An account logs on, or fails to. `frm` is a device, an address or (name, address)."""
        ip, name = frm, None
        if isinstance(frm, Device): ip, name = frm.address(t), frm.fqdn(t).split(".")[0]
        elif isinstance(frm, tuple): name, ip = frm
        by = self.base(dev, "lsass.exe") if dev.windows else self.base(dev, "/usr/sbin/sshd" if dev.kind == "linux"
                                                                         else "/usr/libexec/logind")
        domain = domain or self.place(dev, user)
        row = self._row(dev, t, "LogonSuccess" if ok else "LogonFailed") | {
            "LogonType": kind, "AccountName": user, "AccountDomain": domain, "AccountSid": self.sid(user, domain),
            "Protocol": protocol or ("Kerberos" if domain == self.org else "NTLM") if dev.windows else None,
            "LogonId": self.rng.randint(10**5, 10**9), "RemoteIP": ip, "RemoteDeviceName": name,
            "FailureReason": None if ok else reason or "InvalidUserNameOrPassword"} | self._by(by)
        if ip: row["RemoteIPType"] = "Public" if public(ip) else "Private"
        if ok and (admin is not None or kind != "Network"): row["IsLocalAdmin"] = bool(admin)
        return self.put("DeviceLogonEvents", row, t)

    def event(self, dev, t, action, by=None, fields=None, **columns):
        """Anything that DeviceEvents holds; `fields` become AdditionalFields, which is JSON as text."""
        row = self._row(dev, t, action) | columns | self._by(by)
        row.pop("InitiatingProcessIntegrityLevel", None)  # this table has no such column
        if fields: row["AdditionalFields"] = json.dumps(fields)
        return self.put("DeviceEvents", row, t)

    def rule(self, dev, t, control, p, blocked=False):
        """A rule against attack surface notes, or stops, a process or file."""
        guid, name = facts.RULES[control]
        return self.event(dev, t, name + ("Blocked" if blocked else "Audited"), p.parent or p,
                          {"IsAudit": not blocked, "RuleId": guid}, FileName=p.file, FolderPath=p.path,
                          SHA1=p.sha256[:40], SHA256=p.sha256, ProcessCommandLine=p.command)

    def detection(self, dev, t, path, threat, remediated, by=None, content=None, **columns):
        """The antivirus finds something."""
        sha = digest(content or path + dev.id, 64)
        return self.event(dev, t, "AntivirusDetection", by, {
            "ThreatName": threat, "WasRemediated": remediated, "Action": "Quarantine" if remediated else "Allow",
            "ReportSource": "Windows Defender"}, FileName=path.replace("/", "\\").split("\\")[-1], FolderPath=path,
            SHA1=sha[:40], SHA256=sha, **columns)

    def alert(self, dev, t, title, category, severity, techniques, p=None):
        """An alert with its evidence, some minutes after what it is about."""
        seen, self.alerts = t + dt.timedelta(minutes=self.rng.uniform(1, 9)), self.alerts + 1
        own = f"da{digest(self.name + title + str(self.alerts), 10)}_{self.alerts:03d}"
        info = {"Timestamp": stamp(seen), "AlertId": own, "Title": title, "Severity": severity,
                "ServiceSource": "Microsoft Defender for Endpoint", "DetectionSource": "EDR"}
        out = [self.put("AlertInfo", info | {"Category": category, "AttackTechniques": json.dumps(techniques)}, seen)]
        about = info | {"DeviceId": dev.id, "DeviceName": dev.fqdn(t)}
        out.append(self.put("AlertEvidence", about | {"EntityType": "Machine", "EvidenceRole": "Impacted"}, seen))
        if p: out.append(self.put("AlertEvidence", about | {
            "EntityType": "Process", "EvidenceRole": "Related", "FileName": p.file, "FolderPath": p.path,
            "SHA1": p.sha256[:40], "ProcessCommandLine": p.command, "AccountName": p.user}, seen))
        return out
