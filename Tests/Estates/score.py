#!/usr/bin/env python3
"""Scores answers against the truth of estates: score.py ANSWERS ESTATES [--show] [--json]

ANSWERS holds NAME.json in the neutral form of an investigation, ESTATES the folders NAME with truth.json.
A root cause is right when device and control match (or a control that the truth names beside it); strictly
right when technique and class match as well. A control that was on, that the intruder switched off, of a
device without a part in it, or a flaw that was not used is wrong. Other gaps of a technique that happened on
that device are neither, up to three for each true cause. Standard library only.
"""
import argparse
import datetime as dt
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from kit import facts, truth as known  # noqa: E402

ORGANISATIONAL = re.compile(r"^(id|net|backup|dlp|usb|ot|edr)\.|^cfg\.(wdac|audit_policy|ps_logging)$"
                            r"|^patch\.os_build$")
V19 = {"T1685": "T1562.001", "T1685.001": "T1562.002", "T1685.005": "T1070.001", "T1685.006": "T1070.002",
       "T1686": "T1562.004", "T1688": "T1562.009", "T1562": "T1562.001", "T1692.001": "T0855", "T1692": "T0855",
       "T1693.001": "T0857", "T1693": "T0857", "T1694.001": "T0812", "T1694": "T0812", "T1690": "T1562.003"}


def technique(x):
    return V19.get(x.strip().upper(), x.strip().upper())


def techniques(x):
    return [technique(y) for y in (x if isinstance(x, list) else [x]) if y]


def meets(mine, theirs):
    return any(a == b or a.split(".")[0] == b.split(".")[0] and ("." not in a or "." not in b)
               for a in mine for b in theirs)


def control(x):
    x = (x or "").strip()
    if re.match(r"CVE-", x, re.I): return x.upper()
    x = x.lower()
    return next((c for c, (guid, _) in facts.RULES.items() if guid == x), x)


def moment(x):
    try: t = dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", x).replace("Z", "+00:00"))
    except (TypeError, ValueError): return None
    return t if t.tzinfo else t.replace(tzinfo=dt.timezone.utc)


def near(a, b, minutes):
    a, b = moment(a), moment(b)
    return bool(a and b) and abs((a - b).total_seconds()) <= minutes * 60


class Names:
    """Device by id, full name, short name or address."""

    def __init__(self, devices):
        self.by = {str(k).lower(): n for n, d in devices.items()
                   for k in (n, d["id"], d["fqdn"], d["ip"], d["fqdn"].split(".")[0])}

    def __call__(self, x):
        return self.by.get(str(x or "").lower(), str(x or "?"))


def causes(truth, answer, name):
    """Root causes: found, strict, wrong, neither, and which."""
    want = truth["rootCauses"]
    happened = {}
    for d, t in truth["techniques"]: happened.setdefault(d, []).append(technique(t))
    tampered = {(x["device"], x["control"]) for x in truth["tampered"]}
    used, strict, early, wrong, also = set(), 0, 0, [], []
    for rank, c in enumerate((answer.get("rootCauses") or [])[:60]):
        d, k, ts = name(c.get("device")), control(c.get("control")), techniques(c.get("technique"))
        fits = [j for j, w in enumerate(want) if w["device"] == d and k in [w["control"], *w["alternatives"]]]
        free = [j for j in fits if j not in used]
        free.sort(key=lambda j: not meets(ts, techniques(want[j]["technique"])))
        if free:
            w = want[free[0]]
            used.add(free[0])
            early += rank < len(want)
            classes = w["class"] + ([facts.class_of(k)] if k != w["control"] else [])
            strict += c.get("class") in classes and meets(ts, techniques(w["technique"]))
            continue
        if fits: also.append((d, k)); continue
        room = len(also) < 3 * len(want) + 3 and truth["verdict"] == "intrusion" and d in happened
        prevents = {f"scid-{n}" for t in happened.get(d, ()) for u, numbers in known.PREVENTS.items() if meets([t], [u])
                    for n in numbers.split()}
        off = k in truth["off"].get(d, ()) and (k in prevents or k.startswith("cfg.")) and (d, k) not in tampered
        broad = ORGANISATIONAL.match(k) and sum(x == d and bool(ORGANISATIONAL.match(y)) for x, y in also) < 2
        if room and (off or broad): also.append((d, k))
        else: wrong.append((d, k))
    return {"want": len(want), "found": len(used), "strict": strict, "wrong": len(wrong), "also": len(also),
            "early": early,
            "wrongList": wrong[:12], "missed": [(w["device"], w["control"]) for j,
                                                w in enumerate(want) if j not in used]}


