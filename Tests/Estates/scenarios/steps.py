"""Steps that several intruders take, each in its own words."""
import datetime as dt
import json


def s(n): return dt.timedelta(seconds=n)
def m(n): return dt.timedelta(minutes=n)
def h(n): return dt.timedelta(hours=n)


def psexec(e, frm, to, t, user, by, command, service="PSEXESVC", binary=None, client="C:\\Windows\\Temp\\p.exe"):
    """A service made from afar that runs a command; returns the process that it starts."""
    binary = binary or f"C:\\Windows\\{service}.exe"
    p = e.run(frm, t, client, f"{client} \\\\{to.name} -accepteula -d -s {command}", by, content="sysinternals psexec")
    n = e.net(frm, t + s(1), p, to, 445)
    a = e.logon(to, t + s(1.4), user, "Network", frm, admin=True)
    root = e.base(to, "services.exe")
    v = e.event(to, t + s(2), "ServiceInstalled", root, {"ServiceName": service, "ServiceAccount": "LocalSystem"},
                FileName=binary.split("\\")[-1], FolderPath=binary)
    svc = e.run(to, t + s(2.5), binary, binary, root, content=f"service {service}")
    q = e.run(to, t + s(3), command.split()[0], command, svc)
    e.move(frm, to, t + s(2), "T1569.002", f"service {service} from afar", [n, a, v, svc])
    e.note(to, "T1021.002", "T1570")
    return q


def wmi(e, frm, to, t, user, by, command):
    """A process made through WMI from afar."""
    p = e.run(frm, t, "wmic.exe", f'wmic /node:"{to.name}" process call create "{command}"', by)
    n = e.net(frm, t + s(1), p, to, 135)
    a = e.logon(to, t + s(1.5), user, "Network", frm, admin=True)
    q = e.run(to, t + s(3), command.split()[0], command, e.base(to, "WmiPrvSE.exe"), user=user, level="High")
    e.move(frm, to, t + s(3), "T1047", "a process through WMI", [n, a, q])
    return q


def winrm(e, frm, to, t, user, by, command="powershell.exe"):
    """A shell through PowerShell remoting; returns its host process."""
    n = e.net(frm, t, by, to, 5985)
    a = e.logon(to, t + s(1), user, "Network", frm, admin=True)
    q = e.run(to, t + s(2), "wsmprovhost.exe", "C:\\Windows\\system32\\wsmprovhost.exe -Embedding",
              e.base(to, "svchost.exe"), user=user, level="High")
    e.move(frm, to, t + s(2), "T1021.006", "PowerShell remoting", [n, a, q])
    return q


def rdp(e, frm, to, t, user, by, rows=True):
    """A desktop session from afar; returns its shell."""
    n = e.net(frm, t, by, to, 3389) if rows else None
    a = e.logon(to, t + s(4), user, "RemoteInteractive", frm, admin=True)
    u = e.run(to, t + s(6), "userinit.exe", "C:\\Windows\\system32\\userinit.exe", e.base(to, "winlogon.exe"),
              user=user, level="High", remote=frm.address(t))
    q = e.run(to, t + s(7), "explorer.exe", "C:\\Windows\\Explorer.EXE", u)
    e.move(frm, to, t + s(4), "T1021.001", "remote desktop", [a, q] + ([n] if n else []))
    return q


def ssh(e, frm, to, t, user, by, key="/home/deploy/.ssh/id_ed25519"):
    """A shell over SSH with a key that lay there; returns it."""
    p = e.run(frm, t, "/usr/bin/ssh" if not frm.windows else "C:\\Windows\\System32\\OpenSSH\\ssh.exe",
              f"ssh -i {key} -o StrictHostKeyChecking=no {user}@{to.ip}", by)
    n = e.net(frm, t + s(1), p, to, 22)
    a = e.logon(to, t + s(2), user, "Network", frm)
    q = e.run(to, t + s(3), "/usr/bin/bash", "-bash", e.base(to, "sshd", user=user, path="/usr/sbin/sshd"), user=user)
    e.move(frm, to, t + s(2), "T1021.004", "SSH with a found key", [p, n, a, q])
    return q


def lsass(e, dev, t, by, style="comsvcs", out="C:\\Windows\\Temp\\m.dmp"):
    """The memory of lsass is taken; notes the harm and returns its rows."""
    if style == "comsvcs":
        p = e.run(dev, t, "rundll32.exe", f"rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump 712 {out} full",
                  by)
    elif style == "procdump":
        p = e.run(dev, t, "C:\\ProgramData\\pd64.exe", f"pd64.exe -accepteula -ma lsass.exe {out}", by,
                  content="procdump")
    else:
        p = by
    o = e.event(dev, t + s(1), "OpenProcessApiCall" if style != "read" else "ReadProcessMemoryApiCall", p, {
        "DesiredAccess": 2097151} if style != "read" else {"TotalBytesCopied": 4718592}, FileName="lsass.exe",
        FolderPath="C:\\Windows\\System32\\lsass.exe")
    rows = [p, o]
    if style != "read": rows.append(e.file(dev, t + s(2), "FileCreated", out, p, size=61_000_000))
    e.harm(dev, t, "T1003.001", "credentials-stolen", "memory of lsass", rows)
    return p, rows


