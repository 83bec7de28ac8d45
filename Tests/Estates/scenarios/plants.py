"""Intruders in plants: through suppliers, from the internet, from the office."""
from . import estate
from .steps import h, m, rdp, s, stage, task


def works(e, count=6, protocol="Siemens S7", vendor="Siemens", model="S7-1200"):
    """An office and a plant behind a jump host; returns (desks, jump, ews, hmi, hist, plcs)."""
    desks = e.people(7)
    e.servers("dc", "file")
    e.admin()
    o = e.net_ot
    jump = e.station(e.device("JUMP01", "s22", f"{o}.35.8", "jump", group="OT DMZ"), "Terminal Server", "DMZ",
                     "Supervisory")
    ews = e.station(e.device("EWS01", "w10", f"{o}.2.10", "ews", "eng1", group="OT"), "Engineering Station",
                    "Engineering")
    hmi = e.station(e.device("HMI01", "w10", f"{o}.2.21", "hmi", "operator1", group="OT"), "HMI", "Supervisory")
    hist = e.station(e.device("HIST01", "s19", f"{o}.3.5", "historian", group="OT"), "Historian", "Supervisory")
    plcs = [e.controller(f"PLC-{i:02}", f"{o}.1.{10 + i}", vendor, model, protocol) for i in range(1, count + 1)]
    tool = e.base(ews, "Portal.exe", user="eng1",
                  path="C:\\Program Files\\Siemens\\Automation\\Portal V17\\bin\\Portal.exe")
    for n in (5, 6):  # agreed work on two days, through the jump host, in the day
        t = e.at(n, "08:10")
        e.logon(jump, t - m(14), "eng1", "RemoteInteractive", e.admin_desk)
        e.logon(ews, t - m(10), "eng1", "RemoteInteractive", jump)
        e.sense(t - m(10), "REMOTE_ACCESS", f"RDP connection from {jump.ip} to {ews.ip}.")
        rows = e.program(t, ews, plcs[n % count], tool)
        why = "the plant's own engineer, through the jump host, in the day"
        e.benign(plcs[n % count], t + s(50), "plc-program-changed", why, [rows["program"]])
        e.benign(plcs[n % count], t + s(30), "plc-mode-changed", why, [rows["mode"]])
    return desks, jump, ews, hmi, hist, plcs


@estate("supplier-safety", "A supplier's account at night through the jump host; the safety controller is reprogrammed")
def safety(e):
    desks, jump, ews, hmi, hist, plcs = works(e, 5)
    o = e.net_ot
    sis = e.controller("SIS-01", f"{o}.1.60", "Schneider", "Triconex 3008", "Triconex", "11.3", "Safety PLC",
                       "Process", "sis")
    nb = e.device("NB-SUP", "w10", "251.19", "vpn", agent=False, listed=False)
    for n in range(1, 16, 7):
        e.logon(jump, e.at(n, "09:30"), "sup.tri", "RemoteInteractive", ("sup-desk", f"{e.net_it}.251.4"), admin=False)
    t = e.at(17, "01:22")
    a = e.logon(jump, t, "sup.tri", "RemoteInteractive", ("nb-sup", nb.ip), admin=False)
    ra = e.sense(t + s(3), "REMOTE_ACCESS", f"RDP connection from {nb.ip} to {jump.ip}.")
    sh = e.run(jump, t + s(8), "explorer.exe", "C:\\Windows\\Explorer.EXE", e.base(jump, "winlogon.exe"),
               user="sup.tri",
               level="Medium", remote=nb.ip)
    e.entry(nb, t, ["T1133", "T0822", "T0886", "T1078"], "vendor-access", [a, ra])
    e.move(nb, jump, t, "T1021.001", "the supplier's account", [a, ra, sh])
    e.cause(jump, "T0822 T0886 T1133 T1021.001", "ot.remote_access", "would-have-blocked",
            "the supplier's account works at any hour and without a second proof", same=("id.mfa",), rows=[a, ra])
    q = rdp(e, jump, ews, t + m(12), "eng1", e.run(jump, t + m(12) - s(4), "mstsc.exe", f"mstsc.exe /v:{ews.ip}", sh))
    e.sense(t + m(12), "REMOTE_ACCESS", f"RDP connection from {jump.ip} to {ews.ip}.")
    x = e.file(ews, t + m(20), "FileCreated", "C:\\Users\\eng1\\Desktop\\trilog.exe", q, content="trilog")
    p = e.run(ews, t + m(22), x["FolderPath"], "trilog.exe", q, content="trilog")
    r = e.sense(t + m(24), "PROGRAM_UPLOAD_DEVICE", f"Host {ews.ip} read the program of controller {sis.ip}.")
    e.harm(sis, t + m(24), "T0845", "ot-data-collected", "program of the safety controller", [r])
    n = e.speak(t + m(30), ews, sis, p)
    mo = e.sense(t + m(30) + s(4), "PLC_OPERATING_MODE_CHANGED",
                 f"Controller {sis.ip} went from Run to Program. Command sent by {ews.ip}.")
    pr = e.sense(t + m(30) + s(25), "PROGRAM_DEVICE", f"Host {ews.ip} sent a program to controller {sis.ip}.")
    e.move(ews, sis, t + m(30), "T0843", "the maker's protocol from a tool that is not the maker's", [n, mo, pr])
    e.harm(sis, t + m(30) + s(4), "T0858", "plc-mode-changed", "Run to Program", [mo])
    e.harm(sis, t + m(30) + s(25), "T0843", "plc-program-changed", "program of the safety controller", [pr])
    e.harm(sis, t + m(30) + s(4), "T0880", "safety-impaired", "the safety controller was taken out of Run", [mo, pr])
    e.cause(sis, "T0843 T0858", "ot.keyswitch", "would-have-blocked", "its key stood in Program or Remote",
            same=("ot.auth",), rows=[mo, pr])
    e.cause(sis, "T0880", "ot.sis_separate", "would-have-blocked",
            "the safety controller answers the engineering station of the "
            "process", same=("net.segment",), rows=[n])
    e.warn(t + m(31), "PLC Operating Mode Changed", f"{sis.ip} changed mode.", ews, sis, "Warning", "Operational")
    e.decoy(hmi, "scid-2509", "off, never reached")
    plcs[2].cves["CVE-2023-6448"] = None
    e.decoy(plcs[2], "CVE-2023-6448", "listed, another maker's; never reached")
    e.unknowns.append("what the changed program does: only the maker can say")
    return ("people",)


