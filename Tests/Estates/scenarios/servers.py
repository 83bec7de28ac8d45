"""Intruders who came through a flaw of a Windows server."""
from . import estate
from .steps import (beacon, clear, encrypt, h, inhibit, lsass, m, psexec, rdp, s, send, ssh, stage, stop, wmi)


@estate("exchange-webshell", "A mail server two years behind; a page below its web root; the domain in a night")
def exchange(e):
    e.people(16)
    dc, fs, mail = e.servers("dc", "file", "exchange")
    e.admin()
    mail.facing = True
    for n in range(3, 15, 4):
        e.net(mail, e.at(n, "15:00"), e.base(mail, "w3wp.exe"), f"192.0.2.{n + 20}", 443,
              action="InboundConnectionAccepted")
    t, ip = e.at(16, "01:17"), "203.0.113.8"
    w3 = e.base(mail, "w3wp.exe", user="system",
                command='c:\\windows\\system32\\inetsrv\\w3wp.exe -ap "MSExchangeOWAAppPool" -v "v4.0"')
    n = e.net(mail, t, w3, ip, 443, action="InboundConnectionAccepted")
    web = "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\FrontEnd\\HttpProxy\\owa\\auth\\logoff8.aspx"
    f = e.file(mail, t + s(9), "FileCreated", web, w3, size=2208, content="aspx shell 8")
    e.entry(mail, t, ["T1190"], "exploit-public-app", [n, f])
    e.harm(mail, t + s(9), "T1505.003", "persistence-added", "logoff8.aspx", [f])
    e.cause(mail, "T1190 T1505.003", "CVE-2021-34473", "would-have-blocked",
            "open, and the mail server's pool writes the page",
            same=("CVE-2021-26855", "net.exposed"), rows=[n, f])
    e.cause(mail, "T1505.003", "scid-2516", "would-have-blocked", "the rule for this role was off", rows=[f])
    sh = e.run(mail, t + m(6), "cmd.exe", '"cmd.exe" /c whoami & net group "Exchange Trusted Subsystem" /domain', w3)
    p = e.run(mail, t + m(11), "cmd.exe", '"cmd.exe" /c powershell -c rundll32 comsvcs.dll', w3)
    p, rows = lsass(e, mail, t + m(11) + s(2), p, "comsvcs", "C:\\inetpub\\temp\\x.log")
    e.cause(mail, "T1003.001", "scid-2509", "would-have-blocked", "rule and protection of the authority were off",
            same=("scid-25", "scid-2080"), rows=rows)
    e.run(mail, t + m(18), "net.exe", "net user healthmailbox9 Qq!22 /add /domain", p)
    a = e.event(dc, t + m(18) + s(2), "UserAccountCreated", e.base(dc, "lsass.exe"), AccountName="healthmailbox9",
                AccountDomain=e.org)
    e.harm(dc, t + m(18), "T1136.002", "account-created", "healthmailbox9", [a])
    g = e.event(dc, t + m(19), "SecurityGroupMemberAdded", e.base(dc, "lsass.exe"), {"GroupName": "Domain Admins"},
                AccountName="healthmailbox9", AccountDomain=e.org)
    e.harm(dc, t + m(19), "T1098", "account-changed", "healthmailbox9 among the domain's administrators", [g])
    q = wmi(e, mail, dc, t + m(33), "healthmailbox9", p, "cmd.exe /c vssadmin create shadow /for=C:")
    e.cause(dc, "T1047", "scid-2510", "would-have-blocked", "the rule against children of WMI was off", rows=[q])
    v = e.run(dc, t + m(33) + s(2), "vssadmin.exe", "vssadmin create shadow /for=C:", q)
    c = e.run(dc, t + m(34), "cmd.exe",
              "cmd.exe /c copy \\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy9\\Windows\\NTDS\\ntds.dit C:\\t",
              e.base(dc, "WmiPrvSE.exe"), user="healthmailbox9")
    f = e.file(dc, t + m(34) + s(4), "FileCreated", "C:\\t\\ntds.dit", c, size=77_000_000)
    e.harm(dc, t + m(34), "T1003.003", "credentials-stolen", "the directory's database", [v, c, f])
    clear(e, mail, t + m(50), p)
    e.decoy(fs, "scid-2509", "off, never reached")
    e.decoy(dc, "CVE-2020-1472", "open, not used")
    e.gaps.append(("DeviceNetworkEvents", fs, e.at(12, "00:00"), e.at(18, "00:00")))


