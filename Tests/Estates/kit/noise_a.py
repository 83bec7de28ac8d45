"""Background of the first author: office hours, Configuration Manager, one backup product, rounds with PsExec."""
import datetime as dt

from .acts import encoded

MIN, SEC = dt.timedelta(minutes=1), dt.timedelta(seconds=1)
SITES = [("intranet", "10.0.0.80", 443), ("outlook.office365.com", "203.0.113.180", 443),
         ("news.example.net", "203.0.113.22", 443), ("teams.microsoft.com", "203.0.113.181", 443),
         ("www.weather.example", "203.0.113.30", 443), ("login.microsoftonline.com", "203.0.113.182", 443)]
INVENTORY = encoded("Get-Service | Export-Csv C:\\ProgramData\\Monitor\\services.csv; Get-HotFix")


def noise(e, skip=()):
    """Fills every day of the estate; `skip` leaves parts out."""
    parts = {"desks": desks, "system": system, "unix": unix, "backup": backup, "rounds": rounds, "scanner": scanner,
             "patches": patches, "management": management, "helpdesk": helpdesk, "people": people, "plant": plant}
    for name, part in parts.items():
        if name not in skip: part(e)


def _days(e, workdays=True):
    for n in range(1, e.days - 1):
        if not workdays or (e.start + dt.timedelta(days=n)).weekday() < 5: yield n


def desks(e):
    """People log on, read mail, write documents and browse."""
    files = next((d for d in e.devices.values() if d.role == "file"), None)
    for dev in [d for d in e.devices.values() if d.windows and d.role == "client" and d.agent]:
        for n in _days(e):
            if e.rng.random() < 0.12: continue
            t = e.at(n, "07:00") + e.rng.uniform(0, 110) * MIN
            e.logon(dev, t, dev.user, "Interactive", admin=False)
            if e.rng.random() < 0.1: e.logon(dev, t - 20 * SEC, dev.user, "Interactive", ok=False)
            shell = e.base(dev, "explorer.exe")
            post = e.run(dev, t + 2 * MIN, "outlook.exe",
                         '"C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE"',
                         shell)
            if files and e.rng.random() < 0.3:
                e.logon(files, t + 3 * MIN, dev.user, "Network", dev)
            for _ in range(e.rng.randint(1, 3)):
                t += e.rng.uniform(15, 140) * MIN
                pick = e.rng.random()
                if pick < 0.4:
                    name, ip, port = e.rng.choice(SITES)
                    p = e.run(dev, t, "msedge.exe", f'"{post.path[:22]}(x86)\\Microsoft\\Edge\\Application\\msedge.exe"'
                              f" --single-argument https://{name}/", shell)
                    e.net(dev, t + 2 * SEC, p, ip, port, name)
                elif pick < 0.75:
                    kind, ext = e.rng.choice([("excel.exe", "xlsx"), ("winword.exe", "docx")])
                    p = e.run(dev, t, kind,
                              f'"{kind.upper()}" "\\\\files.{e.suffix}\\team\\plan{e.rng.randint(1, 90)}.{ext}"',
                              shell)
                    e.file(dev, t + 30 * SEC, "FileModified",
                           f"C:\\Users\\{dev.user}\\AppData\\Local\\Temp\\~DF{e.rng.getrandbits(32):08X}.tmp", p)
                else:
                    e.run(dev, t, "mstsc.exe" if pick > 0.97 else "notepad.exe", "notepad.exe", shell)


