"""More quiet estates: a plant at rest and at work, Linux farms, alarms without a fire."""
from . import estate
from .plants import works
from .steps import h, m, s


@estate("quiet-overhaul",
        "A plant's overhaul: programs, firmware, stops, suppliers, all through the jump host in the day")
def overhaul(e):
    desks, jump, ews, hmi, hist, plcs = works(e, 6)
    tool = e.base(ews, "Portal.exe", user="eng1",
                  path="C:\\Program Files\\Siemens\\Automation\\Portal V17\\bin\\Portal.exe")
    why = "overhaul: the plant's engineer from his project folder, through the jump host, in the day"
    for n in (13, 14, 15):
        t = e.at(n, "07:30")
        e.logon(jump, t - m(20), "eng1", "RemoteInteractive", e.admin_desk)
        e.logon(ews, t - m(15), "eng1", "RemoteInteractive", jump)
        e.sense(t - m(15), "REMOTE_ACCESS", f"RDP connection from {jump.ip} to {ews.ip}.")
        for i, p in enumerate(plcs[n % 2::2]):
            e.file(ews, t + m(18 * i) - s(40), "FileModified", f"D:\\Projects\\Overhaul26\\{p.name}.ap17", tool)
            r = e.program(t + m(18 * i), ews, p, tool)
            e.benign(p, t + m(18 * i) + s(50), "plc-program-changed", why, [r["program"]])
            e.benign(p, t + m(18 * i) + s(30), "plc-mode-changed", why, [r["mode"]])
    t = e.at(15, "10:00")
    f = e.sense(t, "FIRMWARE_UPDATE", f"Host {ews.ip} updated the firmware of {plcs[0].ip}.")
    e.benign(plcs[0], t, "plc-firmware-changed", "announced update", [f])
    k = e.run(hmi, e.at(14, "12:00"), "taskkill.exe", "taskkill /im WinCCExplorer.exe", e.base(hmi, "explorer.exe"))
    w = e.warn(e.at(14, "12:03"), "Device is Suspected to be Disconnected (Unresponsive)",
               f"{hmi.ip} does not answer.", None, hmi, "Major",
               "Operational")
    e.benign(hmi, e.at(14, "12:00"), "service-stopped", "the operator restarts the screen", [k])
    e.benign(hmi, e.at(14, "12:03"), "view-lost", "the operator restarts the screen", [w])


@estate("quiet-farm", "A farm of Linux servers: rotation, cleaning, keys rolled by a tool, a load test")
def farm(e):
    e.people(6)
    boxes = [e.device(f"srv{i:02}", "linux", f"11.{i + 10}", "app") for i in range(1, 41)]
    for i, d in enumerate(boxes):
        t = e.at(9, "03:00") + m(i)
        init = e.base(d, "systemd", user="root", path="/usr/lib/systemd/systemd")
        cron = e.base(d, "cron", user="root", path="/usr/sbin/cron")
        sh = e.run(d, t, "/usr/bin/python3", "/usr/bin/python3 /opt/keyroll/agent.py", init)
        f = e.file(d, t + s(2), "FileModified", "/root/.ssh/authorized_keys", sh)
        if i == 0: e.benign(d, t + s(2), "persistence-added", "keys are rolled on all servers by the estate's tool",
                            [f])
        for n in range(1, e.days - 1, 2):
            c = e.run(d, e.at(n, "02:00") + m(i), "/usr/bin/find", "find /var/tmp -mtime +7 -delete", cron)
            rows = [e.file(d, e.at(n, "02:00") + m(i) + s(1 + j / 5), "FileDeleted", f"/var/tmp/job{j}.tmp",
                           c) for j in range(6)]
            if i == 3 and n == 9: e.benign(d, e.at(n, "02:00") + m(i), "data-destroyed", "old files are cleaned away",
                                           rows[:2])
    d, t = boxes[7], e.at(11, "14:00")
    p = e.run(d, t, "/usr/bin/stress-ng", "stress-ng --cpu 0 --timeout 2h", e.base(d, "bash", user="ops",
        path="/usr/bin/bash"), user="ops")
    e.benign(d, t, "resource-hijacked", "a load test", [p])
    for i in range(60): e.logon(boxes[2], e.at(6, "00:00") + m(11 * i), "monitor", "Network", ("icinga",
        f"{e.net_it}.1.88"), ok=i % 5 > 0)
    e.missing |= {"DeviceImageLoadEvents", "DeviceRegistryEvents"}