@estate("well-exposed", "A water works: one pump controller answers the internet with its first password")
def well(e):
    e.people(5, mix="w10")
    o = e.net_ot
    hmi = e.station(e.device("SCADA1", "w10", f"{o}.2.20", "hmi", "wart", group="OT"), "HMI", "Supervisory")
    plcs = [e.controller(f"WELL-{i}", f"{o}.1.{30 + i}", "Unitronics", "Vision 570", "Unitronics PCOM",
                         "9.8.65") for i in (1, 2, 3)]
    hit = plcs[1]
    for d in plcs: d.cves["CVE-2023-6448"] = None
    hit.findings = {"WeakAuthentication": ["Default password on PCOM"],
                    "OpenedPorts": [{"port": 20256, "transport": "TCP"}]}
    for n in (4, 9): e.sense(e.at(n, "16:00"), "INTERNET_ACCESS", f"Device {hit.ip} communicated with 192.0.2.{n + 3}.")
    t, ip = e.at(18, "03:05"), "203.0.113.250"
    a = e.sense(t, "INTERNET_ACCESS", f"Device {hit.ip} communicated with {ip}.")
    b = e.sense(t + s(9), "USER_LOGIN", f"Login to {hit.ip} from {ip} succeeded with the default password.")
    e.entry(hit, t, ["T0883", "T0819", "T0812"], "internet-exposed-controller", [a, b])
    e.cause(hit, "T0883", "net.exposed", "would-have-blocked", "the controller is reached from the internet",
            same=("net.segment",), rows=[a])
    e.cause(hit, "T0812 T0819 T0843", "CVE-2023-6448", "would-have-blocked",
            "the first password of the maker was accepted",
            same=("ot.auth", "ot.hardening"), rows=[b])
    r = e.sense(t + m(2), "PROGRAM_UPLOAD_DEVICE", f"Host {ip} read the program of controller {hit.ip}.")
    e.harm(hit, t + m(2), "T0845", "ot-data-collected", "program", [r])
    x = e.sense(t + m(4), "PLC_OPERATING_MODE_CHANGED",
                f"Controller {hit.ip} went from Run to Stop. Command sent by {ip}.")
    e.harm(hit, t + m(4), "T0858", "plc-mode-changed", "Run to Stop", [x])
    p = e.sense(t + m(5), "PROGRAM_DEVICE", f"Host {ip} sent a program to controller {hit.ip}.")
    e.harm(hit, t + m(5), "T0843", "plc-program-changed", "a program from the internet", [p])
    c = e.sense(t + m(8), "SRTP_PLC_CHANGE_PASSWORD", f"Host {ip} changed the password of controller {hit.ip}.")
    u = e.warn(t + m(20), "Device is Suspected to be Disconnected (Unresponsive)",
               f"{hit.ip} does not answer {hmi.ip}.", None, hit,
               "Major", "Operational")
    e.harm(hit, t + m(8), "T0892", "control-lost", "the password was changed; the screen gets no answer", [c, u])
    for d in (plcs[0], plcs[2]): e.decoy(d, "CVE-2023-6448", "listed, not reached")
    e.missing |= {"AlertInfo", "AlertEvidence", "IoTCves_CL"}
    return ("helpdesk", "rounds")


