"""State tables: how each device was set, patched and equipped, as a history."""
import datetime as dt

from . import facts
from .acts import stamp
from .device import PLATFORMS

PROFILE = "5f1c2f3a-0000-4000-8000-00000000feed"
HOUR = dt.timedelta(hours=1)


class Posture:
    """The part of an estate that makes state rows."""

    def state(self, table, row, t, change="Added", of=None):
        row = {k: v for k, v in row.items() if v is not None} | {"ChangeType": change, "TimeGenerated": stamp(t)}
        row |= {"_table": table, "_of": of}
        self.rows.setdefault(table, []).append(row)
        return row

    def open_controls(self, dev):
        """The settings that are off on a device and can be seen to be."""
        if not dev.agent: return {c for c in dev.off if not c.startswith(("scid-", "cfg."))}
        out = set(dev.off)
        out = {c for c in out if not c.startswith("scid-") or
               c in facts.SETTINGS and dev.applies(c, facts.SETTINGS[c][3])}
        return {c for c in out if not c.startswith("cfg.") or dev.windows and c in facts.BASELINE}

    def loosen(self, dev):
        """A few gaps that every estate has somewhere."""
        for c in facts.LOOSE:
            if dev.applies(c, facts.SETTINGS[c][3]) and self.rng.random() < self.looseness: dev.off.add(c)
        for c in facts.BASELINE:
            if dev.windows and self.rng.random() < self.looseness * 0.6: dev.off.add(c)
        for c in facts.RULES:
            if self.rng.random() < 0.12 and c not in dev.off:
                dev.off.add(c)
                if self.rng.random() < 0.6: dev.audit.add(c)
        for c in facts.LOOSE_CVES.get(dev.letter, ()):
            if c == "CVE-2024-38063" and dev.platform != "w11": continue
            if self.rng.random() < 0.3: dev.cves.setdefault(c, None)

    def posture(self):
        """Every state row of the estate."""
        agents = [d for d in self.devices.values() if d.kind != "ot"]
        for dev in agents:
            self._identity(dev)
            if dev.agent or dev.cves: self._software(dev)
            if not dev.agent: continue
            self._settings(dev)
            self._antivirus(dev)
        self._knowledge(agents)

    def _identity(self, dev):
        name, version, build, _, kind, _, _ = PLATFORMS[dev.platform]
        if not dev.listed: return
        onboarded = "Onboarded" if dev.agent else "Can be onboarded"
        info = {"DeviceId": dev.id, "OSPlatform": name, "OSVersion": version,
                "OSBuild": build, "Timestamp": stamp(self.start - 2 * HOUR), "OSArchitecture": "64-bit",
                "OnboardingStatus": onboarded, "SensorHealthState": "Active" if dev.agent else "No sensor data",
                "DeviceType": kind, "DeviceCategory": "Endpoint" if dev.agent else "NetworkDevice",
                "MachineGroup": dev.group, "IsInternetFacing": dev.facing, "ExposureLevel": "Medium",
                "AssetValue": "Normal", "PublicIP": self.egress, "JoinType": "Domain Joined" if dev.windows else None,
                "LoggedOnUsers": [{"UserName": dev.user, "DomainName": self.org}] if dev.user else [],
                "ClientVersion": "10.8760.26100.1" if dev.agent else None,
                "Vendor": dev.vendor, "Model": dev.model}
        if not dev.agent and dev.platform == "appliance": info["DeviceType"] = "NetworkDevice"
        self.state("DeviceInfo", info | {"DeviceName": dev.fqdn(self.start)}, self.start)
        if dev.renamed:
            info["Timestamp"] = stamp(dev.renamed)
            self.state("DeviceInfo", info | {"DeviceName": dev.fqdn()}, dev.renamed + 5 * HOUR, "Changed")
        machine = {"MachineId": dev.id, "OSPlatform": name, "OSVersion": version, "OSBuild": build,
                   "HealthStatus": "Active" if dev.agent else "NoSensorData", "RiskScore": "None",
                   "OnboardingStatus": "Onboarded" if dev.agent else "CanBeOnboarded", "ExposureLevel": "Medium",
                   "DeviceValue": "Normal", "RbacGroupName": dev.group, "FirstSeen": stamp(self.start - 4800 * HOUR),
                   "LastSeen": stamp(self.start)}
        for at, address in [(self.start, dev.address(self.start)), *dev.leases]:
            change = "Added" if at == self.start else "Changed"
            card = {"ipAddress": address, "macAddress": dev.mac()}
            self.state("MDEMachines_CL", machine | {"ComputerDnsName": dev.fqdn(at), "LastIpAddress": address,
                                                    "IpAddresses": [card]}, at, change)
            if not dev.agent: continue
            self.state("DeviceNetworkInfo", {
                "Timestamp": stamp(at), "DeviceId": dev.id, "DeviceName": dev.fqdn(at), "MacAddress": dev.mac(),
                "NetworkAdapterName": "{" + dev.id[:8] + "}", "NetworkAdapterType": "Ethernet",
                "NetworkAdapterStatus": "Up", "IPAddresses": [{"IPAddress": address, "SubnetPrefix": 24,
                                                               "AddressType": "Private"}],
                "ConnectedNetworks": [{"Name": dev.domain, "Category": "DomainAuthenticated"}]}, at, change)
        if dev.user and dev.agent:
            self.state("MDELogonUsers_CL", {
                "DeviceId": dev.id, "AccountDomain": self.org, "AccountName": dev.user, "LogonTypes": "Interactive",
                "IsDomainAdmin": dev.user.startswith("adm"), "IsOnlyNetworkUser": False,
                "FirstSeen": stamp(self.start), "LastSeen": stamp(self.end)}, self.start)

    def _assessment(self, dev, control, compliant, t, change):
        title, category, sub, _ = facts.SETTINGS[control]
        row = {"DeviceId": dev.id, "DeviceName": dev.fqdn(t), "OSPlatform": PLATFORMS[dev.platform][0],
               "Timestamp": stamp(t - dt.timedelta(minutes=self.rng.randint(10, 1430))), "ConfigurationId": control,
               "ConfigurationCategory": category, "ConfigurationSubcategory": sub,
               "ConfigurationImpact": round(self.rng.uniform(4, 9), 1), "IsCompliant": compliant, "IsApplicable": True,
               "IsExpectedUserImpact": False}
        if control in facts.RULES:
            word = "Block" if compliant else "Audit" if control in dev.audit else "Off"
            row["Context"] = [[word]]
            if word == "Audit" and dev.pid % 5 == 0: row["IsCompliant"] = True
        self.state("DeviceTvmSecureConfigurationAssessment", row, t, change, (dev.name, control))

    def _settings(self, dev):
        keyframes = [self.start + dt.timedelta(days=n, hours=3) for n in (7, 14, 21) if n < self.days]
        off = self.open_controls(dev)
        for control, (_, category, sub, platforms) in facts.SETTINGS.items():
            if not dev.applies(control, platforms):
                same = dev.windows and platforms in "cx" or control in dev.unlisted
                if same: self.state("DeviceTvmSecureConfigurationAssessment", {
                    "DeviceId": dev.id, "DeviceName": dev.fqdn(self.start), "OSPlatform": PLATFORMS[dev.platform][0],
                    "Timestamp": stamp(self.start - 9 * HOUR), "ConfigurationId": control,
                    "ConfigurationCategory": category, "ConfigurationSubcategory": sub, "ConfigurationImpact": 5.0,
                    "IsCompliant": False, "IsApplicable": False, "IsExpectedUserImpact": False}, self.start)
                continue
            now = control not in off
            self._assessment(dev, control, now, self.start, "Added")
            history = sorted((t, c) for t, name, c in dev.changes if name == control)
            for k in keyframes:
                seen = [c for t, c in history if t + 14 * HOUR <= k]
                if self.rng.random() < 0.2 or seen: self._assessment(dev, control, seen[-1] if seen else now, k,
                                                                     "Snapshot")
            for t, compliant in history:
                self._assessment(dev, control, compliant, t + dt.timedelta(hours=self.rng.uniform(25, 31)), "Changed")
        if not dev.windows: return
        for control, (item, path, wanted, loose) in facts.BASELINE.items():
            bad = control in off
            self.state("DeviceBaselineComplianceAssessment", {
                "DeviceId": dev.id, "DeviceName": dev.fqdn(self.start), "OSPlatform": PLATFORMS[dev.platform][0],
                "ConfigurationId": item, "ProfileId": PROFILE, "IsCompliant": not bad, "IsApplicable": True,
                "Source": [path], "RecommendedValue": [f"Equal '{wanted}'"], "CurrentValue": [loose if bad else wanted],
                "IsExempt": False}, self.start, "Added", (dev.name, control))

    def _antivirus(self, dev):
        word = {"0": "0", "1": "1", "2": "2"} if self.style == "a" else {"0": "Active", "1": "Passive", "2": "Disabled"}
        for n in range(0, self.days, 1 if self.style == "a" else 2):
            day = self.start + dt.timedelta(days=n)
            last = min(day, dev.av_stale) if dev.av_stale else day
            fresh = (day - last).days < 3
            version = f"1.433.{(last - self.start).days * 11 + 210}.0"
            self.state("MDEAntivirusHealth_CL", {
                "DeviceId": dev.id, "DeviceName": dev.fqdn(day), "OSKind": dev.kind,
                "OSPlatform": PLATFORMS[dev.platform][0], "AvMode": word[dev.av_mode], "AvSignatureVersion": version,
                "AvEngineVersion": "1.1.26070.3", "AvPlatformVersion": "4.18.26070.5",
                "AvIsSignatureUpToDate": str(fresh), "AvIsEngineUpToDate": "True", "AvIsPlatformUpToDate": "True",
                "AvSignatureUpdateTime": stamp(last + 5 * HOUR), "AvSignaturePublishTime": stamp(last + 2 * HOUR),
                "LastSeenTime": stamp(day + 8 * HOUR), "DataRefreshTimestamp": stamp(day + 8 * HOUR),
                "RbacGroupName": dev.group, "QuickScanResult": "Completed", "QuickScanTime": stamp(day + 11 * HOUR)},
                day + 8.5 * HOUR if n else self.start, "Changed" if n else "Added")
            if fresh and dev.windows and n:
                self.event(dev, day + dt.timedelta(hours=5, minutes=self.rng.randint(0, 70)),
                           "AntivirusDefinitionsUpdated", self.base(dev, "MsMpEng.exe"), {"Version": version})

    def _software(self, dev):
        name, _, _, _, _, product, version = PLATFORMS[dev.platform]
        own = [("microsoft" if dev.windows else "canonical", product, version)] if product and dev.agent else []
        if not dev.agent: name = dev.vendor or name
        if dev.windows: own += [("microsoft", "edge_chromium-based", "127.0.2651.86")]
        if dev.windows and not dev.server: own += [("microsoft", "office", "16.0.17726.20160")]
        own += dev.software
        row = {"DeviceId": dev.id, "DeviceName": dev.fqdn(self.start), "OSPlatform": name, "OSArchitecture": "x64"}
        for cve, fixed in dev.cves.items():
            vendor, software, flawed, score, update, _, _ = facts.CVES[cve]
            if software.startswith("windows_"): software, flawed = product, version
            if (vendor, software, flawed) not in own: own.append((vendor, software, flawed))
            flaw = row | {"SoftwareVendor": vendor, "SoftwareName": software, "SoftwareVersion": flawed, "CveId": cve,
                          "VulnerabilitySeverityLevel": "Critical" if score >= 9 else "High", "CvssScore": score,
                          "ExploitabilityLevel": "ExploitIsPublic", "RecommendedSecurityUpdate": update,
                          "SecurityUpdateAvailable": True, "FirstSeenTimestamp": stamp(self.start - 900 * HOUR),
                          "LastSeenTimestamp": stamp(fixed or self.end)}
            self.state("DeviceTvmSoftwareVulnerabilities", flaw, self.start, "Added", (dev.name, cve))
            if fixed: self.state("DeviceTvmSoftwareVulnerabilities", flaw, fixed, "Removed")
        if not dev.agent and not dev.cves: return
        for vendor, software, release in own:
            self.state("DeviceTvmSoftwareInventory", row | {
                "SoftwareVendor": vendor, "SoftwareName": software, "SoftwareVersion": release}, self.start)

    def _knowledge(self, agents):
        for control, (title, category, sub, _) in facts.SETTINGS.items():
            self.state("DeviceTvmSecureConfigurationAssessmentKB", {
                "ConfigurationId": control, "ConfigurationName": title, "ConfigurationCategory": category,
                "ConfigurationSubcategory": sub, "ConfigurationImpact": 7.0}, self.start)
        for cve in sorted({c for d in self.devices.values() for c in d.cves}):
            vendor, software, flawed, score, update, kev, ransom = facts.CVES[cve]
            self.state("DeviceTvmSoftwareVulnerabilitiesKB", {
                "CveId": cve, "CvssScore": score, "IsExploitAvailable": True,
                "PublishedDate": f"{cve[4:8]}-07-01T00:00:00Z",
                "VulnerabilitySeverityLevel": "Critical" if score >= 9 else "High"}, self.start)
            if not kev: continue
            maker, product, title, added = kev.split("|")
            self.state("KnownExploitedVulnerabilities_CL", {
                "CveId": cve, "VendorProject": maker, "Product": product,
                "VulnerabilityName": f"{maker} {product} {title}",
                "DateAdded": added + "T00:00:00Z", "DueDate": added[:4] + "-12-31T00:00:00Z",
                "KnownRansomwareCampaignUse": ransom}, self.start)