def harms(truth, answer, name):
    """Harm: device and word, within a quarter of an hour."""
    want, used, wrong, benign = truth["havoc"], set(), [], 0
    for x in (answer.get("havoc") or [])[:400]:
        d, what, t = name(x.get("device")), x.get("what"), x.get("time")
        if what not in known.HARM: continue
        same = [j for j, w in enumerate(want) if w["device"] == d and w["what"] == what]
        hit = next((j for j in same if j not in used and near(t, want[j]["time"], 15)), None)
        if hit is not None: used.add(hit)
        elif not any(near(t, want[j]["time"], 90) for j in same):
            wrong.append((d, what, t))
            benign += any(b["device"] == d and (b["what"] == what or near(t, b["time"],
                5)) for b in truth["notMalicious"])
    must = {j for j, w in enumerate(want) if not w.get("optional")}
    return {"want": len(must), "found": len(used & must), "wrong": len(wrong), "benign": benign,
            "wrongList": wrong[:10],
            "missed": [(want[j]["device"], want[j]["what"]) for j in sorted(must - used)]}


def score(truth, answer):
    """All measures of one estate."""
    name = Names(truth["devices"])
    out = {"estate": truth["scenario"], "verdict": answer.get("verdict") == truth["verdict"],
           "said": answer.get("verdict"), "causes": causes(truth, answer, name), "havoc": harms(truth, answer, name)}
    te, ae = truth["entry"], answer.get("entry") or {}
    if te: out["entry"] = [name(ae.get("device")) == te["device"], near(ae.get("time"), te["time"], 10),
                           meets(techniques(ae.get("technique")), techniques(te["technique"])),
                           ae.get("vector") == te["vector"]]
    want = {(x["from"], x["to"]) for x in truth["chain"]}
    got = {(name(x.get("from")), name(x.get("to"))) for x in answer.get("chain") or []}
    got = {p for p in got if p[0] != p[1]}
    out["chain"] = {"want": len(want), "found": len(want & got), "wrong": len(got - want)}
    if not te: out["quiet"] = not ae and not out["causes"]["wrong"] and not out["havoc"]["wrong"]
    return out


def ratio(a, b): return a / b if b else 1.0


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("answers", type=pathlib.Path)
    p.add_argument("estates", type=pathlib.Path)
    p.add_argument("--show", action="store_true", help="what was missed and what was wrong")
    p.add_argument("--json", action="store_true")
    o = p.parse_args()
    out = []
    for folder in sorted(x for x in o.estates.iterdir() if (x / "truth.json").exists()):
        file = o.answers / f"{folder.name}.json"
        answer = json.loads(file.read_text()) if file.exists() else {}
        out.append(score(json.loads((folder / "truth.json").read_text()), answer))
    if o.json: print(json.dumps(out, indent=1)); return
    for r in out:
        c, h = r["causes"], r["havoc"]
        entry = "".join("+" if x else "-" for x in r["entry"]) if "entry" in r else "quiet" if r["quiet"] else "LOUD"
        way = r["chain"]
        print(f"{r['estate']:24} {'ok   ' if r['verdict'] else 'WRONG'} causes {c['found']:2}/{c['want']:<2} "
              f"strict {c['strict']:2} wrong {c['wrong']:2} also {c['also']:2} | entry {entry:5} | "
              f"chain {way['found']}/{way['want']} wrong {way['wrong']} | "
              f"harm {h['found']:2}/{h['want']:<2} wrong {h['wrong']:2} benign {h['benign']}")
        if o.show:
            if not r["verdict"]: print(f"    said {r['said']}")
            for k in ("causes", "havoc"):
                for w in ("missed", "wrongList"):
                    if r[k][w]: print(f"    {k} {w}: {r[k][w]}")
    def total(k, f): return sum(r[k][f] for r in out)
    for k in ("causes", "havoc"):
        f, w, x = total(k, "found"), total(k, "want"), total(k, "wrong")
        more = f"strict recall {ratio(total(k, 'strict'), w):.3f}" if k == "causes" else f"benign {total(k, 'benign')}"
        print(f"{k}: precision {ratio(f, f + x):.3f}, recall {ratio(f, w):.3f}, {more} ({f} of {w}, {x} wrong)")
    entries = [r["entry"] for r in out if "entry" in r]
    print("entry: " + ", ".join(f"{word} {sum(e[i] for e in entries)}/{len(entries)}"
                                for i, word in enumerate(("device", "time", "technique", "vector"))))
    print(f"chain: {total('chain', 'found')}/{total('chain', 'want')}, wrong {total('chain', 'wrong')}; verdict "
          f"{sum(r['verdict'] for r in out)}/{len(out)}; quiet estates left in peace "
          f"{sum(r['quiet'] for r in out if 'quiet' in r)}/{sum('quiet' in r for r in out)}")


if __name__ == "__main__": main()