def system(e):
    """What Windows does by itself."""
    calls = [("taskhostw.exe", "taskhostw.exe /RuntimeWide"), ("dllhost.exe", "C:\\Windows\\system32\\DllHost.exe "
             "/Processid:{E10F6C3A-F1AE-4ADC-AA9D-2FE65525666E}"), ("wmiprvse.exe", "C:\\Windows\\system32\\wbem\\"
             "wmiprvse.exe -secured -Embedding"), ("gpupdate.exe", "gpupdate.exe /target:computer"),
             ("svchost.exe", "C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s wlidsvc"),
             ("cleanmgr.exe", "cleanmgr.exe /autoclean /d C:"), ("schtasks.exe",
                 'schtasks /query /tn "\\Corp\\LogRotate"')]
    for dev in [d for d in e.devices.values() if d.windows and d.agent]:
        for n in _days(e, False):
            for _ in range(e.rng.randint(0, 2)):
                t = e.at(n, "00:00") + e.rng.uniform(0, 1430) * MIN
                exe, command = e.rng.choice(calls)
                parent = e.base(dev, "services.exe" if exe == "svchost.exe" else "svchost.exe", user="system")
                p = e.run(dev, t, exe, command, parent)
                if e.rng.random() < 0.15: e.net(dev, t + SEC, p, "203.0.113.14", 443, "www.msftconnecttest.com")
            if e.rng.random() < 0.3:
                t = e.at(n, "00:00") + e.rng.uniform(0, 1430) * MIN
                e.event(dev, t, "OpenProcessApiCall", e.base(dev, "MsSense.exe"), {"DesiredAccess": 5120},
                        FileName="lsass.exe", FolderPath="C:\\Windows\\System32\\lsass.exe")
            if e.rng.random() < 0.08:
                t = e.at(n, "00:00") + e.rng.uniform(0, 1430) * MIN
                e.registry(dev, t, "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\edgeupdate", "Start", "2",
                           e.base(dev, "services.exe"), "Dword")


def unix(e):
    """Linux and macOS: cron, log rotation, package lists, administrators over SSH."""
    for dev in [d for d in e.devices.values() if d.kind in ("linux", "mac") and d.agent]:
        cron = e.base(dev, "cron", user="root", path="/usr/sbin/cron", command="/usr/sbin/cron -f -P")
        for n in _days(e, False):
            t = e.at(n, "06:25") + e.rng.uniform(0, 2) * MIN
            if dev.kind == "linux":
                p = e.run(dev, t, "/usr/bin/dash", "/bin/sh -c test -x /usr/sbin/anacron || run-parts /etc/cron.daily",
                          cron)
                e.run(dev, t + 3 * SEC, "/usr/sbin/logrotate", "/usr/sbin/logrotate /etc/logrotate.conf", p)
                e.file(dev, t + 4 * SEC, "FileRenamed", "/var/log/syslog.1", p, PreviousFileName="syslog")
                if n % 2: e.run(dev, t + 9 * SEC, "/usr/bin/apt-get", "apt-get -qq -y update", p)
                if e.rng.random() < 0.3 and getattr(e, "admin_desk", None):
                    e.logon(dev, e.at(n, "10:10") + e.rng.uniform(0, 90) * MIN, "ubuntu", "Network", e.admin_desk)
            else:
                e.logon(dev, e.at(n, "08:10") + e.rng.uniform(0, 60) * MIN, dev.user, "Interactive")
                e.run(dev, e.at(n, "09:00") + e.rng.uniform(0, 300) * MIN,
                      "/Applications/Safari.app/Contents/MacOS/Safari",
                      "/Applications/Safari.app/Contents/MacOS/Safari", e.base(dev, "launchd", user=dev.user,
                                                                              path="/sbin/launchd"), user=dev.user)


