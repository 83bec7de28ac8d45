"""Thirty simulated days: what is sent when only changes go out, beside sending everything on every run as the connector of 2021 did;
and whether any day follows from what was sent alone.

    python3 Benchmarks/history/run.py [--devices 5000] [--days 30] [--vestige .build/release/vestige]

Nothing of Vestige is used to check: the tenant is asked over its own interfaces each day, and compared with a state that is kept up to
date by nothing but the records that arrived at the ingestion endpoint.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEALTH = ["mde-windows-health", "mde-macos-health", "mde-linux-health"]
SOURCES = HEALTH + ["mde-machines", "mde-software-vulnerabilities"]
CONFIGURATION = "DeviceTvmSecureConfigurationAssessment"
VULNERABILITIES = "DeviceTvmSoftwareVulnerabilities"
MACHINES = "MDEMachines_CL"


def call(url, body=None, headers=None):
    request = urllib.request.Request(url, data=body, headers=headers or {})
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)


class Tenant:
    """The simulated tenant, asked as anybody could ask it."""

    def __init__(self, base, settings):
        self.base, self.settings, self.tokens = base, settings, {}

    def token(self, audience):
        if audience not in self.tokens:
            form = urllib.parse.urlencode({
                "grant_type": "client_credentials", "client_id": self.settings["clientId"], "client_secret": self.settings["secret"],
                "scope": audience + "/.default"}).encode()
            self.tokens[audience] = call(f"{self.base}/{self.settings['tenantId']}/oauth2/v2.0/token", form)["access_token"]
        return {"Authorization": "Bearer " + self.tokens[audience]}

    def hunt(self, query):
        headers = self.token("https://graph.microsoft.com") | {"Content-Type": "application/json"}
        return call(self.base + "/v1.0/security/runHuntingQuery", json.dumps({"Query": query}).encode(), headers)["results"]

    def pages(self, path):
        url = self.base + path
        while url:
            answer = call(url, headers=self.token("https://api.securitycenter.microsoft.com"))
            yield from answer["value"]
            url = answer.get("@odata.nextLink")

    def truth(self):
        """What is true today: content by key."""
        self.tokens = {}  # a day of the tenant has gone by since the last question, and its tokens last an hour
        parts = 16
        settings = {}
        for part in range(parts):
            columns = "DeviceId, ConfigurationId, DeviceName, OSPlatform, IsCompliant, IsApplicable, Context"
            rows = self.hunt(
                f"{CONFIGURATION} | where OSPlatform startswith 'Windows' or OSPlatform in ('macOS', 'Linux') "
                f"| where hash(DeviceId, {parts}) == {part} | project {columns}")
            for row in rows:
                settings[row["DeviceId"], row["ConfigurationId"]] = (
                    row["DeviceName"], row["OSPlatform"], bool(row["IsCompliant"]), bool(row["IsApplicable"]), canonical(wire(row["Context"])))
        found = {}
        for row in self.pages("/api/machines/SoftwareVulnerabilitiesByMachine?pageSize=50000"):
            found[row["deviceId"], row["softwareVendor"], row["softwareName"], row["softwareVersion"], row["cveId"]] = (
                row["deviceName"], row["cvssScore"], row["vulnerabilitySeverityLevel"], row["recommendedSecurityUpdate"])
        machines, skip = {}, 0
        while True:
            rows = call(
                f"{self.base}/api/machines?$top=10000&$skip={skip}", headers=self.token("https://api.securitycenter.microsoft.com"))["value"]
            for row in rows:
                machines[row["id"]] = (row["computerDnsName"], row["healthStatus"], row["riskScore"], row["onboardingStatus"])
            skip += 10_000
            if len(rows) < 10_000:
                return {CONFIGURATION: settings, VULNERABILITIES: found, MACHINES: machines}


def wire(value):
    """A cell of Graph's: it writes a missing dynamic value as an empty object, and an array within an array as its text."""
    if isinstance(value, list):
        return [json.loads(v) if isinstance(v, str) and v.startswith("[") else v for v in value]
    return None if value == {} else value


def canonical(value):
    return json.dumps(value, sort_keys=True) if value not in (None, "") else ""


