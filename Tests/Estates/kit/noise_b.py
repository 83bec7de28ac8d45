"""Background of the second author: round the clock, cloud management, Ansible, other tools and other hours."""
import datetime as dt

MIN, SEC, HOUR = dt.timedelta(minutes=1), dt.timedelta(seconds=1), dt.timedelta(hours=1)
WEB = [("sharepoint.example.com", "192.0.2.18"), ("mail.example.com", "192.0.2.19"), ("crm.example.org", "192.0.2.40"),
       ("cdn.updates.example", "192.0.2.77"), ("search.example.com", "192.0.2.5"), ("maps.example.org", "192.0.2.90")]
INTUNE = "C:\\Program Files (x86)\\Microsoft Intune Management Extension\\"


def noise(e, skip=()):
    """Fills every day of the estate; `skip` leaves parts out."""
    parts = {"desks": desks, "system": system, "unix": unix, "backup": backup, "rounds": rounds, "scanner": scanner,
             "patches": patches, "management": management, "helpdesk": helpdesk, "people": people, "plant": plant}
    for name, part in parts.items():
        if name not in skip: part(e)


def _some(e, chance):
    """Days of the window, each with a chance, and a moment in it."""
    for n in range(1, e.days - 1):
        if e.rng.random() < chance: yield n, e.at(n, "00:00") + e.rng.uniform(0, 1439) * MIN


def _windows(e): return [d for d in e.devices.values() if d.windows and d.agent]


def desks(e):
    """Shifts and home offices: unlocks, Chrome, OneDrive, chat; little of each."""
    app = next((d for d in e.devices.values() if d.role in ("app", "file")), None)
    for dev in [d for d in _windows(e) if d.role == "client"]:
        shift = e.rng.choice([5, 7, 8, 9, 13, 21])
        for n in range(1, e.days - 1):
            if (e.start + dt.timedelta(days=n)).weekday() > 4 and e.rng.random() < 0.8: continue
            t = e.at(n, f"{shift}:00") + e.rng.uniform(0, 35) * MIN
            for _ in range(e.rng.randint(1, 3)):
                e.logon(dev, t, dev.user, e.rng.choice(["Unlock", "Interactive", "CachedInteractive"]), admin=False)
                t += e.rng.uniform(40, 160) * MIN
            shell = e.base(dev, "explorer.exe")
            if e.rng.random() < 0.6:
                name, ip = e.rng.choice(WEB)
                p = e.run(dev, t, "chrome.exe",
                          f'"C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe" -- "https://{name}/"',
                          shell)
                e.net(dev, t + SEC, p, ip, 443, name)
                if e.rng.random() < 0.1:
                    e.net(dev, t + 5 * MIN, p, ip, 443, name, "ConnectionSuccessAggregatedReport",
                          AdditionalFields='{"uniqueEventsAggregated":17}')
                if e.rng.random() < 0.25:
                    pdf = f"C:\\Users\\{dev.user}\\Downloads\\report_{e.rng.randint(1, 400)}.pdf"
                    e.file(dev, t + 40 * SEC, "FileCreated", pdf, p, FileOriginUrl=f"https://{name}/files")
            if e.rng.random() < 0.3:
                sync = e.base(dev, "OneDrive.exe")
                for i in range(e.rng.randint(2, 7)):
                    e.file(dev, t + (300 + i) * SEC, "FileRenamed",
                           f"C:\\Users\\{dev.user}\\OneDrive\\Project {i}\\notes v{e.rng.randint(2, 9)}.docx", sync,
                           PreviousFileName=f"notes{i}.docx")
            if app and e.rng.random() < 0.2: e.logon(app, t + 6 * MIN, dev.user, "Network", dev)