@estate("sharepoint-keys", "A portal without its fix; machine keys read; a ransom on two servers by PsExec")
def sharepoint(e):
    e.people(20)
    dc, fs, app, db = e.servers("dc", "file", "app", "db")
    e.admin()
    sp = e.device("PORTAL1", "s19", "1.40", "web", facing=True)
    t, ip = e.at(15, "13:08"), "203.0.113.145"  # in the middle of the day, among ordinary visitors
    w3 = e.base(sp, "w3wp.exe", user="sp_farm",
                command='c:\\windows\\system32\\inetsrv\\w3wp.exe -ap "SharePoint - 80"')
    for i in range(25): e.net(sp, e.at(2 + i % 14, "11:00") + m(i), w3, f"198.51.100.{120 + i}", 443,
                              action="InboundConnectionAccepted")
    n = e.net(sp, t, w3, ip, 443, action="InboundConnectionAccepted")
    c = e.run(sp, t + s(4), "cmd.exe", '"cmd.exe" /c powershell -EncodedCommand JABiAGEAcwBlADYANAA=', w3)
    p = e.run(sp, t + s(5), "powershell.exe", "powershell -EncodedCommand JABiAGEAcwBlADYANAA=", c)
    f = e.file(sp, t + s(9), "FileCreated",
               "C:\\PROGRA~1\\COMMON~1\\MICROS~1\\WEBSER~1\\16\\TEMPLATE\\LAYOUTS\\spinst0.aspx", p,
               content="aspx keys", size=756)
    e.entry(sp, t, ["T1190"], "exploit-public-app", [n, c, f])
    e.harm(sp, t + s(9), "T1505.003", "persistence-added", "spinst0.aspx", [f])
    e.cause(sp, "T1190 T1505.003", "CVE-2025-53770", "would-have-blocked", "open; the portal's pool starts the shell",
            same=("net.exposed",), rows=[n, c])
    e.logon(sp, e.at(14, "15:20"), e.admin_user, "RemoteInteractive", e.admin_desk, admin=True)
    ps = e.run(sp, t + h(5), "cmd.exe", '"cmd.exe" /c C:\\ProgramData\\pd64.exe', w3, user="sp_farm")
    d, rows = lsass(e, sp, t + h(5) + s(2), ps, "procdump", "C:\\ProgramData\\l.dmp")
    e.cause(sp, "T1003.001", "scid-2509", "would-have-blocked", "the rule audited this very tool",
            same=("scid-25", "scid-2080"), rows=[e.rule(sp, t + h(5) + s(3), "scid-2509", d), *rows], audit=True)
    for i, to in enumerate((fs, db)):
        k = t + h(30) + m(15 * i)
        q = psexec(e, sp, to, k, e.admin_user, ps, "cmd.exe /c start", "winupd", "C:\\Windows\\wupd.exe",
                   "C:\\ProgramData\\psx.exe")
        e.cause(to, "T1569.002", "scid-2510", "would-have-blocked", "the rule was off", rows=[q])
        lk = e.run(to, k + m(3), "C:\\Windows\\Temp\\wl.exe", "C:\\Windows\\Temp\\wl.exe /full", q, content="warlock")
        stop(e, to, k + m(3) + s(4), lk, "MSSQLSERVER" if to is db else "LanmanServer")
        rows = encrypt(e, to, k + m(4), lk, ".x2anylock", "How to decrypt my data.log", 30)
        e.cause(to, "T1486", "scid-2508", "would-have-blocked", "rule off, no controlled folders", same=("scid-2021",),
                rows=rows[:2])
    e.decoy(app, "scid-2510", "off, never reached")
    e.decoy(app, "scid-2508", "off, never reached")
    e.alert(sp, e.at(5, "09:00"), "Potentially unwanted application", "UnwantedSoftware", "Low", ["T1204.002"])


