"""A plant as a Defender for IoT sensor sees it."""
import datetime as dt

from .acts import stamp

TITLES = {"PROGRAM_DEVICE": "PLC Programming", "PROGRAM_UPLOAD_DEVICE": "PLC Program Upload",
          "PLC_START": "PLC Start", "PLC_OPERATING_MODE_CHANGED": "PLC Operating Mode Change Detected",
          "S7_PLC_MODE_CHANGE": "PLC Mode Change", "S7PLUS_PROGRAMMING": "PLC Programming",
          "ENIP_CONTROLLER_GENERIC_STOP": "Controller Stop", "ENIP_CONTROLLER_GENERIC_START": "Controller Start",
          "ENIP_CONTROLLER_GENERIC_RESET": "Controller Reset", "FIRMWARE_UPDATE": "Firmware Update",
          "FIRMWARE_CHANGED": "PLC Firmware Changed", "REMOTE_ACCESS": "Remote Access Connection Established",
          "CONFIGURATION_CHANGE": "PLC Configuration Write", "CONFIGURATION_READ": "PLC Configuration Read",
          "DEVICE_UPDATE": "Device Updated", "DEVICE_CREATE": "Device Detected", "SCAN": "Scan Device Detected",
          "DEVICE_CONNECTION_CREATED": "Device Connection Detected", "USER_LOGIN": "User Login Attempt",
          "INTERNET_ACCESS": "Internet Access", "FILE_TRANSFER": "File Transfer Detected",
          "SRTP_CHANGE_LEVEL_FAILED": "PLC Change access level failed", "BACK_TO_NORMAL": "Back to Normal",
          "SRTP_PLC_CHANGE_PASSWORD": "PLC Password Change", "SIEMENS_S_7_AUTHENTICATION": "Siemens S7 Authentication",
          "OPC_AE_EVENT_CONDITION_MANAGEMENT_OPERATION": "OPC AE Event Condition Management Operation",
          "CLEARTEXT_AUTHENTICATION": "Cleartext Authentication", "ALERT_REPORTED": "Alert Detected"}
PORTS = {"Siemens S7": 102, "MODBUS": 502, "IEC-60870": 2404, "EtherNet/IP": 44818, "Triconex": 1502,
         "Unitronics PCOM": 20256, "SRTP": 18245, "OPC UA": 4840}