def system(e):
    """Housekeeping of Windows, seldom and at odd hours."""
    calls = [("C:\\Windows\\System32\\MoUsoCoreWorker.exe", "C:\\Windows\\System32\\mousocoreworker.exe -Embedding"),
             ("C:\\Windows\\System32\\CompatTelRunner.exe",
              "C:\\Windows\\system32\\compattelrunner.exe -m:appraiser.dll"),
             ("rundll32.exe",
              "C:\\Windows\\system32\\rundll32.exe Windows.Storage.ApplicationData.dll,CleanupTemporaryState"),
             ("C:\\Windows\\System32\\defrag.exe", "C:\\Windows\\system32\\defrag.exe -c -h -o -$"),
             ("C:\\Windows\\System32\\sdbinst.exe", "C:\\Windows\\System32\\sdbinst.exe -m -bg"),
             ("wmiprvse.exe", "C:\\Windows\\system32\\wbem\\wmiprvse.exe -Embedding")]
    for dev in _windows(e):
        for n, t in _some(e, 0.8):
            path, command = e.rng.choice(calls)
            e.run(dev, t, path, command, e.base(dev, "svchost.exe"))
        for n, t in _some(e, 0.2):
            e.event(dev, t, "OpenProcessApiCall", e.base(dev, "MsMpEng.exe"), {"DesiredAccess": 4096},
                    FileName="lsass.exe", FolderPath="C:\\Windows\\System32\\lsass.exe")
        for n, t in _some(e, 0.08):
            e.event(dev, t, "ScheduledTaskUpdated", e.base(dev, "svchost.exe"),
                    {"TaskName": "\\Microsoft\\Office\\Office ClickToRun Service Monitor"})


def unix(e):
    """Ansible runs, unattended upgrades, journal cleaning, containers that come and go."""
    for dev in [d for d in e.devices.values() if d.kind == "linux" and d.agent]:
        init = e.base(dev, "systemd", user="root", path="/usr/lib/systemd/systemd", command="/sbin/init")
        for n in range(1, e.days - 1):
            t = e.at(n, "04:40") + e.rng.uniform(0, 6) * MIN
            e.logon(dev, t, "ansible", "Network", ("cm01", f"{e.net_it}.1.240"))
            sh = e.run(dev, t + SEC, "/usr/bin/dash", '/bin/sh -c "/usr/bin/python3 /home/ansible/.ansible/tmp/'
                       'AnsiballZ_service.py"', e.base(dev, "sshd", user="ansible", path="/usr/sbin/sshd"),
                       user="ansible")
            e.run(dev, t + 2 * SEC, "/usr/bin/sudo", "sudo -H -S -n -u root /bin/sh -c systemctl restart rsyslog", sh)
            if n % 3 == 0:
                e.run(dev, t + 70 * MIN, "/usr/bin/unattended-upgrade", "/usr/bin/python3 /usr/bin/unattended-upgrade",
                      init)
                e.run(dev, t + 80 * MIN, "/usr/bin/journalctl", "journalctl --vacuum-time=14d", init)
    for dev in [d for d in e.devices.values() if d.kind == "mac" and d.agent]:
        ld = e.base(dev, "launchd", user="root", path="/sbin/launchd", command="/sbin/launchd")
        for n, t in _some(e, 0.8):
            e.logon(dev, t, dev.user, "Interactive")
            e.run(dev, t + 20 * MIN, "/usr/local/jamf/bin/jamf",
                  "/usr/local/jamf/bin/jamf policy -randomDelaySeconds 300", ld)