def encrypt(e, dev, t, by, suffix, note, count=36, folder="D:\\Data\\Projects"):
    """Files get a new ending, and a note is left."""
    words = ["offer", "minutes", "budget", "drawing", "contract", "list", "photo", "mailing"]
    rows = []
    for i in range(count):
        ext = e.rng.choice(["docx", "xlsx", "pdf", "dwg"])
        name = f"{e.rng.choice(words)}{i:03}.{ext}"
        rows.append(e.file(dev, t + s(0.4 * i), "FileRenamed", f"{folder}\\{i % 5}\\{name}{suffix}", by,
                           PreviousFileName=name, PreviousFolderPath=f"{folder}\\{i % 5}"))
    rows.append(e.file(dev, t + s(3), "FileCreated", f"{folder}\\{note}", by, size=1804, content=note))
    e.harm(dev, t, "T1486", "files-encrypted", f"{count} files seen, ending {suffix}", rows[:3] + rows[-1:])
    return rows


def inhibit(e, dev, t, by, command="vssadmin.exe delete shadows /all /quiet"):
    """Recovery is made impossible."""
    p = e.run(dev, t, command.split()[0], command, by)
    e.harm(dev, t, "T1490", "recovery-inhibited", command, [p])
    return p


def stop(e, dev, t, by, service):
    """A service is stopped."""
    p = e.run(dev, t, "net.exe", f"net stop {service} /y", by)
    e.run(dev, t + s(0.3), "net1.exe", f"C:\\Windows\\system32\\net1 stop {service} /y", p)
    e.harm(dev, t, "T1489", "service-stopped", service, [p])


def clear(e, dev, t, by, log="Security"):
    """An event log is cleared."""
    p = e.run(dev, t, "wevtutil.exe", f"wevtutil.exe cl {log}", by)
    r = e.event(dev, t + s(1), "SecurityLogCleared", e.base(dev, "svchost.exe"), AccountName=by.user)
    e.harm(dev, t, "T1070.001", "logs-cleared", log, [p, r])


def blind(e, dev, t, by):
    """Real-time protection is switched off where nothing forbids it."""
    p = e.run(dev, t, "powershell.exe", "powershell Set-MpPreference -DisableRealtimeMonitoring $true", by)
    r = e.registry(dev, t + s(1), "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows Defender\\Real-Time Protection",
                   "DisableRealtimeMonitoring", "1", e.base(dev, "MsMpEng.exe"), "Dword")
    e.harm(dev, t, "T1562.001", "protection-disabled", "real-time protection", [p, r])
    e.tamper(dev, "scid-2012", t)
    return [p, r]


def run_key(e, dev, t, by, name, data):
    """Something starts with each logon."""
    r = e.registry(dev, t,
                   f"HKEY_CURRENT_USER\\{e.sid(by.user, by.domain)}\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run",
                   name, data, by)
    e.harm(dev, t, "T1547.001", "persistence-added", f"Run value {name}", [r])
    return r


def task(e, dev, t, by, name, action):
    """Something starts on a schedule."""
    p = e.run(dev, t, "schtasks.exe", f'schtasks /create /sc minute /mo 30 /tn "{name}" /tr "{action}" /f', by)
    r = e.event(dev, t + s(1), "ScheduledTaskCreated", p, {"TaskName": f"\\{name}", "TaskContent": action})
    e.harm(dev, t, "T1053.005", "persistence-added", f"task {name}", [p, r])
    return p


def beacon(e, dev, t, by, ip, url=None, times=6, every=900, port=443):
    """A process calls home."""
    rows = [e.net(dev, t + s(i * every * e.rng.uniform(0.9, 1.1)), by, ip, port, url) for i in range(times)]
    more = e.net(dev, t + s(times * every), by, ip, port, url, "ConnectionSuccessAggregatedReport",
                 AdditionalFields=json.dumps({"uniqueEventsAggregated": times * 3}))
    return [*rows, more]


def stage(e, dev, t, by, path, command, technique="T1560.001", size=410_000_000):
    """Files are packed."""
    exe = command.split()[0]
    p = e.run(dev, t, exe, command, by)
    r = e.file(dev, t + s(40), "FileCreated", path, p, size=size)
    e.harm(dev, t, technique, "data-staged", path.replace("/", "\\").split("\\")[-1], [p, r])
    return p


def send(e, dev, t, by, command, ip, url, technique="T1567.002", port=443):
    """They are sent out."""
    p = e.run(dev, t, command.split()[0], command, by)
    r = [e.net(dev, t + s(2 + 30 * i), p, ip, port, url) for i in range(3)]
    e.harm(dev, t, technique, "data-exfiltrated", url or ip, [p, r])
    return p