class Plant:
    """The part of an estate that makes rows of the sensor and its console."""

    def controller(self, name, ip, vendor, model, protocol, firmware="2.8.3", ot_type="PLC", zone="Process",
                   role="plc"):
        """A plant device; it has no agent."""
        dev = self.device(name, "ot", ip, role, agent=False)
        dev.vendor, dev.model, dev.protocol, dev.firmware = vendor, model, protocol, firmware
        dev.ot_type, dev.zone, dev.purdue = ot_type, zone, "Process Control"
        return dev

    def station(self, dev, ot_type, zone, purdue="Supervisory"):
        """A Windows or Linux machine that the sensor sees as well."""
        dev.ot_type, dev.zone, dev.purdue = ot_type, zone, purdue
        return dev

    def sense(self, t, kind, content, severity="NOTICE", owner=None):
        """An event in the sensor's timeline."""
        t += dt.timedelta(microseconds=self.rng.randint(0, 800000))
        row = {"SensorName": self.sensor, "EventTime": stamp(t), "EventType": kind, "EventTitle": TITLES[kind],
               "Severity": severity, "Content": content, "Owner": owner}
        return self.put("IoTEvents_CL", row, t)

    def warn(self, t, title, message, frm=None, to=None, severity="Major", engine="Policy Violation"):
        """An alert of the sensor."""
        self.ot_alerts += 1
        numbers = {d.name: n for n, d in enumerate(self.in_plant(), 11)}
        return self.put("IoTAlerts_CL", {
            "SensorName": self.sensor, "AlertId": 100 + self.ot_alerts, "AlertTime": stamp(t), "AlertTitle": title,
            "Message": message, "SiteName": self.site, "ZoneName": to.zone if to else frm.zone if frm else "Process",
            "IsHandled": False, "Severity": severity, "Engine": engine,
            "SourceDeviceId": numbers.get(frm.name) if frm else None,
            "DestinationDeviceId": numbers.get(to.name) if to else None}, t)

    def in_plant(self):
        return [d for d in self.devices.values() if d.ot_type]

    def speak(self, t, station, plc, by=None):
        """The network row of a station that opens a controller."""
        return self.net(station, t, by, plc.ip, PORTS[plc.protocol])

    def inventory(self):
        """What the sensor and its console know of the plant."""
        plant = self.in_plant()
        if not plant: return
        for n, dev in enumerate(plant, 11):
            known = dev.ot_type not in ("Unknown",)
            mac = dev.mac()
            self.state("IoTDevices_CL", {
                "SensorName": self.sensor, "DeviceId": n, "DeviceName": dev.name, "DeviceType": dev.ot_type,
                "IpAddress": dev.ip, "IpAddresses": [dev.ip], "MacAddresses": [mac], "Vendor": dev.vendor,
                "OperatingSystem": None if dev.kind == "ot" else dev.platform, "IsAuthorized": known,
                "IsEngineeringStation": dev.role == "ews", "IsScanner": False,
                "Protocols": [dev.protocol] if dev.protocol else ["TCP"], "Model": dev.model,
                "FirmwareVersion": dev.firmware}, self.start)
            self.state("IoTDeviceVulnerabilities_CL", {
                "SensorName": self.sensor, "DeviceName": dev.name, "IpAddress": dev.ip, "IpAddresses": [dev.ip],
                "SecurityScore": 61.0, "Vendor": dev.vendor, "FirmwareVersion": dev.firmware, "Model": dev.model,
                "PlainTextPasswords": [], "RemoteAccess": [], "OpenedPorts": [], "WeakAuthentication": [],
                "Cves": [{"id": c} for c in sorted(dev.cves)], "IsEngineeringStation": dev.role == "ews",
                "IsUnauthorized": not known, "IsBackupServer": False, "IsKnownScanner": False,
                "MalwareIndicationsDetected": False, "OtherFindings": {}} | getattr(dev, "findings", {}), self.start)
            self.state("IoTManagedDevices_CL", {
                "ManagerName": "console", "DeviceId": 2000 + n, "DeviceName": dev.name, "SiteName": self.site,
                "ZoneName": dev.zone, "SensorIds": [1], "DeviceType": dev.ot_type, "PurdueLayer": dev.purdue,
                "DeviceCategory": "ICS" if dev.kind == "ot" else "IT", "Vendor": dev.vendor, "IpAddresses": [dev.ip],
                "MacAddresses": [mac]}, self.start)
            for cve in sorted(dev.cves):
                self.state("IoTCves_CL", {"SensorName": self.sensor, "IpAddress": dev.ip, "CveId": cve,
                                          "CvssScore": 9.8, "AttackVector": "NETWORK", "Description": dev.model},
                           self.start, "Added", (dev.name, cve))
        numbers = {d.name: n for n, d in enumerate(plant, 11)}
        for frm, to in self.links:
            self.state("IoTConnections_CL", {
                "SensorName": self.sensor, "FirstDeviceId": numbers[frm.name], "SecondDeviceId": numbers[to.name],
                "Ports": [PORTS.get(to.protocol, 445)], "Protocols": [to.protocol or "TCP"],
                "Discovered": stamp(self.start - dt.timedelta(days=90)), "LastSeen": stamp(self.end)}, self.start)
        self.state("IoTAppliances_CL", {
            "ManagerName": "console", "ApplianceId": 1, "ApplianceName": self.sensor, "Version": "22.3.7",
            "ZoneId": 1, "IsActivated": True, "IsInLearningMode": False, "ConnectionState": "SYNCED",
            "DeviceCount": len(plant)}, self.start)

    def program(self, t, station, plc, by, read=True):
        """A station reads a controller, puts it into Program, sends a program and starts it again."""
        s, p, m = station.ip, plc.ip, dt.timedelta(seconds=1)
        rows = {}
        if read: rows["read"] = self.sense(t, "PROGRAM_UPLOAD_DEVICE", f"Host {s} read the program of controller {p}.")
        rows["net"] = self.speak(t + 20 * m, station, plc, by)
        rows["mode"] = self.sense(t + 30 * m, "PLC_OPERATING_MODE_CHANGED",
                                  f"Controller {p} went from Run to Program. Command sent by {s}.")
        rows["program"] = self.sense(t + 50 * m, "PROGRAM_DEVICE", f"Host {s} sent a program to controller {p}.")
        rows["start"] = self.sense(t + 110 * m, "PLC_START", f"Controller {p} was started by {s}.")
        return rows
