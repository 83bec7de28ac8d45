"""Quiet estates: nothing happened, and much of it looks as if something had."""
from kit.acts import encoded

from . import estate
from .steps import h, m, s


@estate("quiet-scanner-habit", "A yearly contract with testers who knock every week, with alerts about it")
def scanner(e):
    e.people(23)
    dc, fs, app = e.servers("dc", "file", "app")
    e.admin()
    box = e.device("PT-BOX", "linux", "90.5", "scanner")
    for n in range(1, e.days - 1, 3):
        for i, to in enumerate((dc, fs, app)):
            t = e.at(n, "21:00") + m(3 * i)
            p = e.run(box, t, "/usr/bin/nmap", f"nmap -sV -p- {to.ip}", e.base(box, "bash", user="tester",
                path="/usr/bin/bash"), user="tester")
            for port in (135, 139, 445, 3389, 5985): e.net(box, t + s(port / 90), p, to, port)
            for u in ("administrator", "svc.backup", "sa"): e.logon(to, t + s(70), u, "Network", box, ok=False)
            q = e.run(box, t + m(2), "/usr/bin/crackmapexec", f"crackmapexec smb {to.ip} -u users.txt -p Winter2026", p)
        r = e.alert(dc, t, "Suspicious LDAP enumeration", "Discovery", "Medium", ["T1087.002"])
        if n == 7: e.benign(dc, t, "scan", "the testers of the yearly contract, every third evening", r)
    e.decoy(fs, "scid-2509", "off; nobody read lsass")
    e.decoy(app, "CVE-2023-28252", "open, not used")


@estate("quiet-developers",
        "A house of programmers: compilers, containers, tunnels, tools that look like an intruder's")
def developers(e):
    devs = e.people(20, mix="w11 w11 mac")
    e.servers("dc")
    ci = e.device("BUILD-7", "linux", "8.7", "app")
    for d in devs:
        if not d.windows: continue
        for n in range(1, e.days - 1):
            if e.rng.random() < 0.5: continue
            t = e.at(n, "10:00") + m(e.rng.randint(0, 560))
            c = e.run(d, t, "C:\\Program Files\\Microsoft VS Code\\Code.exe", "Code.exe .")
            b = e.run(d, t + m(4), "powershell.exe",
                      f"powershell -NoProfile -ExecutionPolicy Bypass -EncodedCommand {encoded('npm ci')}", c)
            x = f"C:\\src\\tool{e.rng.randint(1, 9)}\\target\\debug\\app.exe"
            f = e.file(d, t + m(9), "FileCreated", x, b)
            e.run(d, t + m(10), x, x, b, content=f"build {n}{d.name}")
            e.run(d, t + m(20), "C:\\Windows\\System32\\OpenSSH\\ssh.exe", f"ssh -L 5432:db:5432 build@{ci.ip}", b)
            e.net(d, t + m(20) + s(1), b, ci, 22)
            e.logon(ci, t + m(20) + s(2), "build", "Network", d)
            if n == 9: e.benign(d, t + m(9), "data-staged", "a program of one's own", [f])
    d = next(x for x in devs if x.windows)
    t = e.at(11, "16:05")
    p = e.run(d, t, "C:\\src\\memtool\\procdump64.exe", "procdump64.exe -ma node.exe C:\\dumps\\node.dmp")
    f = e.file(d, t + s(4), "FileCreated", "C:\\dumps\\node.dmp", p, size=300_000_000)
    e.benign(d, t, "credentials-stolen", "a dump of one's own program, not of lsass", [p, f])
    dt = e.detection(d, e.at(12, "11:11"), "C:\\src\\eicar.com", "Virus:DOS/EICAR_Test_File", True)
    e.alert(d, e.at(12, "11:11"), "'EICAR_Test_File' malware was prevented", "Malware", "Informational", ["T1204.002"])


@estate("quiet-migration",
        "A moving week: antivirus passive for a day, tamper protection lifted, disks encrypted by the owner")