def backup(e):
    """Versions are thinned out each evening; archives go to the company's own cloud with a known tool."""
    for dev in [d for d in e.devices.values() if d.role in ("file", "db", "app") and d.windows][:3]:
        agent = e.base(dev, "CVD.exe", user="system", path="C:\\Program Files\\Commvault\\ContentStore\\Base\\cvd.exe")
        for n in range(1, e.days - 1):
            t = e.at(n, "20:15") + e.rng.uniform(0, 150) * SEC
            p = e.run(dev, t, "wbadmin.exe", "wbadmin delete backup -keepVersions:14 -quiet", agent)
            if n == 8: e.benign(dev, t, "recovery-inhibited", "old versions are thinned out every evening", [p])
            z = e.run(dev, t + 40 * MIN, "C:\\Program Files\\7-Zip\\7z.exe",
                      f"7z a -mx1 E:\\stage\\export-{(e.start + dt.timedelta(days=n)):%Y%m%d}.7z D:\\Export", agent)
            f = e.file(dev, t + 41 * MIN, "FileCreated", f"E:\\stage\\export-{n}.7z", z, size=700_000_000)
            c = e.run(dev, t + 55 * MIN, "C:\\Ops\\rclone.exe", "rclone sync E:\\stage vault:archive --bwlimit 20M",
                      agent)
            r = e.net(dev, t + 56 * MIN, c, "192.0.2.140", 443, f"{e.org}vault.blob.example")
            if n == 8:
                e.benign(dev, t + 41 * MIN, "data-staged", "nightly export", [f])
                e.benign(dev, t + 56 * MIN, "data-exfiltrated", "the company's own cloud backup, every evening", [r])


def rounds(e):
    """The administrator uses PowerShell remoting and WMI from one desk, at any hour."""
    desk = getattr(e, "admin_desk", None)
    targets = [d for d in _windows(e) if d.server]
    if not desk or not targets: return
    for n, t in _some(e, 0.6):
        to = e.rng.choice(targets)
        p = e.run(desk, t, "powershell.exe", f"powershell.exe -NoExit Enter-PSSession -ComputerName {to.fqdn()}",
                  level="High")
        e.net(desk, t + SEC, p, to, 5985)
        e.logon(to, t + 2 * SEC, e.admin_user, "Network", desk, admin=True)
        h = e.run(to, t + 3 * SEC, "wsmprovhost.exe", "C:\\Windows\\system32\\wsmprovhost.exe -Embedding",
                  e.base(to, "svchost.exe"), user=e.admin_user)
        e.run(to, t + 30 * SEC, "quser.exe", "quser", h)
        e.run(to, t + 50 * SEC, "C:\\Windows\\System32\\gpresult.exe", "gpresult /scope computer /r", h)
        if n % 5 == 0:
            w = e.run(to, t + 9 * MIN, "wmiprvse.exe", "C:\\Windows\\system32\\wbem\\wmiprvse.exe -Embedding",
                      e.base(to, "svchost.exe"))
            e.run(to, t + 9 * MIN + SEC, "cmd.exe",
                  "cmd.exe /c dir C:\\inetpub\\logs /s > C:\\Windows\\Temp\\size.txt", w,
                  user=e.admin_user)
    for n in range(2, e.days - 1, 6):
        t = e.at(n, "23:20")
        to = targets[n % len(targets)]
        p = e.run(to, t, "wevtutil.exe", "wevtutil epl Security \\\\audit\\logs\\security.evtx", e.base(to,
            "svchost.exe"))
        if n == 8: e.benign(to, t, "logs-cleared", "the log is exported, not cleared", [p])


def scanner(e):
    """Two scanners: one over SSH and SMB with an account each fortnight, one that only touches ports each night."""
    probe = ("nexpose", f"{e.net_it}.1.77")
    for n in range(4, e.days - 1, 12):
        for i, dev in enumerate(d for d in e.devices.values() if d.agent and d.kind in ("windows", "linux")):
            t = e.at(n, "19:00") + i * 45 * SEC
            e.logon(dev, t, "svc-scan", "Network", probe, admin=True)
            e.net(dev, t - SEC, None, probe[1], 445 if dev.windows else 22, action="InboundConnectionAccepted")
            if dev.windows: e.run(dev, t + 5 * SEC, "reg.exe",
                                  "reg query HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion"
                                  "\\Uninstall /s", e.base(dev, "wmiprvse.exe"), user="svc-scan")
    for n in range(1, e.days - 1):
        dev = e.rng.choice([d for d in e.devices.values() if d.agent])
        for port in (21, 80, 443, 8080): e.net(dev, e.at(n, "02:45") + port / 50 * SEC, None, f"{e.net_it}.1.78", port,
                                               action="InboundConnectionAttempt")


