"""People and their own rights: an insider, a borrowed session, a stick."""
from . import estate
from .steps import beacon, h, m, run_key, s, send, stage


@estate("insider-salaries", "A colleague uses a local password that everybody in support knew; files leave on a stick")
def insider(e):
    desks = e.people(21)
    dc, fs = e.servers("dc", "file")
    e.admin()
    e.locals.add("pcadmin")
    pc, boss, other = desks[6], desks[17], desks[18]
    for n in range(2, 12, 3):  # what he may do: his own share, his own stick at the photo kiosk
        e.logon(fs, e.at(n, "10:40"), pc.user, "Network", pc)
    t = e.at(e.workday(14), "18:52")
    c = e.run(pc, t, "cmd.exe", "cmd.exe")
    x = e.logon(other, t + m(1), "pcadmin", "Network", pc, ok=False, domain=other.name.lower())
    e.held(other, "T1021.002", "scid-84", t + m(1), "this desk has a password of its own", [x])
    u = e.run(pc, t + m(3), "net.exe", f"net use X: \\\\{boss.name}\\C$ /user:{boss.name}\\pcadmin *", c)
    n = e.net(pc, t + m(3) + s(1), u, boss, 445)
    a = e.logon(boss, t + m(3) + s(2), "pcadmin", "Network", pc, admin=True)
    e.entry(pc, t + m(3), ["T1078.003", "T1078", "T1021.002"], "other", [u, n, a])
    e.move(pc, boss, t + m(3) + s(2), "T1021.002", "administrative share with the common local account", [u, n, a])
    e.cause(boss, "T1078.003 T1021.002", "scid-84", "would-have-blocked", "no managed local password here",
            same=("scid-52",), rows=[a])
    r = e.run(pc, t + m(6), "robocopy.exe",
              f"robocopy X:\\Users\\{boss.user}\\Documents\\Salaries C:\\Users\\{pc.user}\\temp\\s /E", c)
    f = [e.file(pc, t + m(6) + s(2 + i), "FileCreated", f"C:\\Users\\{pc.user}\\temp\\s\\salary_{2014 + i}.xlsx",
                r) for i in range(12)]
    e.harm(pc, t + m(6), "T1039", "data-staged", "salary lists", [r, f[:2]])
    k = t + m(31)
    e.event(pc, k, "PnpDeviceConnected", None, {"ClassName": "DiskDrive", "DeviceDescription": "Flash Drive USB"})
    d = e.event(pc, k + s(3), "UsbDriveMounted", None, {"DriveLetter": "F:", "ProductName": "Flash Drive",
                                                        "SerialNumber": "AA0471"})
    w = [e.file(pc, k + m(2) + s(i), "FileCreated", f"F:\\salary_{2014 + i}.xlsx", e.base(pc,
        "explorer.exe")) for i in range(12)]
    e.harm(pc, k + m(2), "T1052.001", "data-exfiltrated", "a stick", [d, w[:2]])
    e.cause(pc, "T1052.001", "usb.control", "would-have-blocked", "any stick is accepted", same=("dlp.endpoint",
        "scid-2090"),
            rows=[d, w[0]])
    y, t2 = desks[2], e.at(9, "09:15")
    d = e.event(y, t2, "UsbDriveMounted", None, {"DriveLetter": "E:", "ProductName": "Camera", "SerialNumber": "CC1"})
    e.benign(y, t2, "data-exfiltrated", "a camera; pictures come in, nothing goes out", [d])
    e.decoy(desks[9], "scid-84", "off, never reached")
    e.decoy(pc, "CVE-2023-38831", "open, not used")
    e.missing |= {"AlertInfo", "AlertEvidence"}


