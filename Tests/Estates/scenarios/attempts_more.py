"""More attempts that were stopped: a patched server, an insider without rights, a controller with its key in Run."""
from . import estate
from .plants import works
from .steps import h, m, s


@estate("patched-portal", "The internet tries a flaw that was mended in time; what was written is removed")
def patched(e):
    e.people(12)
    e.servers("dc", "file")
    e.admin()
    sp = e.device("PORTAL2", "s19", "1.41", "web", facing=True)
    sp.cves["CVE-2025-53770"] = e.at(6, "22:40")
    w3 = e.base(sp, "w3wp.exe", user="sp_farm",
                command='c:\\windows\\system32\\inetsrv\\w3wp.exe -ap "SharePoint - 80"')
    e.run(sp, e.at(6, "21:30"), "wusa.exe", "wusa.exe KB5002754.msu /quiet", e.base(sp, "svchost.exe"))
    t, ip = e.at(12, "07:44"), "203.0.113.203"
    n = [e.net(sp, t + s(i * 3), w3, ip, 443, action="InboundConnectionAccepted") for i in range(40)]
    k = t + m(4)
    f = e.file(sp, k, "FileCreated", "C:\\Windows\\Temp\\upload\\a1.aspx", w3, content="aspx probe", size=900)
    d = e.detection(sp, k + s(1), f["FolderPath"], "Backdoor:ASP/Webshell.K", True, w3, content="aspx probe")
    e.held(sp, "T1190", "patch.cve", t, "the flaw was mended eight days before", n[:2])
    e.held(sp, "T1505.003", "scid-2012", k + s(1), "an uploaded page was removed at once", [f, d])
    e.verdict = "prevented"
    e.decoy(sp, "scid-2509", "off; nothing ran")


@estate("insider-refused", "A colleague tries doors that stay shut")
def shut(e):
    desks = e.people(16)
    dc, fs = e.servers("dc", "file")
    e.admin()
    pc = desks[3]
    t = e.at(e.workday(12), "19:20")
    c = e.run(pc, t, "cmd.exe", "cmd.exe")
    rows = []
    for i, to in enumerate(desks[8:14]):
        e.run(pc, t + m(i), "net.exe", f"net use \\\\{to.name}\\C$ /user:{to.name}\\administrator *", c)
        rows.append(e.logon(to, t + m(i) + s(2), "administrator", "Network", pc, ok=False, domain=to.name.lower()))
        e.keep.setdefault(to.name, set()).update({"scid-84", "scid-52", "scid-3010"})
    e.held(desks[8], "T1078.003", "scid-84", t + s(2), "each desk has a password of its own", rows[:1])
    l = e.logon(fs, t + m(9), pc.user, "RemoteInteractive", pc, ok=False, reason="LogonTypeNotGranted")
    e.held(fs, "T1021.001", "id.tiering", t + m(9), "no right to log on there", [l])
    u = e.event(pc, t + m(15), "PnpDeviceBlocked", e.base(pc, "svchost.exe"), {"ClassName": "DiskDrive",
        "DeviceDescription": "USB Disk"})
    e.held(pc, "T1052.001", "usb.control", t + m(15), "the stick was refused", [u])
    e.verdict = "prevented"
    e.decoy(desks[1], "scid-84", "off, never tried")
    e.missing |= {"AlertInfo", "AlertEvidence"}


@estate("key-in-run", "A notebook on the plant network tries to program; the controllers refuse")
def key(e):
    desks, jump, ews, hmi, hist, plcs = works(e, 4)
    x = e.controller("10.x-notebook", f"{e.net_ot}.1.199", "Dell", None, None, None, "Unknown", "Process", "unknown")
    t = e.at(16, "22:31")
    a = e.sense(t, "DEVICE_CREATE", f"Device {x.ip} was detected.")
    w = e.warn(t + m(1), "New Device Detected", f"{x.ip} is new in this network.", x, None, "Minor")
    b = [e.sense(t + m(4 + i), "SRTP_CHANGE_LEVEL_FAILED",
                 f"Host {x.ip} failed to change the access level of controller {p.ip}.")
         for i, p in enumerate(plcs)]
    v = e.warn(t + m(6), "PLC Programming Attempt Rejected", f"{plcs[1].ip} refused {x.ip}.", x, plcs[1], "Major")
    for i, p in enumerate(plcs): e.held(p, "T0843", "ot.auth", t + m(4 + i), "the access level was not given", [b[i]])
    e.verdict = "prevented"
    e.decoy(plcs[0], "ot.comm_auth", "the protocol is plain, yet the controller refused")
    return ("people",)
