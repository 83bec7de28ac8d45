"""Devices and the processes that run on them."""
import dataclasses
import datetime as dt
import hashlib

# platform -> (OSPlatform, OSVersion, build, kind, DeviceType, inventory name, inventory version)
PLATFORMS = {
    "w10": ("Windows10", "10.0", 19045, "windows", "Workstation", "windows_10", "10.0.19045.4651"),
    "w11": ("Windows11", "10.0", 22631, "windows", "Workstation", "windows_11", "10.0.22631.3880"),
    "s16": ("WindowsServer2016", "10.0", 14393, "windows", "Server", "windows_server_2016", "10.0.14393.7159"),
    "s19": ("WindowsServer2019", "10.0", 17763, "windows", "Server", "windows_server_2019", "10.0.17763.6054"),
    "s22": ("WindowsServer2022", "10.0", 20348, "windows", "Server", "windows_server_2022", "10.0.20348.2582"),
    "linux": ("Linux", "22.4", None, "linux", "Server", "ubuntu_linux", "22.04"),
    "mac": ("macOS", "14.5", None, "mac", "Workstation", "mac_os", "14.5"),
    "appliance": ("FortiOS", "7.2", None, "other", "NetworkDevice", "fortios", "7.2.6"),
    "ot": ("Unknown", None, None, "ot", "OT", None, None)}


def digest(text, length=40):
    """A stable hash of a name: the same program has the same hash everywhere."""
    return hashlib.sha256(text.lower().encode()).hexdigest()[:length]


@dataclasses.dataclass(eq=False)
class Process:
    """A process as the columns InitiatingProcess* describe it."""
    device: "Device"
    path: str
    command: str
    pid: int
    born: dt.datetime
    user: str
    domain: str
    level: str
    parent: "Process" = None
    row: dict = None
    remote: str = None
    content: str = None  # what the file holds, when it is not the path that decides its hash

    @property
    def file(self):
        return self.path.replace("/", "\\").split("\\")[-1]

    @property
    def sha256(self):
        return digest(self.content or self.file + self.path.split("\\")[-1], 64)


@dataclasses.dataclass(eq=False)
class Device:
    """One machine, with the controls that are off on it and the flaws that are open on it."""
    name: str
    platform: str
    ip: str
    role: str
    domain: str
    user: str = None
    group: str = "Clients"
    agent: bool = True
    facing: bool = False
    listed: bool = True  # in the device inventory, even without an agent
    off: set = dataclasses.field(default_factory=set)
    audit: set = dataclasses.field(default_factory=set)
    unlisted: set = dataclasses.field(default_factory=set)  # controls that were not applicable
    cves: dict = dataclasses.field(default_factory=dict)  # id -> when it was fixed, or None
    changes: list = dataclasses.field(default_factory=list)  # (time, control, compliant) as later assessed
    software: list = dataclasses.field(default_factory=list)
    av_mode: str = "0"
    av_stale: dt.datetime = None  # definitions stand still from here on
    skew: float = 0.0  # seconds by which its clock is wrong
    purdue: str = None
    vendor: str = None
    model: str = None
    firmware: str = None
    protocol: str = None
    ot_type: str = None
    zone: str = None
    former: str = None  # name before it was renamed
    renamed: dt.datetime = None
    leases: list = dataclasses.field(default_factory=list)  # (time, address)
    pid: int = 0
    report: int = 0
    bases: dict = dataclasses.field(default_factory=dict)

    @property
    def id(self):
        return digest("device" + self.name + self.domain)

    @property
    def kind(self):
        return PLATFORMS[self.platform][3]

    @property
    def windows(self):
        return self.kind == "windows"

    @property
    def server(self):
        return PLATFORMS[self.platform][4] == "Server"

    @property
    def letter(self):
        return {"windows": "w", "linux": "l", "mac": "m"}.get(self.kind, "-")

    def fqdn(self, at=None):
        """The full name, as it was at a time."""
        name = self.former if self.former and at and at < self.renamed else self.name
        return name if self.kind == "ot" else f"{name.lower()}.{self.domain}"

    def address(self, at=None):
        """The address, as it was at a time."""
        held = [a for t, a in self.leases if at and t <= at]
        return held[-1] if held else self.ip

    def mac(self):
        h = digest("mac" + self.id, 12).upper()
        return ":".join(h[i:i + 2] for i in range(0, 12, 2))

    def applies(self, control, platforms):
        """Whether a setting is one of this device's platform and role."""
        if control in self.unlisted: return False
        if platforms == "x": return self.role == "exchange"
        if platforms == "c": return self.windows and not self.server
        return platforms == self.letter
