"""Thirty simulated days of one collector process with faults on: its memory and its open files must stay as they are, and at the end
the workspace must hold what the tenant and the plant hold.

    python3 Tests/Soak/run.py [--devices 2000] [--ot-devices 300] [--days 30] [--vestige .build/release/vestige]

Sources run every ten seconds, and each day of the lab lasts until all of them have run.
"""

import argparse
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAULTS = [
    {"status": 429, "retryAfter": 1}, {"status": 500}, {"status": 503}, {"truncates": True}, {"resets": True}, {"losesAnswer": True},
    {"dripMilliseconds": 20}, {"status": 200, "type": "text/html", "body": "<html>Sign in</html>"}, {"status": 401},
]
PATHS = ["runHuntingQuery", "/api/machines", "SoftwareVulnerabilities", "oauth2", "/api/v1/", "dataCollectionRules", "/api/alerts", "feeds/", "/"]


def call(url, body=None):
    request = urllib.request.Request(url, data=body)
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)


def memory(pid):
    """Resident megabytes and open files of a process (Linux)."""
    status = open(f"/proc/{pid}/status").read()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024, len(os.listdir(f"/proc/{pid}/fd"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", type=int, default=2_000)
    parser.add_argument("--ot-devices", type=int, default=300)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vestige", default=str(ROOT / ".build/release/vestige"))
    options = parser.parse_args()
    environment = os.environ | {"VESTIGE_CONTENT": str(ROOT / "Content")}
    with tempfile.TemporaryDirectory() as folder:
        config = f"{folder}/lab.yaml"
        lab = subprocess.Popen(
            [options.vestige, "lab", "serve", "--devices", str(options.devices), "--ot-devices", str(options.ot_devices), "--port", "0",
             "--sensor-port", "0", "--token-lifetime", "60", "--write-config", config], env=environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            while not os.path.exists(config):
                time.sleep(0.2)
            time.sleep(0.5)
            soak(options, environment, folder, config)
        finally:
            lab.terminate()
            lab.wait()


def status(options, environment, config):
    done = subprocess.run(
        [options.vestige, "status", "--format", "json", "--quiet", "--config", config], env=environment, capture_output=True, text=True)
    return json.loads(done.stdout) if done.stdout else None


def ids_of(text):
    """The ids of a source's file; one with 'for_each' stands for several."""
    name = re.search(r"^id: (\S+)", text, re.M)[1]
    variable = re.search(r"\$\{(\w+)\}", name)
    if not variable:
        return [name]
    values = re.findall(rf"[-{{] *{variable[1]}: ([^\s,}}]+)", text)
    return [name.replace(variable[0], value) for value in values]


def soak(options, environment, folder, config):
    base = re.search(r"graphHost: (\S+)", open(config).read())[1]
    texts = [p.read_text() for p in sorted((ROOT / "Content/Sources").glob("*.yaml"))]
    regular = [t for t in texts if not re.search(r"^window:|^alternative:|\{device\}|^service: (iot-manager|resource-graph)", t, re.M)]
    # A delta is asked for since a time: the collector's clock does not jump from day to day as the lab's does.
    ids = [i for t in regular for i in ids_of(t) if i != "mde-vulnerability-changes"]
    with open(config, "a") as file:
        file.write("sources: [" + ", ".join(ids) + "]\n")
        file.write("schedules: {" + ", ".join(f"{i}: 10s" for i in ids) + "}\n")
    dice = random.Random(options.seed)
    log = open(f"{folder}/log", "w")
    collector = subprocess.Popen(
        [options.vestige, "collect", "--config", config], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
    samples = []
    for day in range(options.days + 1):
        if day:
            call(f"{base}/lab/clock/advance?days=1", b"")
            for _ in range(dice.randint(1, 4)):
                fault = dict(dice.choice(FAULTS)) | {"path": dice.choice(PATHS), "times": dice.randint(1, 4), "after": dice.randint(0, 20)}
                call(f"{base}/lab/faults", json.dumps(fault).encode())
        began = time.time()
        while True:
            time.sleep(1)
            if collector.poll() is not None:
                sys.exit(f"day {day}: the collector ended with {collector.returncode}: {open(f'{folder}/log').read()[-2000:]}")
            report = status(options, environment, config)
            runs = [s["lastRun"] for s in report["sources"]] if report else []
            fresh = [r for r in runs if r > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(began))]
            if runs and len(fresh) == len(runs) and len(runs) > 20:
                break
            if time.time() - began > 300:
                sys.exit(f"day {day}: {len(fresh)} of {len(runs)} sources ran within five minutes")
        # What arrived is not this test's matter, and would only fill the lab.
        call(f"{base}/lab/received/clear", b"")
        resident, files = memory(collector.pid)
        samples.append((resident, files))
        failing = sum(1 for s in report["sources"] if s["error"])
        print(f"day {day}: {resident:.0f} MB, {files} files open, {len(runs)} sources, {failing} failed last", file=sys.stderr, flush=True)
    call(f"{base}/lab/faults/clear", b"")
    met = sum(fault["met"] for fault in call(f"{base}/lab/faults"))
    if options.days > 2 and not met:
        sys.exit("no fault was met: the soak proved nothing")
    deadline = time.time() + 1_200
    while time.time() < deadline:
        report = status(options, environment, config)
        waiting = sum(s["rowsWaiting"] for s in report["sinks"])
        if not any(s["error"] for s in report["sources"]) and waiting < 200:
            break
        time.sleep(5)
    else:
        sys.exit("it did not recover: " + json.dumps([s for s in report["sources"] if s["error"]]))
    collector.terminate()
    collector.wait(60)
    compare(options, environment, folder, config)
    # The first days fill caches; of a short run all days are compared.
    steady = samples[3:] if len(samples) >= 7 else samples
    half = (len(steady) + 1) // 2
    first, second = steady[:half], steady[half:] or steady
    early, late = max(s[0] for s in first), max(s[0] for s in second)
    print(f"{options.devices:,} + {options.ot_devices} devices, {options.days} days, {sum(s['runs'] for s in report['sources']):,} runs, "
          f"{sum(s['failures'] for s in report['sources']):,} of them failed, {met:,} faults met")
    print(f"memory: at most {early:.0f} MB in the first half, {late:.0f} MB in the second; open files {steady[0][1]} to {max(s[1] for s in steady)}")
    if late > early * 1.25 + 20:
        sys.exit("memory grows")
    if max(s[1] for s in second) > max(s[1] for s in first) + 8:
        sys.exit("open files grow")
    print("flat, and the last day is exact")


def compare(options, environment, folder, config):
    """The state as of now, beside that of a workspace that is filled just now."""
    text = open(config).read()
    fresh = f"{folder}/fresh.yaml"
    with open(fresh, "w") as file:
        file.write(re.sub(r"sinks:\n(?:  .*\n)+", "", text).replace("lab.vestige", "fresh.vestige"))
    for _ in range(2):
        subprocess.run([options.vestige, "collect", "--once", "--quiet", "--config", config], env=environment, capture_output=True)
    done = subprocess.run([options.vestige, "collect", "--once", "--quiet", "--config", fresh], env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    questions = {
        "settings": "ConfigurationAt(now()) | summarize count(), sum(hash(strcat(DeviceId, ConfigurationId, IsCompliant, IsApplicable, tostring(Context)), 1000003))",
        "machines": "MachinesAt(now()) | summarize count(), sum(hash(strcat(MachineId, HealthStatus, RiskScore), 1000003))",
        "vulnerabilities": "VulnerabilitiesAt(now()) | summarize count(), sum(hash(strcat(DeviceId, SoftwareName, CveId), 1000003))",
        "plant devices": "IoTDevicesAt(now()) | summarize count(), sum(hash(strcat(DeviceId, DeviceName, FirmwareVersion, IsAuthorized), 1000003))",
        "plant CVEs": "IoTCvesAt(now()) | summarize count(), sum(hash(strcat(IpAddress, CveId), 1000003))",
    }
    for name, query in questions.items():
        answers = []
        for file in (config, fresh):
            done = subprocess.run(
                [options.vestige, "query", "--quiet", "--format", "csv", "--config", file, query], env=environment, capture_output=True, text=True)
            answers.append(done.stdout.splitlines()[1:])
        if answers[0] != answers[1] or not answers[0]:
            sys.exit(f"{name} differ: {answers}")


if __name__ == "__main__":
    main()
