"""The world that is measured: made by DuckDB from row numbers alone, the same every time.

100,000 devices x (40 settings + 200 vulnerabilities) = 24 million rows, and 5 million process events. A scale makes it smaller.
"""

import pathlib

DEVICE = "md5('device' || {i}::varchar) || substr(md5('more' || {i}::varchar), 1, 8)"
PLATFORM = "['Windows11','Windows10','WindowsServer2019','Linux','macOS'][1 + ({i} * 7919 % 100 > 40)::int + ({i} * 7919 % 100 > 65)::int + ({i} * 7919 % 100 > 80)::int + ({i} * 7919 % 100 > 92)::int]"
START = "timestamp '2026-10-01 00:00:00'"


def device(i):
    return DEVICE.format(i=i)


def platform(i):
    return PLATFORM.format(i=i)


def queries(scale):
    """Each table with the query that makes its rows, in the order they are stored."""
    devices = int(100_000 * scale)
    events = int(5_000_000 * scale)
    def h(x, n):
        return f"(hash({x}) % {n})::bigint"

    return {
        # One row per device and setting: a full report a week before, and what changed since in 2 of 10.
        "Settings": f"""
            with pairs as (select d, s, {h('d * 64 + s', 1000)} as r from range({devices}) a(d), range(40) b(s))
            select {START} + to_seconds(({h('d', 86400)})) as "TimeGenerated",
                {device('d')} as "DeviceId", 'host-' || lpad(d::varchar, 6, '0') || '.contoso.example' as "DeviceName", {platform('d')} as "OSPlatform",
                'scid-' || (2000 + s * 7) as "ConfigurationId",
                ['Antivirus','Network','OS','Accounts','Application'][1 + s % 5] as "ConfigurationCategory",
                (s % 10)::double as "ConfigurationImpact", r >= 180 as "IsCompliant", r < 970 as "IsApplicable"
            from pairs order by d, s""",
        "Vulnerabilities": f"""
            select {START} + to_seconds(({h('d', 86400)})) as "TimeGenerated",
                {device('d')} as "DeviceId", 'host-' || lpad(d::varchar, 6, '0') || '.contoso.example' as "DeviceName", {platform('d')} as "OSPlatform",
                'vendor' || ({h('v * 31 + d % 50', 400)} % 60) as "SoftwareVendor", 'product' || {h('v * 31 + d % 50', 400)} as "SoftwareName",
                (1 + {h('v * 31 + d % 50', 9)}) || '.' || {h('d + v', 30)} || '.' || {h('d * 3 + v', 12)} as "SoftwareVersion",
                'CVE-' || (2018 + {h('v * 977 + d % 500', 9)}) || '-' || lpad(({h('v * 977 + d % 500', 40000)})::varchar, 5, '0') as "CveId",
                ['Low','Medium','Medium','High','High','Critical'][1 + {h('v * 977 + d % 500', 6)}] as "VulnerabilitySeverityLevel"
            from range({devices}) a(d), range(200) b(v) order by d, v""",
        "Knowledge": f"""
            select distinct on ("CveId") 'CVE-' || (2018 + {h('n', 9)}) || '-' || lpad(({h('n', 40000)})::varchar, 5, '0') as "CveId",
                round(({h('n + 1', 100)})::double / 10, 1) as "CvssScore", {h('n + 2', 20)} = 0 as "IsExploitAvailable",
                {START} - to_days(({h('n + 3', 2000)})::int) as "PublishedDate"
            from (select v * 977 + d as n from range(200) b(v), range(500) a(d)) order by "CveId" """,
        "Kev": f"""
            select distinct on ("CveId") 'CVE-' || (2018 + {h('n', 9)}) || '-' || lpad(({h('n', 40000)})::varchar, 5, '0') as "CveId",
                ['Known','Unknown'][1 + {h('n + 5', 2)}] as "KnownRansomwareCampaignUse"
            from (select v * 977 + d as n from range(200) b(v), range(500) a(d)) where {h('n + 7', 60)} = 0 order by "CveId" """,
        "Changes": f"""
            select {START} + to_days(1 + ({h('n', 29)})::int) + to_seconds({h('n + 1', 86400)}) as "TimeGenerated", {device('d')} as "DeviceId",
                'scid-' || (2000 + s * 7) as "ConfigurationId", {h('n + 2', 2)} = 0 as "IsCompliant"
            from (select n, ({h('n + 11', devices)})::bigint as d, ({h('n + 12', 40)})::bigint as s from range({devices * 4}) t(n))
            order by "TimeGenerated", "DeviceId", "ConfigurationId" """,
        "Events": f"""
            select {START} + to_milliseconds((i * 2592000000::hugeint // {events})::bigint) as "Timestamp", {device('d')} as "DeviceId",
                'host-' || lpad(d::varchar, 6, '0') || '.contoso.example' as "DeviceName",
                ['chrome.exe','svchost.exe','powershell.exe','cmd.exe','rundll32.exe','msedge.exe','teams.exe','conhost.exe','wmiprvse.exe','python.exe']
                    [1 + ({h('i + 1', 100)} * {h('i + 1', 100)} // 1000)] as "FileName",
                1000 + ({h('i + 2', 60000)})::bigint as "ProcessId",
                case {h('i + 3', 12)}
                    when 0 then 'powershell.exe -NoProfile -ExecutionPolicy Bypass -EncodedCommand ' || md5(i::varchar)
                    when 1 then 'cmd.exe /c "ping 10.' || ({h('i', 250)}) || '.' || ({h('i + 9', 250)}) || '.7"'
                    when 2 then 'rundll32.exe C:\\Windows\\System32\\shell32.dll,Control_RunDLL ' || ({h('i', 5000)})
                    when 3 then 'svchost.exe -k netsvcs -p -s ' || ['Schedule','BITS','wuauserv','Themes'][1 + {h('i', 4)}]
                    when 4 then case when {h('i + 4', 4000)} = 0 then 'mimikatz.exe "sekurlsa::logonpasswords" exit' else 'python.exe job-' || ({h('i', 100000)}) || '.py' end
                    else '"C:\\Program Files\\Google\\Chrome\\chrome.exe" --type=renderer --renderer-client-id=' || ({h('i', 9000)}) || ' --lang=' ||
                        ['en','de','fr','es','no'][1 + {h('i', 5)}]
                end as "ProcessCommandLine",
                1000 + ({h('i + 5', 60000)})::bigint as "InitiatingProcessId",
                ['explorer.exe','services.exe','winword.exe','outlook.exe','cmd.exe','svchost.exe'][1 + {h('i + 6', 6)}] as "InitiatingProcessFileName",
                'user' || ({h('i + 7', 40000)}) as "AccountName",
                (exp(({h('i + 8', 1000)})::double / 120))::bigint as "FileSize",
                '{{"Score":' || ({h('i', 100)}) || ',"Tags":["t' || ({h('i', 7)}) || '","u' || ({h('i + 1', 5)}) || '"]}}' as "AdditionalFields"
            from (select i, ({h('i', devices)})::bigint as d from range({events}) t(i)) order by i""",
    }