def patches(e):
    """Two rings, a week apart, with restarts in the small hours."""
    for ring, n in enumerate((6, 13)):
        for i, dev in enumerate(_windows(e)[ring::2]):
            if i % 3 and not dev.server: continue
            t = e.at(n, "02:10") + i * 4 * MIN
            a = e.run(dev, t, INTUNE + "Microsoft.Management.Services.IntuneWindowsAgent.exe", "IntuneWindowsAgent.exe",
                      e.base(dev, "services.exe"))
            e.run(dev, t + MIN, "net.exe", "net stop spooler", a)
            p = e.run(dev, t + 8 * MIN, "shutdown.exe", 'shutdown.exe -r -f -t 900 -c "Update ring"', a)
            e.run(dev, t + 24 * MIN, "net.exe", "net start spooler", e.base(dev, "services.exe"))
            if i == 0: e.benign(dev, t + 8 * MIN, "device-restarted", "update ring", [p])


def management(e):
    """Scripts of the cloud management on every desk, bypassing the execution policy as it always does."""
    for dev in [d for d in _windows(e) if d.role == "client"]:
        agent = e.base(dev, "AgentExecutor.exe", user="system", path=INTUNE + "AgentExecutor.exe")
        for n, t in _some(e, 0.25):
            e.run(dev, t, "powershell.exe",
                  'powershell.exe -NoProfile -executionPolicy bypass -file "C:\\Program Files '
                  '(x86)\\Microsoft Intune Management Extension\\Policies\\Scripts\\detect.ps1"', agent)
    for i, dev in enumerate(d for d in _windows(e) if d.server):
        t = e.at(10, "00:30") + i * 3 * MIN
        r = e.registry(dev, t,
                       "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows Defender\\Exclusions\\Processes",
                       "sqlservr.exe", "0", e.base(dev, "svchost.exe"), "Dword")
        if i < 2: e.benign(dev, t, "protection-disabled", "group policy brings a known exclusion to all servers", [r])


def helpdesk(e):
    """The helpdesk's own remote tool on many desks, joiners with groups, a new agent rolled out."""
    own = [d for d in _windows(e) if d.role == "client" and d.user != getattr(e, "admin_user", 0)]
    dc = next((d for d in e.devices.values() if d.role == "dc" and d.windows), None)
    for n, t in _some(e, 0.5):
        if not own: break
        dev = e.rng.choice(own)
        p = e.base(dev, "ScreenConnect.ClientService.exe", user="system",
                   path="C:\\Program Files (x86)\\ScreenConnect Client (help)\\ScreenConnect.ClientService.exe")
        e.net(dev, t, p, "192.0.2.61", 443, f"help.{e.org}.example")
        e.run(dev, t + 2 * MIN, "cmd.exe", "cmd.exe /c ipconfig /all & whoami /groups", p)
    if dc:
        for n in (3, 7, 11, 14):
            t, user = e.at(n, "08:40"), f"new{n}"
            e.event(dc, t, "UserAccountCreated", e.base(dc, "lsass.exe"), AccountName=user, AccountDomain=e.org)
            r = e.event(dc, t + 3 * MIN, "SecurityGroupMemberAdded", e.base(dc, "lsass.exe"),
                        {"GroupName": "Staff"}, AccountName=user, AccountDomain=e.org)
            if n == 11: e.benign(dc, t, "account-created", "a joiner", [r])
    for i, dev in enumerate(own[:12]):
        t = e.at(9, "11:00") + i * 11 * MIN
        m = e.run(dev, t, "msiexec.exe", "msiexec /i zabbix_agent2.msi /qn", e.base(dev, "services.exe"))
        r = e.event(dev, t + 20 * SEC, "ServiceInstalled", e.base(dev, "services.exe"), {
            "ServiceName": "Zabbix Agent 2", "ServiceAccount": "LocalSystem"}, FileName="zabbix_agent2.exe",
            FolderPath="C:\\Program Files\\Zabbix Agent 2\\zabbix_agent2.exe")
        if i == 0: e.benign(dev, t, "persistence-added", "the monitoring agent is rolled out to many desks", [m, r])