@estate("buildserver-deface", "A build server without its fix; through it to the web farm; the front page is replaced")
def buildserver(e):
    e.people(11)
    e.servers("dc")
    ci = e.device("CI01", "s22", "8.4", "app", facing=True)
    w1, w2 = e.device("WWW1", "linux", "8.21", "web", facing=True), e.device("WWW2", "linux", "8.22", "web",
        facing=True)
    ci.software.append(("jetbrains", "teamcity", "2023.11.3"))
    jv = e.base(ci, "java.exe", user="teamcity", path="C:\\TeamCity\\jre\\bin\\java.exe",
                command="C:\\TeamCity\\jre\\bin\\java.exe -Dteamcity.server org.apache.catalina.startup.Bootstrap")
    e.locals.add("deploy")
    for n in range(1, 20):  # the builds of every day
        b = e.run(ci, e.at(n, "10:30"), "cmd.exe", "cmd.exe /c C:\\BuildAgent\\work\\build.cmd", e.base(
            ci, "TeamCityAgent.exe", user="teamcity", path="C:\\BuildAgent\\launcher\\TeamCityAgent.exe"))
        e.net(ci, e.at(n, "10:34"), b, w1, 22)
        e.logon(w1, e.at(n, "10:34", 2), "deploy", "Network", ci)
    t, ip = e.at(18, "23:03"), "203.0.113.99"
    n = e.net(ci, t, jv, ip, 8111, action="InboundConnectionAccepted")
    c = e.run(ci, t + s(12), "cmd.exe", "cmd.exe /c whoami & dir C:\\TeamCity\\config", jv)
    e.entry(ci, t, ["T1190"], "exploit-public-app", [n, c])
    e.cause(ci, "T1190", "CVE-2024-27198", "would-have-blocked", "open; the build server's own process starts a shell",
            same=("net.exposed", "scid-114"), rows=[n, c])
    k = e.run(ci, t + m(4), "cmd.exe",
              "cmd.exe /c type C:\\TeamCity\\config\\projects\\pluginData\\ssh_keys\\deploy_rsa", jv)
    e.harm(ci, t + m(4), "T1552.004", "credentials-stolen", "key of the deployment", [k])
    f = e.file(ci, t + m(6), "FileCreated", "C:\\TeamCity\\webapps\\ROOT\\help.jsp", c, size=4410)
    e.harm(ci, t + m(6), "T1505.003", "persistence-added", "help.jsp", [f])
    for i, web in enumerate((w1, w2)):
        q = ssh(e, ci, web, t + m(15 + 6 * i), "deploy", c, "C:\\TeamCity\\deploy_rsa")
        cp = e.run(web, t + m(17 + 6 * i), "/usr/bin/cp", "cp /tmp/i.html /var/www/html/index.html", q)
        f = e.file(web, t + m(17 + 6 * i) + s(1), "FileModified", "/var/www/html/index.html", cp, content="owned page",
                   size=5120)
        e.harm(web, t + m(17 + 6 * i), "T1491.002", "defaced", "front page", [cp, f])
    e.decoy(w1, "CVE-2024-6387", "open, not used")
    e.decoy(ci, "scid-2509", "off; nobody read lsass")
    e.missing |= {"AlertInfo", "AlertEvidence", "DeviceBaselineComplianceAssessment"}
    return ("backup",)
