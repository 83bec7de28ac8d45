"""A grid operator and a line behind a stick."""
from . import estate
from .plants import works
from .steps import m, psexec, s


@estate("grid-104", "A grid operator: breakers opened from the wrong station, gateways overwritten, screens wiped")
def grid(e):
    desks, jump, ews, hmi, hist, plcs = works(e, 3, "IEC-60870", "ABB", "RTU560")
    o = e.net_ot
    gws = [e.controller(f"GW-{i}", f"{o}.1.{80 + i}", "Moxa", "MGate 5114", "MODBUS", "1.2",
                        "Protocol Converter") for i in (1, 2)]
    for d in plcs: d.ot_type = "RTU"
    e.links += [(hmi, g) for g in gws]
    vp = e.device("VPN-POOL-31", "w10", "252.31", "vpn", agent=False, listed=False)
    for n in range(1, 18): e.sense(e.at(n, "00:30"), "CONFIGURATION_READ",
                                   f"Host {hmi.ip} read the configuration of controller {plcs[0].ip}.")
    t = e.at(16, "15:30")
    a = e.logon(hist, t, "adm.scada", "RemoteInteractive", ("vpn-pool-31", vp.ip), admin=True)
    ra = e.sense(t + s(2), "REMOTE_ACCESS", f"RDP connection from {vp.ip} to {hist.ip}.")
    sh = e.run(hist, t + s(9), "explorer.exe", "C:\\Windows\\Explorer.EXE", e.base(hist, "winlogon.exe"),
               user="adm.scada", level="High",
               remote=vp.ip)
    e.entry(vp, t, ["T1133", "T1078", "T0822", "T0859"], "valid-account", [a, ra])
    e.move(vp, hist, t, "T1021.001", "remote desktop past the jump host", [a, ra, sh])
    e.cause(hist, "T0822 T1133 T0886 T1021.001", "ot.remote_access", "would-have-blocked",
            "the VPN leads straight to the plant's historian, past the jump host", same=("net.segment", "id.mfa"),
            rows=[a, ra])
    x = e.run(hist, t + m(7), "C:\\Dispatch\\104.exe", "C:\\Dispatch\\104.exe C:\\Dispatch\\104.ini", sh,
              content="ind104")
    for i, d in enumerate(plcs):
        k = t + m(8) + s(40 * i)
        n = e.speak(k, hist, d, x)
        c = e.sense(k + s(1), "DEVICE_CONNECTION_CREATED",
                    f"New connection between {hist.ip} and {d.ip} over IEC 60870-5-104.")
        w = e.warn(k + s(4), "Unauthorized IEC 60870 Command", f"{hist.ip} sent a double command to {d.ip}.", hist, d,
                   "Major")
        e.move(hist, d, k, "T0855", "IEC 104 from a station that is no master", [n, c])
        e.harm(d, k, "T0855", "command-sent", "breakers opened", [n, w])
        e.cause(d, "T0855", "ot.allowlist", "would-have-limited", "the unit takes commands of any station",
                same=("ot.comm_auth", "ot.auth"), rows=[n, w])
    for i, g in enumerate(gws):
        k = t + m(19 + 2 * i)
        n = e.net(hist, k, x, g.ip, 4900)
        f = e.sense(k + s(12), "FIRMWARE_UPDATE", f"Host {hist.ip} updated the firmware of {g.ip}.")
        u = e.warn(k + m(4), "Device is Suspected to be Disconnected (Unresponsive)", f"{g.ip} does not answer.", None,
                   g, "Major", "Operational")
        e.move(hist, g, k, "T0857", "its maintenance port", [n, f])
        e.harm(g, k + s(12), "T0857", "plc-firmware-changed", "firmware overwritten", [f])
        e.harm(g, k + m(4), "T0813", "control-lost", "the gateway does not answer any more", [u])
        e.cause(g, "T0857", "ot.signed_fw", "would-have-blocked", "takes any firmware", same=("ot.auth",), rows=[f])
    k = t + m(33)
    q = psexec(e, hist, hmi, k, "adm.scada", sh, "cmd.exe", "dispsvc")
    p = e.run(hmi, k + m(1), "C:\\Windows\\Temp\\kd.exe", "C:\\Windows\\Temp\\kd.exe", q, content="killdisk")
    e.run(hmi, k + m(1) + s(4), "taskkill.exe", "taskkill /f /im scada_client.exe", p)
    rows = [e.file(hmi, k + m(2) + s(i / 4), "FileDeleted", f"D:\\Scada\\Project\\picture{i}.grf",
                   p) for i in range(30)]
    un = e.warn(k + m(6), "Device is Suspected to be Disconnected (Unresponsive)", f"{hmi.ip} does not answer.", None,
                hmi, "Major", "Operational")
    e.harm(hmi, k + m(1), "T0809", "data-destroyed", "pictures and project", [p, rows[:2]])
    e.harm(hmi, k + m(1) + s(4), "T0815", "view-lost", "the operators' screen", [p, un])
    e.cause(hmi, "T1569.002", "scid-2510", "would-have-blocked",
            "the rule against children of services from afar was off", rows=[q])
    e.decoy(ews, "scid-2510", "off, never reached")
    e.decoy(jump, "scid-84", "off; the jump host was passed by")
    return ("people",)