def content(table, r):
    """Key and content of a record that arrived; what has no value is not in it."""
    if table == CONFIGURATION:
        return (r["DeviceId"], r["ConfigurationId"]), (
            r.get("DeviceName"), r.get("OSPlatform"), r.get("IsCompliant"), r.get("IsApplicable"), canonical(r.get("Context")))
    if table == VULNERABILITIES:
        return (r["DeviceId"], r["SoftwareVendor"], r["SoftwareName"], r["SoftwareVersion"], r["CveId"]), (
            r.get("DeviceName"), r.get("CvssScore"), r.get("VulnerabilitySeverityLevel"), r.get("RecommendedSecurityUpdate"))
    return r["MachineId"], (r.get("ComputerDnsName"), r.get("HealthStatus"), r.get("RiskScore"), r.get("OnboardingStatus"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--vestige", default=str(ROOT / ".build/release/vestige"))
    options = parser.parse_args()
    environment = os.environ | {"VESTIGE_CONTENT": str(ROOT / "Content")}
    with tempfile.TemporaryDirectory() as folder:
        config = f"{folder}/lab.yaml"
        lab = subprocess.Popen(
            [options.vestige, "lab", "serve", "--devices", str(options.devices), "--ot-devices", "10", "--port", "0", "--sensor-port", "0",
             "--token-lifetime", "86400", "--write-config", config], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            run(options, environment, folder, config)
        finally:
            lab.terminate()
            lab.wait()


def run(options, environment, folder, config):
    while not os.path.exists(config):
        time.sleep(0.2)
    time.sleep(0.5)
    text = open(config).read()
    settings = dict(re.findall(r"(tenantId|clientId): (\S+)", text)) | {"secret": open(f"{folder}/lab-client-secret").read().strip()}
    base = re.search(r"graphHost: (\S+)", text)[1]
    with open(config, "a") as file:
        file.write(f"sources: [{', '.join(SOURCES)}]\nhealth: false\n")
    tenant = Tenant(base, settings)
    state = {CONFIGURATION: {}, VULNERABILITIES: {}, MACHINES: {}}
    full = {table: [0, 0] for table in state}
    sent = {table: [0, 0] for table in state}
    size = {}
    seconds = 0
    for day in range(options.days + 1):
        if day:
            call(f"{base}/lab/clock/advance?days=1", b"")
        began = time.perf_counter()
        done = subprocess.run(
            [options.vestige, "collect", "--once", "--quiet", "--config", config], env=environment, capture_output=True, text=True)
        seconds += time.perf_counter() - began
        if done.returncode:
            sys.exit(f"day {day}: {done.stderr}")
        for table in state:
            stream = table if table.endswith("_CL") else f"{table}_CL"
            records = call(f"{base}/lab/received/Custom-{stream}")
            bytes_sent = sum(len(json.dumps(r, separators=(",", ":"))) for r in records)
            sent[table][0] += len(records)
            sent[table][1] += bytes_sent
            if day == 0:
                size[table] = bytes_sent / len(records)
            for record in records:
                key, value = content(table, record)
                if record["ChangeType"] == "Removed":
                    del state[table][key]
                else:
                    state[table][key] = value
        call(f"{base}/lab/received/clear", b"")
        for table, expected in tenant.truth().items():
            full[table][0] += len(expected)
            full[table][1] += int(len(expected) * size[table])
            if state[table] != expected:
                wrong = [(k, state[table].get(k), expected[k]) for k in expected if state[table].get(k) != expected[k]][:2]
                stale = [k for k in state[table] if k not in expected][:2]
                sys.exit(f"day {day}: {table} does not follow from what was sent: {wrong} {stale}")
        print(f"day {day}: {sum(len(s) for s in state.values()):,} rows of state are exact", file=sys.stderr, flush=True)
    print(f"{options.devices:,} devices, {options.days + 1} runs in {seconds:.0f} s, every row of every day exact\n")
    print("| table | rows, all on every run | rows sent | MB, all on every run | MB sent | less |\n|---|--:|--:|--:|--:|--:|")
    total = [0, 0, 0, 0]
    for table in state:
        line = (full[table][0], sent[table][0], full[table][1] / 1e6, sent[table][1] / 1e6)
        total = [a + b for a, b in zip(total, line)]
        print(f"| {table} | {line[0]:,} | {line[1]:,} | {line[2]:,.0f} | {line[3]:,.0f} | {line[2] / line[3]:.1f} × |")
    print(f"| all | {total[0]:,} | {total[1]:,} | {total[2]:,.0f} | {total[3]:,.0f} | {total[2] / total[3]:.1f} × |")


if __name__ == "__main__":
    main()