@estate("office-to-dosing", "From a macro in the office over the jump host to the dosing; alarms turned off first")
def dosing(e):
    desks, jump, ews, hmi, hist, plcs = works(e, 6, "MODBUS", "Schneider", "M340")
    pc, al = desks[3], e.station(e.device("ALARM01", "s19", f"{e.net_ot}.2.30", "app", group="OT"), "Alarm Server",
                                 "Supervisory")
    t = e.at(e.workday(11), "10:09")
    w = e.run(pc, t, "winword.exe", f'"WINWORD.EXE" /n "C:\\Users\\{pc.user}\\Downloads\\Tender.docm"', e.base(pc,
        "OUTLOOK.EXE"))
    f = e.file(pc, t + s(22), "FileCreated", f"C:\\Users\\{pc.user}\\AppData\\Roaming\\Microsoft\\t.dll", w,
               content="dll t")
    r = e.run(pc, t + s(25), "regsvr32.exe", f"regsvr32.exe /s {f['FolderPath']}", w)
    a = e.rule(pc, t + s(22), "scid-2502", r)
    b = e.event(pc, t + s(25), "AsrOfficeChildProcessAudited", w, {"RuleId": "d4f940ab-401b-4efc-aadc-ad5f3c50688a"},
                FileName="regsvr32.exe", FolderPath="C:\\Windows\\System32\\regsvr32.exe", ProcessCommandLine=r.command)
    e.entry(pc, t, ["T1566.001", "T1204.002", "T1059.005"], "phishing", [w, f, r])
    e.cause(pc, "T1204.002 T1566.001", "scid-2502", "would-have-blocked",
            "both rules for Office audited this very file and start",
            same=("scid-2501",), rows=[a, b], audit=True)
    pc.audit.add("scid-2501")
    e.cause(pc, "T1059.005 T1566.001", "cfg.office_macro_internet", "would-have-blocked",
            "macros of files from the internet run", rows=[w])
    for i in range(16): e.net(pc, t + m(2) + h(3.1 * i), r, "203.0.113.131", 443, "docs-cache.example.net")
    k = e.at((t - e.start).days + 4, "23:14")
    q = rdp(e, pc, jump, k, "eng1", e.run(pc, k - s(3), "mstsc.exe", f"mstsc.exe /v:{jump.fqdn()}", r))
    e.cause(jump, "T1021.001 T0886", "ot.remote_access", "would-have-blocked",
            "the jump host takes any desk of the office and one proof",
            same=("id.mfa", "net.segment"), rows=[q])
    z = rdp(e, jump, ews, k + m(9), "eng1", e.run(jump, k + m(9) - s(3), "mstsc.exe", f"mstsc.exe /v:{ews.ip}", q))
    y = rdp(e, jump, al, k + m(14), "eng1", e.run(jump, k + m(14) - s(3), "mstsc.exe", f"mstsc.exe /v:{al.ip}", q))
    for d in (ews, al): e.sense(k + m(10), "REMOTE_ACCESS", f"RDP connection from {jump.ip} to {d.ip}.")
    st = e.run(al, k + m(18), "net.exe", "net stop AlarmServer /y", y)
    o = e.sense(k + m(18) + s(20), "OPC_AE_EVENT_CONDITION_MANAGEMENT_OPERATION",
                f"Host {al.ip} disabled the alarm conditions of {hmi.ip}.")
    e.harm(al, k + m(18), "T0878", "alarm-suppressed", "the alarm server was stopped", [st, o])
    e.harm(al, k + m(18), "T0881", "service-stopped", "AlarmServer", [st], optional=True)
    for i, plc in enumerate(plcs[:2]):
        x = k + m(26 + 5 * i)
        py = e.run(ews, x - s(9), "C:\\Users\\eng1\\AppData\\Local\\Temp\\mb\\mb.exe",
                   f"mb.exe --host {plc.ip} --unit 1 write 40021 900", z,
                   content="modbus writer")
        n = e.speak(x, ews, plc, py)
        c = e.sense(x + s(2), "CONFIGURATION_CHANGE", f"Host {ews.ip} wrote the configuration of controller {plc.ip}.")
        wn = e.warn(x + s(5), "Unauthorized Modbus Function Code", f"{ews.ip} sent function 16 to {plc.ip}.", ews, plc,
                    "Major")
        e.move(ews, plc, x, "T0855", "Modbus writes", [n, c])
        e.harm(plc, x + s(2), "T0836", "parameter-changed", "register 40021 (dose)", [py, c])
        e.harm(plc, x, "T0855", "command-sent", "function 16 outside of the learned ones", [n, wn])
        e.cause(plc, "T0855 T0836", "ot.allowlist", "would-have-limited", "any station may send any function",
                same=("ot.auth", "ot.comm_auth"), rows=[n, wn])
    e.decoy(desks[0], "cfg.office_macro_internet", "off; the file did not come here")
    e.decoy(hist, "scid-2509", "off, never reached")
    e.unknowns.append("how much was dosed: only the historian's values say")
