#!/usr/bin/env python3
"""Writes what the program is built of, from Package.resolved and licences.json: a CycloneDX 1.6 bill of materials, or NOTICE.

    Packaging/sbom.py                 the bill of materials on standard output
    Packaging/sbom.py --notice        the text of NOTICE
    Packaging/sbom.py --check         whether NOTICE and licences.json agree with Package.resolved

The same input gives the same bytes: no time, no random number. Nothing but Python's own library is needed.
"""

import json
import pathlib
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Libraries of the system that the program is linked to, by what Debian calls them.
SYSTEM = [
    ("re2", "BSD-3-Clause", "https://github.com/google/re2"),
    ("sqlite3", "blessing", "https://www.sqlite.org"),
    ("zlib", "Zlib", "https://zlib.net"),
    ("libdeflate", "MIT", "https://github.com/ebiggers/libdeflate"),
    ("libmaxminddb", "Apache-2.0", "https://github.com/maxmind/libmaxminddb"),
]


def packages():
    resolved = json.loads((ROOT / "Package.resolved").read_text())
    licences = json.loads((ROOT / "Packaging/licences.json").read_text())
    pins = sorted(resolved["pins"], key=lambda pin: pin["identity"])
    names = [pin["identity"] for pin in pins]
    if missing := sorted(set(names) ^ set(licences)):
        sys.exit(f"Package.resolved and Packaging/licences.json disagree on: {', '.join(missing)}")
    for pin in pins:
        location = pin["location"].removesuffix(".git")
        if not location.startswith("https://github.com/"):
            sys.exit(f"Package.resolved fetches {pin['identity']} from {location}")
        known = licences[pin["identity"]]
        yield {
            "name": pin["identity"], "version": pin["state"]["version"], "revision": pin["state"]["revision"],
            "url": location, "licence": known["licence"], "copyright": known["copyright"],
        }


def version():
    for line in (ROOT / "Sources/vestige/Vestige.swift").read_text().splitlines():
        if "static let version = " in line:
            return line.split('"')[1]
    sys.exit("the version is not where it was")


def licence(name):
    return [{"expression": name}] if " " in name else [{"license": {"id": name}}]


def bill():
    found = list(packages())
    components = [
        {
            "type": "library", "bom-ref": f"{p['name']}@{p['version']}", "name": p["name"], "version": p["version"],
            "purl": f"pkg:swift/{p['url'].removeprefix('https://')}@{p['version']}", "copyright": p["copyright"],
            "licenses": licence(p["licence"]), "pedigree": {"commits": [{"uid": p["revision"], "url": p["url"]}]},
            "externalReferences": [{"type": "vcs", "url": p["url"]}],
        }
        for p in found
    ] + [
        {
            "type": "library", "bom-ref": name, "name": name, "licenses": licence(terms), "scope": "required",
            "externalReferences": [{"type": "website", "url": url}],
        }
        for name, terms, url in SYSTEM
    ]
    root = f"vestige@{version()}"
    text = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, root + text)}",
        "metadata": {
            "component": {
                "type": "application", "bom-ref": root, "name": "vestige", "version": version(),
                "licenses": licence("Apache-2.0"),
            }
        },
        "components": components,
        "dependencies": [{"ref": root, "dependsOn": [c["bom-ref"] for c in components]}],
    }


def notice():
    lines = [
        "Vestige", "", "This product contains the following packages, each under its own licence. The licence's text is at",
        "the address, and in share/doc/vestige/licences of a release. Made by Packaging/sbom.py --notice.", "",
    ]
    for p in packages():
        lines += [f"{p['name']} {p['version']}", f"  {p['licence']}", f"  {p['copyright']}", f"  {p['url']}", ""]
    lines += ["It is linked to these libraries of the system, which it does not contain:", ""]
    for name, terms, url in SYSTEM:
        lines += [f"{name}", f"  {terms}", f"  {url}", ""]
    return "\n".join(lines)


def main():
    match sys.argv[1:]:
        case []:
            print(json.dumps(bill(), indent=2))
        case ["--notice"]:
            print(notice(), end="")
        case ["--check"]:
            if (ROOT / "NOTICE").read_text() != notice():
                sys.exit("NOTICE is not as Packaging/sbom.py --notice writes it")
        case _:
            sys.exit(__doc__)


main()