def backup(e):
    """The backup product takes a shadow copy and drops its oldest, every night at the same minute."""
    for dev in [d for d in e.devices.values() if d.role in ("file", "db", "backup") and d.windows][:3]:
        agent = e.base(dev, "VeeamAgent.exe", user="system", path="C:\\Program Files\\Veeam\\Backup\\VeeamAgent.exe")
        for n in _days(e, False):
            t = e.at(n, "01:30") + e.rng.uniform(0, 40) * SEC
            e.run(dev, t, "vssadmin.exe", "vssadmin create shadow /for=D:", agent)
            p = e.run(dev, t + 38 * MIN, "vssadmin.exe", "vssadmin delete shadows /for=D: /oldest /quiet", agent)
            e.net(dev, t + 50 * MIN, agent, "10.0.0.60", 10006, f"repo.{e.suffix}")
            if n == 9: e.benign(dev, t + 38 * MIN, "recovery-inhibited", "the backup drops its oldest copy", [p])
            h = e.base(dev, "GuestHelper.exe", user="system", path="C:\\Program Files\\Veeam\\Guest\\GuestHelper.exe")
            r = e.event(dev, t + 35 * MIN, "OpenProcessApiCall", h, {"DesiredAccess": 5136}, FileName="lsass.exe",
                        FolderPath="C:\\Windows\\System32\\lsass.exe")
            if n == 11: e.benign(dev, t + 35 * MIN, "credentials-stolen", "the backup's helper, every night", [r])


def rounds(e):
    """The administrator goes round with remote desktop and PsExec from one desk."""
    desk = getattr(e, "admin_desk", None)
    if not desk: return
    targets = [d for d in e.devices.values() if d.windows and d.server and d.agent]
    for n in _days(e):
        if n % 2 or not targets: continue
        t, to = e.at(n, "10:00") + e.rng.uniform(0, 200) * MIN, e.rng.choice(targets)
        p = e.run(desk, t, "mstsc.exe", f'"C:\\Windows\\system32\\mstsc.exe" /v:{to.fqdn()}')
        e.net(desk, t + SEC, p, to, 3389)
        e.logon(to, t + 6 * SEC, e.admin_user, "RemoteInteractive", desk, admin=True)
        e.run(to, t + 2 * MIN, "powershell.exe", "powershell.exe Get-EventLog -LogName System -Newest 50",
              e.base(to, "explorer.exe", user=e.admin_user), user=e.admin_user)
        if n % 4: continue
        t += 30 * MIN
        e.run(desk, t, "C:\\Tools\\PsExec64.exe", f"PsExec64.exe \\\\{to.name} -s cmd /c gpresult /r", level="High")
        e.logon(to, t + SEC, e.admin_user, "Network", desk, admin=True)
        r = e.event(to, t + 2 * SEC, "ServiceInstalled", e.base(to, "services.exe"), {
            "ServiceName": "PSEXESVC", "ServiceAccount": "LocalSystem"}, FileName="PSEXESVC.exe",
            FolderPath="C:\\Windows\\PSEXESVC.exe")
        s = e.run(to, t + 3 * SEC, "C:\\Windows\\PSEXESVC.exe", "C:\\Windows\\PSEXESVC.exe", e.base(to, "services.exe"))
        e.run(to, t + 4 * SEC, "cmd.exe", "cmd /c gpresult /r", s)
        e.benign(to, t + 2 * SEC, "persistence-added", "PsExec of the administrator, as on other days", [r])


def scanner(e):
    """A vulnerability scanner knocks everywhere once a week."""
    for n in range(2, e.days - 1, 7):
        for i, dev in enumerate(d for d in e.devices.values() if d.agent and d.kind in ("windows", "linux")):
            t = e.at(n, "03:00") + i * 20 * SEC
            for port in (22, 135, 445, 3389):
                e.net(dev, t + port / 100 * SEC, None, f"{e.net_it}.1.250", port, action="InboundConnectionAccepted")
            for user in ("guest", "administrator"):
                e.logon(dev, t + 30 * SEC, user, "Network", ("scanner01", f"{e.net_it}.1.250"), ok=False)