def people(e):
    """A developer, an archivist, a user with a wrong password on a telephone."""
    own = [d for d in _windows(e) if d.role == "client"]
    dc = next((d for d in e.devices.values() if d.role == "dc" and d.windows), None)
    if len(own) < 4: return
    dev = own[0]
    for n, t in _some(e, 0.5):
        p = e.run(dev, t, "C:\\Program Files\\Git\\bin\\bash.exe", "bash.exe --login -i")
        e.run(dev, t + MIN, "C:\\Program Files\\dotnet\\dotnet.exe", "dotnet build -c Release", p)
        e.file(dev, t + 2 * MIN, "FileCreated", f"C:\\src\\app\\bin\\Release\\app{n}.exe", p)
        e.run(dev, t + 3 * MIN, "curl.exe", "curl.exe -sS https://packages.example.org/index.json", p)
    dev, t = own[3], e.at(12, "14:10")
    p = e.run(dev, t, "C:\\Tools\\scan2pdf.exe", "scan2pdf.exe --batch")
    rows = [e.file(dev, t + (5 + 2 * i) * SEC, "FileRenamed", f"C:\\Archive\\1998\\page{i:03}.pdf", p,
                   PreviousFileName=f"page{i:03}.tif") for i in range(60)]
    e.benign(dev, t + 5 * SEC, "files-encrypted", "an archivist turns scans into documents", rows[:2])
    if dc:
        for i in range(45): e.logon(dc, e.at(5, "06:10") + i * 9 * MIN, own[2].user, "Network",
                                    ("phone", f"{e.net_it}.60.{i % 3 + 5}"), ok=False)


def plant(e):
    """Operators in shifts, a historian that reads, contractors through the jump host in the day."""
    plcs = [d for d in e.in_plant() if d.kind == "ot" and d.role == "plc"]
    hmis = [d for d in e.in_plant() if d.role == "hmi"]
    ews = next((d for d in e.in_plant() if d.role == "ews"), None)
    jump = next((d for d in e.in_plant() if d.role == "jump"), None)
    for hmi in hmis:
        e.links += [(hmi, p) for p in plcs]
        for n, t in _some(e, 0.9):
            for i in range(3): e.sense(t + i * 97 * MIN, "CONFIGURATION_CHANGE",
                                       f"Host {hmi.ip} wrote the configuration of "
                                       f"controller {plcs[(n + i) % len(plcs)].ip}.")
    for n in range(1, e.days - 1):
        for p in plcs[:3]: e.sense(e.at(n, "12:00"), "CONFIGURATION_READ",
                                   f"Host {e.net_ot}.3.5 read the configuration of "
                                   f"controller {p.ip}.")
    if not ews: return
    e.links += [(ews, p) for p in plcs]
    tool = e.base(ews, "Workbench.exe", user=ews.user,
                  path="C:\\Program Files (x86)\\Schneider\\ControlExpert\\Workbench.exe")
    for n in range(2, e.days - 1, 3):
        p, t = plcs[n % len(plcs)], e.at(n, "13:30")
        if jump:
            e.logon(jump, t - 9 * MIN, "ctr.lopez", "RemoteInteractive", ("vpn", f"{e.net_it}.99.7"))
            e.logon(ews, t - 6 * MIN, "ctr.lopez", "RemoteInteractive", jump)
            e.sense(t - 6 * MIN, "REMOTE_ACCESS", f"RDP connection from {jump.ip} to {ews.ip}.")
        e.speak(t, ews, p, tool)
        r = e.sense(t + SEC, "PROGRAM_UPLOAD_DEVICE", f"Host {ews.ip} read the program of controller {p.ip}.")
        if n == 8: e.benign(p, t, "ot-data-collected", "contractor's comparison, agreed, through the jump host", [r])