@estate("quiet-alerts", "Nine alerts, each about something harmless")
def alerts(e):
    desks = e.people(27)
    dc, fs, app, db = e.servers("dc", "file", "app", "db")
    e.admin()
    x = desks[4]
    p = e.run(x, e.at(8, "10:31"), "C:\\Users\\Public\\keygen.exe", "keygen.exe", content="pua keygen")
    d = e.detection(x, e.at(8, "10:31", 1), "C:\\Users\\Public\\keygen.exe", "PUA:Win32/Keygen", True, p,
                    content="pua keygen")
    e.alert(x, e.at(8, "10:31"), "'Keygen' unwanted software was prevented", "UnwantedSoftware", "Low", ["T1204.002"],
            p)
    for i, title in enumerate(("Suspicious PowerShell command line", "Anomalous token", "Suspicious service launched",
                               "Network traffic to a risky host", "Suspected credential theft activity")):
        e.alert(desks[8 + i], e.at(9 + i % 3, "12:00"), title, "SuspiciousActivity", "High" if i == 4 else "Medium",
                ["T1059.001"])
    t = e.at(10, "02:00")
    pd = e.run(app, t, "C:\\Tools\\procdump64.exe", "procdump64.exe -ma w3wp.exe D:\\dumps\\w3wp.dmp", e.base(app,
        "svchost.exe"))
    f = e.file(app, t + s(3), "FileCreated", "D:\\dumps\\w3wp.dmp", pd, size=900_000_000)
    e.benign(app, t, "credentials-stolen", "a dump of the web server for its maker", [pd, f])
    e.alert(app, t, "Suspicious use of ProcDump", "CredentialAccess", "High", ["T1003.001"], pd)
    t = e.at(11, "04:00")
    b = e.run(db, t, "C:\\Program Files\\Microsoft SQL Server\\110\\Tools\\Binn\\SQLCMD.EXE",
              "SQLCMD.EXE -Q \"EXEC xp_cmdshell 'dir D:\\backup'\"", e.base(db, "svchost.exe"))
    for n in range(2, e.days - 1):
        q = e.run(db, e.at(n, "04:00", 5), "cmd.exe", '"C:\\Windows\\system32\\cmd.exe" /c dir D:\\backup', e.base(
            db, "sqlservr.exe", user="mssqlserver",
            path="C:\\Program Files\\Microsoft SQL Server\\MSSQL15.MSSQLSERVER\\MSSQL\\Binn\\sqlservr.exe"))
    e.benign(db, e.at(11, "04:00"), "script", "a nightly job of the database's owner", [b])
    e.decoy(dc, "CVE-2020-1472", "open, not used")
    e.decoy(desks[2], "scid-2501", "off; no macro ran")


@estate("quiet-restore-drill",
        "A drill: the backup team deletes copies, restores a controller of the domain and clears a test log")
def drill(e):
    e.people(14)
    dc, fs, bk = e.servers("dc", "file", "backup")
    adm = e.admin()
    lab = e.device("LAB-DR1", "s19", "77.4", "app")
    for n in (3, 6, 9, 12, 15):
        t = e.at(n, "13:00")
        e.logon(lab, t, e.admin_user, "RemoteInteractive", adm, admin=True)
        sh = e.run(lab, t + m(1), "powershell.exe", "powershell -File C:\\Drill\\drill.ps1", e.base(lab,
            "explorer.exe", user=e.admin_user),
                   user=e.admin_user, level="High")
        a = e.run(lab, t + m(2), "vssadmin.exe", "vssadmin delete shadows /all /quiet", sh)
        b = e.run(lab, t + m(9), "ntdsutil.exe", 'ntdsutil "activate instance ntds" "files" info q q', sh)
        c = e.run(lab, t + m(20), "wevtutil.exe", "wevtutil cl DrillTest", sh)
        if n == 15:
            e.benign(lab, t + m(2), "recovery-inhibited",
                     "a drill on the same weekday hours on a lab server, as before", [a])
            e.benign(lab, t + m(20), "logs-cleared", "the drill's own log", [c])
    e.decoy(lab, "scid-2003", "off in the laboratory")