SCHEMAS = {
    "Settings": "TimeGenerated:datetime,DeviceId:string,DeviceName:string,OSPlatform:string,ConfigurationId:string,ConfigurationCategory:string,"
    "ConfigurationImpact:real,IsCompliant:bool,IsApplicable:bool",
    "Vulnerabilities": "TimeGenerated:datetime,DeviceId:string,DeviceName:string,OSPlatform:string,SoftwareVendor:string,SoftwareName:string,"
    "SoftwareVersion:string,CveId:string,VulnerabilitySeverityLevel:string",
    "Knowledge": "CveId:string,CvssScore:real,IsExploitAvailable:bool,PublishedDate:datetime",
    "Kev": "CveId:string,KnownRansomwareCampaignUse:string",
    "Changes": "TimeGenerated:datetime,DeviceId:string,ConfigurationId:string,IsCompliant:bool",
    "Events": "Timestamp:datetime,DeviceId:string,DeviceName:string,FileName:string,ProcessId:long,ProcessCommandLine:string,InitiatingProcessId:long,"
    "InitiatingProcessFileName:string,AccountName:string,FileSize:long,AdditionalFields:string",
}


def make(folder, scale):
    """Writes one CSV file per table; files that are there stay."""
    import duckdb

    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / f"made-{scale}"
    if done.exists():
        return
    for file in folder.glob("*"):
        file.unlink()
    connection = duckdb.connect()
    connection.execute("set preserve_insertion_order = true; set enable_progress_bar = false")
    for table, query in queries(scale).items():
        print(f"making {table}", flush=True)
        connection.execute(f"copy ({query}) to '{folder / (table + '.csv')}' (header, delimiter ',', timestampformat '%Y-%m-%dT%H:%M:%S.%gZ')")
    done.touch()
