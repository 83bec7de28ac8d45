"""Runs real hunting queries against a workspace that the lab filled, and says how many ran and why the others did not."""

import collections
import json
import os
import re
import subprocess
import tempfile
import urllib.error
import urllib.request

FILES = ["kql-parse-valid.jsonl", "kql-parse-valid-more.jsonl"]
# What a query wants that is not Vestige's to have: tables of other products, their parsers, lists that a team keeps.
ELSEWHERE = [
    (r"known table, tabular variable|No table fits the names", "tables that are not here"),
    (r"known function", "parsers of other solutions"),
    (r"there is no watchlist", "watchlists of a team"),
    (r"externaldata may not fetch", "files of the internet, which nobody allowed"),
    (r"needs data that only the cloud service has", "the cloud"),
    (r"is another place, whose tables are not here", "other workspaces and clusters"),
    (r"has no statement that gives a result", "a statement that gives a result"),
]


def ask(url, query):
    """The error's text, or None when the query ran."""
    body = json.dumps({"db": "Vestige", "csl": query}).encode()
    request = urllib.request.Request(url + "/v1/rest/query", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            json.load(answer)
            return None
    except urllib.error.HTTPError as error:
        return json.load(error)["error"]["@message"]


def count(folder, program, show=0):
    """Queries that ran, and queries whose tables are all known."""
    program = os.path.abspath(program)
    reasons = collections.Counter()
    ran, known, failures = 0, 0, []
    with tempfile.TemporaryDirectory() as home:
        workspace = os.path.join(home, "hunt.vestige")
        # Without events: over rows, queries that read files of the internet would be refused, which says nothing of the language.
        world = ["--no-serve", "--quiet", "--devices", "100", "--ot-devices", "30", "--days", "2", "--scenario", "none", "--workspace", workspace]
        subprocess.run([program, "demo", *world], check=True, stdout=subprocess.DEVNULL)
        server = subprocess.Popen([program, "serve", "--workspace", workspace, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        try:
            url = re.search(r"http://[0-9.:]+", next(line for line in server.stderr if "http://" in line)).group()
            for name in FILES:
                with open(os.path.join(folder, name)) as lines:
                    for line in lines:
                        case = json.loads(line)
                        error = ask(url, case["query"])
                        if error is None:
                            ran += 1
                            known += 1
                            continue
                        reason = next((words for pattern, words in ELSEWHERE if re.search(pattern, error)), None)
                        if reason:
                            reasons[reason] += 1
                        else:
                            known += 1
                            failures.append((case["id"], error))
        finally:
            server.terminate()
            server.wait()
            server.stderr.close()
    for reason, number in reasons.most_common():
        print(f"  {number} want {reason}")
    for identifier, error in failures[:show]:
        print(f"  {identifier}: {error[:160]}")
    return ran, known