@estate("stick-at-the-line", "A stick in the operators' station; the screen goes dark; blocks are sent to a controller")
def line(e):
    e.people(6)
    e.servers("dc", "file")
    o = e.net_ot
    hmi = e.station(e.device("OP-ST1", "w10", f"{o}.2.11", "hmi", "line1", group="OT"), "HMI", "Line")
    hm2 = e.station(e.device("OP-ST2", "w10", f"{o}.2.12", "hmi", "line2", group="OT"), "HMI", "Line")
    plcs = [e.controller(f"CPU-{i}", f"{o}.1.{20 + i}", "Siemens", "S7-1500", "Siemens S7", "2.9") for i in range(1, 5)]
    for n in (3, 10):
        d = e.event(hm2, e.at(n, "11:00"), "UsbDriveMounted", None, {"DriveLetter": "E:",
            "ProductName": "Plant transfer", "SerialNumber": "PT01"})
        e.benign(hm2, e.at(n, "11:00"), "data-staged", "the plant's own checked stick with recipes", [d])
    t = e.at(17, "02:49")
    u = e.event(hmi, t, "UsbDriveMounted", None, {"DriveLetter": "F:", "ProductName": "Ultra",
                                                  "SerialNumber": "4C530001"})
    c = e.run(hmi, t + s(40), "rundll32.exe", "rundll32.exe F:\\~wtr4.tmp,DllGetClassObject", e.base(hmi,
        "explorer.exe"))
    l = e.load(hmi, t + s(41), "F:\\~wtr4.tmp", c, content="wtr4")
    e.entry(hmi, t + s(40), ["T1091", "T0847"], "removable-media", [u, c, l])
    e.cause(hmi, "T0847 T1091", "ot.removable", "would-have-blocked", "an unchecked stick on an operators' station",
            same=("usb.control", "scid-2511"), rows=[u, c])
    f = e.file(hmi, t + m(1), "FileCreated", "C:\\Windows\\System32\\drivers\\mrxcls.sys", c, content="mrxcls")
    r = e.registry(hmi, t + m(1) + s(2), "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\MRxCls", "ImagePath",
                   "C:\\Windows\\System32\\drivers\\mrxcls.sys", c)
    e.harm(hmi, t + m(1), "T1543.003", "persistence-added", "driver MRxCls", [f, r])
    k = e.run(hmi, t + m(3), "taskkill.exe", "taskkill /f /im WinCCExplorer.exe", c)
    un = e.warn(t + m(9), "Device is Suspected to be Disconnected (Unresponsive)", f"{hmi.ip} stopped its sessions.",
                None, hmi, "Major", "Operational")
    e.harm(hmi, t + m(3), "T0815", "view-lost", "WinCC was ended", [k, un])
    e.harm(hmi, t + m(3), "T0881", "service-stopped", "WinCC", [k], optional=True)
    plc = plcs[2]
    n = e.speak(t + m(5), hmi, plc, c)
    p = e.sense(t + m(5) + s(3), "PROGRAM_DEVICE", f"Host {hmi.ip} sent a program to controller {plc.ip}.")
    md = e.sense(t + m(6), "S7_PLC_MODE_CHANGE",
                 f"Controller {plc.ip} went from Run to Stop. Command sent by {hmi.ip}.")
    e.move(hmi, plc, t + m(5), "T0843", "S7 from an operators' station", [n, p])
    e.harm(plc, t + m(5) + s(3), "T0843", "plc-program-changed", "blocks from a station that never programs", [p])
    e.harm(plc, t + m(6), "T0858", "plc-mode-changed", "Run to Stop", [md])
    e.cause(plc, "T0843 T0858", "ot.keyswitch", "would-have-blocked", "took a program and a stop over the wire",
            same=("ot.auth",), rows=[p, md])
    e.decoy(hm2, "scid-2511", "off; only the plant's own stick was put in")
    e.missing |= {"AlertInfo", "AlertEvidence", "DeviceTvmSoftwareVulnerabilities", "IoTManagedDevices_CL"}
    return ("scanner", "management")