@estate("borrowed-session", "A stolen session of a hosted desktop; second proof long given; every control on")
def session(e):
    e.looseness = 0.05
    desks = e.people(17)
    e.servers("dc", "file")
    avd = e.device("AVD-3", "w11", "40.13", "vdi", None, group="VDI")
    own = desks[8]
    user, broker = own.user, f"{e.net_it}.40.250"
    for n in range(1, 20):
        for d in desks[6:11]:
            if e.rng.random() < 0.5: e.logon(avd, e.at(n, "09:00") + m(e.rng.randint(0, 90)), d.user,
                                             "RemoteInteractive",
                                             ("broker", broker), admin=False)
    for c in ("scid-2504", "scid-2505", "scid-2507", "scid-96", "scid-2060", "scid-2061", "scid-22"): avd.off.discard(c)
    t = e.at(18, "02:14")
    e.logon(own, e.at(17, "17:58"), user, "Interactive", admin=False)
    a = e.logon(avd, t, user, "RemoteInteractive", ("broker", broker), admin=False)
    sh = e.run(avd, t + s(7), "explorer.exe", "C:\\Windows\\Explorer.EXE", e.base(avd, "winlogon.exe"), user=user,
               level="Medium",
               remote=broker)
    b = e.run(avd, t + m(2), "msedge.exe", '"msedge.exe" --inprivate https://portal.example.com/', sh)
    e.entry(avd, t, ["T1078", "T1078.004", "T1539", "T1550.004"], "valid-account", [a, sh, b])
    e.cause(avd, "T1078.004 T1078 T1539", "none-effective", "unknown",
            "a true session, its second proof given; every control of the host was on", rows=[a])
    od = e.base(avd, "OneDrive.exe", user=user)
    f = [e.file(avd, t + m(6) + s(i), "FileCreated", f"C:\\Users\\{user}\\OneDrive\\Board\\minutes_{i:03}.docx",
                od) for i in range(70)]
    z = stage(e, avd, t + m(14), sh, f"C:\\Users\\{user}\\Downloads\\b.zip",
              f"tar.exe -a -cf C:\\Users\\{user}\\Downloads\\b.zip Board")
    n = e.net(avd, t + m(19), b, "192.0.2.222", 443, "send.transfer.example")
    e.net(avd, t + m(21), b, "192.0.2.222", 443, "send.transfer.example")
    e.harm(avd, t + m(19), "T1567.002", "data-exfiltrated", "send.transfer.example, by the browser", [b, n])
    e.unknowns.append("the mailbox and the cloud files of this person: no table of them is here")
    e.decoy(desks[1], "scid-2501", "off, never reached")
    e.decoy(own, "scid-22", "off; the passwords of this browser were not used")
    e.missing |= {"AlertInfo", "AlertEvidence", "DeviceImageLoadEvents"}


@estate("stick-worm",
        "A stick from a trade fair; an exclusion for a folder of tools; the same file was removed elsewhere")
def stick(e):
    desks = e.people(13)
    dc, fs = e.servers("dc", "file")
    pc, clean, third = desks[4], desks[8], desks[10]
    x = e.registry(pc, e.at(3, "14:02"), "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows Defender\\Exclusions\\Paths",
                   "C:\\Tools", "0", e.run(pc, e.at(3, "14:02") - s(2), "powershell.exe",
                   "powershell Add-MpPreference -ExclusionPath C:\\Tools", user="hd.kim", level="High"), "Dword")
    t = e.at(e.workday(12), "15:16")
    e.event(pc, t - s(20), "PnpDeviceConnected", None, {"ClassName": "USB", "DeviceDescription": "Mass Storage"})
    u = e.event(pc, t - s(15), "UsbDriveMounted", None, {"DriveLetter": "D:", "ProductName": "Promo 8GB",
                                                         "SerialNumber": "70F1"})
    c = e.run(pc, t, "cmd.exe", '"C:\\Windows\\System32\\cmd.exe" /c "start D:\\.data\\photo.exe & exit"')
    p = e.run(pc, t + s(2), "D:\\.data\\photo.exe", "D:\\.data\\photo.exe", c, content="usb worm p")
    a = e.rule(pc, t + s(2), "scid-2511", p)
    e.entry(pc, t, ["T1091", "T1204.002"], "removable-media", [u, c, p])
    e.cause(pc, "T1091 T1204.002", "scid-2511", "would-have-blocked",
            "the rule for programs from sticks audited this very start",
            same=("usb.control",), rows=[a, p], audit=True)
    f = e.file(pc, t + s(9), "FileCreated", "C:\\Tools\\svch.exe", p, content="usb worm body")
    q = e.run(pc, t + s(14), "C:\\Tools\\svch.exe", "C:\\Tools\\svch.exe -k", p, content="usb worm body")
    k = t + h(2)
    u2 = e.event(clean, k - s(9), "UsbDriveMounted", None, {"DriveLetter": "E:", "ProductName": "Promo 8GB",
                                                            "SerialNumber": "70F1"})
    d = e.detection(clean, k, "E:\\.data\\svch.exe", "Worm:Win32/Promo.A", True, content="usb worm body")
    e.held(clean, "T1091", "scid-2012", k, "removed before it started", [u2, d])
    e.cause(pc, "T1204.002 T1105", "av.exclusion", "would-have-blocked",
            "the folder was excluded nine days before by the helpdesk; elsewhere the same file was removed", rows=[x,
                f, d])
    run_key(e, pc, t + s(20), q, "svch", "C:\\Tools\\svch.exe -k")
    beacon(e, pc, t + m(2), q, "203.0.113.88", "dns1.promo-fair.example.org", 20, 7300)
    o = [e.file(pc, t + m(30) + s(i), "FileCreated", f"C:\\Tools\\~k\\{i}.dat", q) for i in range(8)]
    e.harm(pc, t + m(30), "T1005", "data-staged", "documents gathered by the worm", o[:2])
    n = e.net(pc, t + h(4), q, "203.0.113.88", 443, "dns1.promo-fair.example.org", "ConnectionSuccess")
    e.decoy(third, "scid-2511", "off, no stick was put in")
    e.decoy(fs, "scid-2021", "off, never reached")
    e.late = 0.02