def patches(e):
    """Updates on one evening, with restarts."""
    n = e.workday(e.days // 2)
    for i, dev in enumerate(d for d in e.devices.values() if d.windows and d.server and d.agent):
        t = e.at(n, "22:00") + i * 17 * MIN
        a = e.run(dev, t, "C:\\Windows\\System32\\wuauclt.exe", "wuauclt.exe /UpdateDeploymentProvider", e.base(
            dev, "svchost.exe"))
        e.run(dev, t + 3 * MIN, "net.exe", "net stop wuauserv", a)
        p = e.run(dev, t + 11 * MIN, "shutdown.exe", 'shutdown /r /t 60 /c "monthly updates" /d p:2:17', e.base(
            dev, "CcmExec.exe"))
        if i == 0: e.benign(dev, t + 11 * MIN, "device-restarted", "monthly updates", [p])


def management(e):
    """Configuration Manager: inventory in an encoded command, an exclusion on every server of a kind."""
    for dev in [d for d in e.devices.values() if d.windows and d.agent]:
        agent = e.base(dev, "CcmExec.exe")
        for n in _days(e, False):
            if e.rng.random() < 0.2:
                t = e.at(n, "00:00") + e.rng.uniform(0, 1430) * MIN
                e.run(dev, t, "powershell.exe", f"powershell.exe -NoLogo -NonInteractive -EncodedCommand {INVENTORY}",
                      agent)
    n = e.workday(8)
    for i, dev in enumerate(d for d in e.devices.values() if d.role in ("db", "file", "app") and d.windows):
        t = e.at(n, "04:10") + i * MIN
        r = e.registry(dev, t, "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows Defender\\Exclusions\\Paths",
                       "D:\\Database", "0", e.base(dev, "CcmExec.exe"), "Dword")
        e.benign(dev, t, "protection-disabled", "an exclusion by configuration management for a known path", [r])


def helpdesk(e):
    """A kiosk account, a password reset, troubleshooting mode, a supplier's announced session."""
    desks_ = [d for d in e.devices.values() if d.role == "client" and d.windows and d.user != getattr(e, "admin_user",
        0)]
    dcs = [d for d in e.devices.values() if d.role == "dc"]
    if len(desks_) < 4: return
    n, dev = e.workday(10), desks_[-1]
    t = e.at(n, "10:12")
    e.logon(dev, t - MIN, "hd.kim", "RemoteInteractive", getattr(e, "admin_desk", None) or desks_[0], admin=True)
    e.run(dev, t, "net.exe", "net user kiosk01 /add", e.base(dev, "explorer.exe", user="hd.kim"))
    r = e.event(dev, t + SEC, "UserAccountCreated", e.base(dev, "lsass.exe"), AccountName="kiosk01",
                AccountDomain=dev.name.lower())
    e.benign(dev, t + SEC, "account-created", "kiosk account made by the helpdesk", [r])
    for dc in dcs[:1]:
        for n in _days(e):
            if n % 3: continue
            r = e.event(dc, e.at(n, "11:11"), "PasswordChangeAttempt", e.base(dc, "lsass.exe"),
                        AccountName=e.rng.choice(desks_).user, AccountDomain=e.org)
    n, dev = e.workday(12), desks_[-2]
    t = e.at(n, "15:30")
    for minutes, word in ((0, "Enabled"), (14, "Disabled")):
        e.event(dev, t + minutes * MIN, "AntivirusTroubleshootModeEvent", e.base(dev, "MsSense.exe"), {
            "TroubleshootingState": word, "TroubleshootingStateChangeReason": f"Troubleshooting mode {word.lower()}"})
    r = e.registry(dev, t + 2 * MIN, "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows Defender\\Real-Time Protection",
                   "DisableRealtimeMonitoring", "1", e.base(dev, "MsMpEng.exe"), "Dword")
    e.benign(dev, t + 2 * MIN, "protection-disabled", "troubleshooting mode, on again after 14 minutes", [r])
    n, dev = e.workday(13), desks_[-3]
    t = e.at(n, "14:00")
    p = e.run(dev, t, "C:\\Program Files\\TeamViewer\\TeamViewer.exe",
              '"C:\\Program Files\\TeamViewer\\TeamViewer.exe"')
    e.net(dev, t + 4 * SEC, p, "203.0.113.60", 5938, "router.teamviewer.example")
    e.benign(dev, t, "remote-tool-installed", "the supplier's announced session with the estate's own tool", [p])


def people(e):
    """What single people do: pictures renamed, archives, an expired service password, a keyboard tool."""
    own = [d for d in e.devices.values() if d.role == "client" and d.windows]
    servers = [d for d in e.devices.values() if d.windows and d.server]
    if len(own) < 4: return
    dev, t = own[1], e.at(e.workday(9), "12:20")
    p = e.run(dev, t, "C:\\Users\\Public\\Renamer\\renamer.exe", "renamer.exe /album")
    rows = [e.file(dev, t + (20 + i) * SEC, "FileRenamed", f"C:\\Users\\{dev.user}\\Pictures\\summer_{i:03}.jpg", p,
                   PreviousFileName=f"IMG_{4000 + i}.jpg") for i in range(40)]
    e.benign(dev, t + 20 * SEC, "files-encrypted", "a user renames pictures", rows[:2])
    z = e.run(dev, t + 20 * MIN, "C:\\Program Files\\7-Zip\\7z.exe", "7z a album.zip Pictures")
    r = e.file(dev, t + 21 * MIN, "FileCreated", f"C:\\Users\\{dev.user}\\album.zip", z, size=80_000_000)
    e.benign(dev, t + 21 * MIN, "data-staged", "a user's own pictures", [r])
    if servers:
        dev, t = e.rng.choice(servers), e.at(e.workday(11), "06:00")
        for i in range(80): e.logon(dev, t + i * 23 * SEC, "svc.report", "Service", ok=False)
        e.logon(dev, t + 40 * MIN, "svc.report", "Service")
    dev, t = own[2], e.at(e.workday(10), "13:06")
    r = e.registry(dev, t,
                   f"HKEY_CURRENT_USER\\{e.sid(dev.user, e.org)}\\Software\\Microsoft\\Windows\\CurrentVersion\\Run",
                   "KeyTool", f"C:\\Users\\{dev.user}\\AppData\\Local\\KeyTool\\keytool.exe",
                   e.run(dev, t - 9 * SEC, f"C:\\Users\\{dev.user}\\Downloads\\keytool-setup.exe",
                         "keytool-setup.exe /S"))
    e.benign(dev, t, "persistence-added", "a keyboard tool that a user likes", [r])


def plant(e):
    """Setpoints from the screen, a weekly comparison, sessions through the jump host."""
    plcs = [d for d in e.in_plant() if d.kind == "ot" and d.role == "plc"]
    hmis = [d for d in e.in_plant() if d.role == "hmi"]
    ews = next((d for d in e.in_plant() if d.role == "ews"), None)
    for hmi in hmis:
        e.links += [(hmi, p) for p in plcs]
        for n in _days(e, False):
            for _ in range(2):
                t, p = e.at(n, "00:10") + e.rng.uniform(0, 1400) * MIN, e.rng.choice(plcs)
                r = e.sense(t, "CONFIGURATION_CHANGE", f"Host {hmi.ip} wrote the configuration of controller {p.ip}.")
                if n == 5: e.benign(p, t, "parameter-changed", "operators write setpoints from the screen", [r])
    for p in plcs:
        for n in range(2, e.days - 1, 5): e.sense(e.at(n, "05:00"), "DEVICE_UPDATE",
                                                  f"Device {p.ip} was seen with the same firmware.")
    if not ews: return
    e.links += [(ews, p) for p in plcs]
    tool = e.base(ews, "Engineering.exe", user=ews.user, path="C:\\Program Files\\Siemens\\TIA\\Engineering.exe")
    for n in range(3, e.days - 1, 7):
        for i, p in enumerate(plcs):
            t = e.at(n, "06:05") + i * 2 * MIN
            e.speak(t, ews, p, tool)
            r = e.sense(t + 2 * SEC, "PROGRAM_UPLOAD_DEVICE", f"Host {ews.ip} read the program of controller {p.ip}.")
            if i == 0: e.benign(p, t, "ot-data-collected", "weekly comparison by the engineering station", [r])