def migration(e):
    desks = e.people(34)
    servers = e.servers("dc", "file", "backup", "app", "db")
    adm = e.admin()
    for i, d in enumerate(servers + desks[:6]):
        t = e.at(12, "20:00") + m(25 * i)
        sh = e.run(d, t, "powershell.exe", "powershell -File \\\\deploy\\move\\step1.ps1", e.base(d, "CcmExec.exe"))
        p = e.run(d, t + m(1), "powershell.exe", "powershell Set-MpPreference -DisableRealtimeMonitoring $true", sh)
        r = e.registry(d, t + m(1) + s(1),
                       "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows Defender\\Real-Time Protection",
                       "DisableRealtimeMonitoring", "1", e.base(d, "MsMpEng.exe"), "Dword")
        b = e.run(d, t + m(50), "powershell.exe", "powershell Set-MpPreference -DisableRealtimeMonitoring $false", sh)
        e.registry(d, t + m(50) + s(1),
                   "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows Defender\\Real-Time Protection",
                   "DisableRealtimeMonitoring", "0", e.base(d, "MsMpEng.exe"), "Dword")
        e.benign(d, t + m(1), "protection-disabled",
                 "the deployment's own script on all servers, on again after 49 minutes", [p, r])
        q = e.run(d, t + m(52), "shutdown.exe", 'shutdown /r /t 30 /c "move step 1"', sh)
        e.benign(d, t + m(52), "device-restarted", "agreed restart", [q])
    fs = servers[1]
    t = e.at(13, "06:00")
    rb = e.run(fs, t, "robocopy.exe", "robocopy D:\\Data \\\\newfs\\Data /MIR /COPYALL /MT:32", e.base(fs,
        "svchost.exe"))
    e.net(fs, t + s(2), rb, f"{e.net_it}.1.99", 445)
    ren = [e.file(fs, t + h(2) + s(i / 5), "FileRenamed", f"D:\\Data\\Old\\{i:04}.docx.moved", rb,
                  PreviousFileName=f"{i:04}.docx")
           for i in range(80)]
    e.benign(fs, t + h(2), "files-encrypted", "the mover marks what it has copied", ren[:2])
    for i, d in enumerate(desks[:15]):
        t = e.at(13, "09:00") + m(12 * i)
        p = e.run(d, t, "C:\\Windows\\System32\\manage-bde.exe", "manage-bde -on C: -RecoveryPassword", e.base(d,
            "CcmExec.exe"))
        if i == 0: e.benign(d, t, "files-encrypted", "disks encrypted by their owner on many desks", [p])


@estate("quiet-small", "Five machines, few tables, no alert")
def small(e):
    e.people(4, mix="w10 mac")
    e.device("NAS-PC", "s16", "1.3", "file")
    e.missing |= {"AlertInfo", "AlertEvidence", "DeviceImageLoadEvents", "DeviceBaselineComplianceAssessment",
                  "DeviceTvmSoftwareVulnerabilities", "DeviceTvmSoftwareVulnerabilitiesKB", "MDELogonUsers_CL",
                  "DeviceNetworkInfo"}
    return ("scanner", "management", "rounds")


@estate("quiet-onboarding", "Forty joiners in a week: accounts, groups, machines, tools and a renamed row of desks")
def onboarding(e):
    desks = e.people(38)
    dc, fs, app = e.servers("dc", "file", "app")
    adm = e.admin()
    for i in range(40):
        t = e.at(8 + i // 10, "08:30") + m(7 * (i % 10))
        sh = e.run(dc, t, "powershell.exe", f"powershell New-ADUser -Name join{i:02} -Enabled $true", e.base(
            dc, "wsmprovhost.exe", user=e.admin_user), user=e.admin_user)
        r = e.event(dc, t + s(2), "UserAccountCreated", e.base(dc, "lsass.exe"), AccountName=f"join{i:02}",
                    AccountDomain=e.org)
        g = e.event(dc, t + s(5), "SecurityGroupMemberAdded", e.base(dc, "lsass.exe"), {"GroupName": "Sales"},
                    AccountName=f"join{i:02}",
                    AccountDomain=e.org)
        if i % 13 == 0:
            e.benign(dc, t + s(2), "account-created", "joiners", [r])
            e.benign(dc, t + s(5), "account-changed", "joiners", [g])
    for d in desks[:10]:
        d.former, d.renamed = f"DESKTOP-{d.id[:7].upper()}", e.at(9, "11:00")
        t = e.at(9, "11:00")
        e.run(d, t, "powershell.exe", f"powershell Rename-Computer -NewName {d.name} -Restart", e.base(d,
            "svchost.exe"))
        q = e.event(d, t + h(1), "UserAccountAddedToLocalGroup", e.base(d, "lsass.exe"),
                    {"GroupName": "Administrators"},
                    AccountName="deskadmins", AccountDomain=e.org)
    for d in desks[10:30]:
        t = e.at(10, "12:00") + m(e.rng.randint(0, 200))
        p = e.run(d, t, "msiexec.exe", "msiexec /i \\\\deploy\\anydesk-corp.msi /qn", e.base(d, "CcmExec.exe"))
        if d is desks[10]: e.benign(d, t, "remote-tool-installed", "the estate's own tool on twenty desks", [p])
    e.late = 0.05
