"""The columns that each table has, read from the product's own schemas, and the check against them."""
import pathlib
import re

TABLES = pathlib.Path(__file__).resolve().parents[3] / "Content" / "Tables"
_COMMON = {"TimeGenerated": "datetime", "ChangeType": "string"}
_KINDS = {"datetime": str, "string": str, "long": int, "int": int, "real": (int, float), "bool": bool,
          "dynamic": (dict, list, str)}
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
_cache = {}


def columns(table):
    """Column name -> type of a table; an unknown table is an error."""
    if table not in _cache:
        text = (TABLES / f"{table}.yaml").read_text()
        found = re.findall(r"^  - name: (\w+)\n(?:    as: \w+\n)?    type: (\w+)", text, re.M)
        _cache[table] = dict(found) | _COMMON
    return _cache[table]


def time_column(table):
    """The column that says when an event happened; state tables have none."""
    return {"IoTEvents_CL": "EventTime", "IoTAlerts_CL": "AlertTime"}.get(table, "Timestamp")


def faults(table, rows):
    """What is wrong with rows: columns that are not there, values of the wrong type."""
    known, out = columns(table), []
    for row in rows:
        for name, value in row.items():
            if name not in known: out.append(f"{table}: no column {name}")
            elif isinstance(value, bool) != (known[name] == "bool") and known[name] != "dynamic":
                out.append(f"{table}.{name}: {value!r} is not {known[name]}")
            elif not isinstance(value, _KINDS[known[name]]): out.append(f"{table}.{name}: {value!r}")
            elif known[name] == "datetime" and not _STAMP.match(value): out.append(f"{table}.{name}: {value!r}")
    return sorted(set(out))
