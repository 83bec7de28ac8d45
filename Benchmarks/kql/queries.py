"""What a workbook, a hunter and an investigator ask: in KQL, and by hand in SQL for DuckDB and SQLite."""

DEVICE = "e1a8c6b3"  # replaced by a device of the data
PAST = "2026-10-15"

QUERIES = [
    # name, KQL, DuckDB's SQL, SQLite's SQL (None: the same as DuckDB's)
    ("latest state per device and setting",
     "union (Settings | project TimeGenerated, DeviceId, ConfigurationId, IsCompliant), Changes"
     " | summarize arg_max(TimeGenerated, IsCompliant) by DeviceId, ConfigurationId | summarize Rows = count(), Bad = countif(not(IsCompliant))",
     "select count(*), count(*) filter (not c) from (select DeviceId, ConfigurationId, arg_max(IsCompliant, TimeGenerated) c from"
     " (select TimeGenerated, DeviceId, ConfigurationId, IsCompliant from Settings union all select * from Changes) group by all)",
     "select count(*), sum(not c) from (select DeviceId, ConfigurationId, IsCompliant c, max(TimeGenerated) from"
     " (select TimeGenerated, DeviceId, ConfigurationId, IsCompliant from Settings union all select * from Changes) group by DeviceId, ConfigurationId)"),
    ("compliance by setting",
     "Settings | where IsApplicable | summarize Compliant = countif(IsCompliant), Total = count() by ConfigurationId, ConfigurationCategory"
     " | extend Percent = 100.0 * Compliant / Total | sort by Percent asc, ConfigurationId asc",
     "select ConfigurationId, ConfigurationCategory, count(*) filter (IsCompliant) c, count(*) t, 100.0 * c / t p from Settings where IsApplicable"
     " group by all order by p, 1",
     "select ConfigurationId, ConfigurationCategory, sum(IsCompliant) c, count(*) t, 100.0 * sum(IsCompliant) / count(*) p from Settings where IsApplicable"
     " group by 1, 2 order by p, 1"),
    ("top vulnerabilities with knowledge and KEV",
     "Vulnerabilities | summarize Devices = dcount(DeviceId, 4) by CveId, VulnerabilitySeverityLevel | join kind=inner Knowledge on CveId"
     " | join kind=leftouter Kev on CveId | sort by Devices desc, CveId asc | take 20"
     " | project CveId, VulnerabilitySeverityLevel, Devices, CvssScore, IsExploitAvailable, KnownRansomwareCampaignUse",
     "select v.CveId, v.VulnerabilitySeverityLevel, v.n, k.CvssScore, k.IsExploitAvailable, e.KnownRansomwareCampaignUse from"
     " (select CveId, VulnerabilitySeverityLevel, count(distinct DeviceId) n from Vulnerabilities group by all) v"
     " join Knowledge k using (CveId) left join Kev e using (CveId) order by v.n desc, v.CveId limit 20",
     "select v.CveId, v.VulnerabilitySeverityLevel, v.n, k.CvssScore, k.IsExploitAvailable, e.KnownRansomwareCampaignUse from"
     " (select CveId, VulnerabilitySeverityLevel, count(distinct DeviceId) n from Vulnerabilities group by 1, 2) v"
     " join Knowledge k using (CveId) left join Kev e using (CveId) order by v.n desc, v.CveId limit 20"),
    ("one device as of a past time",
     "union (Settings | project TimeGenerated, DeviceId, ConfigurationId, IsCompliant), Changes"
     " | where DeviceId == '{device}' and TimeGenerated <= datetime({past}) | summarize arg_max(TimeGenerated, IsCompliant) by ConfigurationId"
     " | sort by ConfigurationId asc",
     "select ConfigurationId, max(TimeGenerated), arg_max(IsCompliant, TimeGenerated) from (select TimeGenerated, DeviceId, ConfigurationId, IsCompliant"
     " from Settings union all select * from Changes) where DeviceId = '{device}' and TimeGenerated <= '{past}' group by 1 order by 1",
     "select ConfigurationId, max(TimeGenerated), IsCompliant from (select TimeGenerated, DeviceId, ConfigurationId, IsCompliant"
     " from Settings union all select * from Changes) where DeviceId = '{device}' and TimeGenerated <= '{past}' group by 1 order by 1"),
    ("all devices as of a past time",
     "union (Settings | project TimeGenerated, DeviceId, ConfigurationId, IsCompliant), Changes | where TimeGenerated <= datetime({past})"
     " | summarize arg_max(TimeGenerated, IsCompliant) by DeviceId, ConfigurationId"
     " | summarize Bad = countif(not(IsCompliant)), Devices = count() by ConfigurationId | sort by ConfigurationId asc",
     "select ConfigurationId, count(*) filter (not c), count(*) from (select DeviceId, ConfigurationId, arg_max(IsCompliant, TimeGenerated) c from"
     " (select TimeGenerated, DeviceId, ConfigurationId, IsCompliant from Settings union all select * from Changes) where TimeGenerated <= '{past}'"
     " group by all) group by 1 order by 1",
     "select ConfigurationId, sum(not c), count(*) from (select DeviceId, ConfigurationId, IsCompliant c, max(TimeGenerated) from"
     " (select TimeGenerated, DeviceId, ConfigurationId, IsCompliant from Settings union all select * from Changes) where TimeGenerated <= '{past}'"
     " group by 1, 2) group by 1 order by 1"),
    ("a term in command lines",
     "Events | where ProcessCommandLine has 'mimikatz' | project Timestamp, DeviceName, AccountName, ProcessCommandLine | sort by Timestamp asc",
     "select Timestamp, DeviceName, AccountName, ProcessCommandLine from Events where regexp_matches(ProcessCommandLine, '(?i)(^|[^a-zA-Z0-9])mimikatz($|[^a-zA-Z0-9])') order by 1",
     "select Timestamp, DeviceName, AccountName, ProcessCommandLine from Events where ProcessCommandLine like '%mimikatz%' order by 1"),
    ("a substring in command lines",
     "Events | where ProcessCommandLine contains '-encodedc' | summarize count() by FileName | sort by FileName asc",
     "select FileName, count(*) from Events where contains(lower(ProcessCommandLine), '-encodedc') group by 1 order by 1",
     "select FileName, count(*) from Events where ProcessCommandLine like '%-encodedc%' group by 1 order by 1"),
    ("events per hour",
     "Events | summarize count() by bin(Timestamp, 1h) | sort by Timestamp asc",
     "select time_bucket(interval 1 hour, Timestamp) t, count(*) from Events group by 1 order by 1",
     "select substr(Timestamp, 1, 13) t, count(*) from Events group by 1 order by 1"),
    ("percentiles",
     "Events | summarize percentiles(FileSize, 50, 95, 99) by FileName | sort by FileName asc",
     "select FileName, quantile_disc(FileSize, [0.5, 0.95, 0.99]) from Events group by 1 order by 1",
     None),
    ("distinct counts",
     "Events | summarize Devices = dcount(DeviceId, 4), Accounts = dcount(AccountName, 4) by InitiatingProcessFileName | sort by InitiatingProcessFileName asc",
     "select InitiatingProcessFileName, count(distinct DeviceId), count(distinct AccountName) from Events group by 1 order by 1", None),
    ("process tree",
     "Events | where InitiatingProcessFileName == 'winword.exe' | project ParentTime = Timestamp, DeviceId, ProcessId, ParentLine = ProcessCommandLine"
     " | join kind=inner (Events | where FileName in ('powershell.exe', 'cmd.exe', 'rundll32.exe') | project DeviceId, ChildTime = Timestamp,"
     " InitiatingProcessId, ProcessCommandLine) on DeviceId, $left.ProcessId == $right.InitiatingProcessId | where ChildTime >= ParentTime"
     " | summarize Pairs = count(), Devices = dcount(DeviceId, 4)",
     "select count(*), count(distinct p.DeviceId) from Events p join Events c on p.DeviceId = c.DeviceId and p.ProcessId = c.InitiatingProcessId"
     " where p.InitiatingProcessFileName = 'winword.exe' and c.FileName in ('powershell.exe', 'cmd.exe', 'rundll32.exe') and c.Timestamp >= p.Timestamp",
     None),
    ("lists in JSON",
     "Events | where FileName == 'rundll32.exe' | mv-expand Tag = parse_json(AdditionalFields).Tags to typeof(string) | summarize count() by Tag | sort by Tag asc",
     "select t, count(*) from (select unnest((AdditionalFields->'$.Tags')::varchar[]) t from Events where FileName = 'rundll32.exe') group by 1 order by 1",
     "select j.value, count(*) from Events, json_each(Events.AdditionalFields, '$.Tags') j where FileName = 'rundll32.exe' group by 1 order by 1"),
    ("devices with most critical vulnerabilities",
     "Vulnerabilities | where VulnerabilitySeverityLevel == 'Critical' | summarize Cves = count() by DeviceName | sort by Cves desc, DeviceName asc | take 25",
     "select DeviceName, count(*) n from Vulnerabilities where VulnerabilitySeverityLevel = 'Critical' group by 1 order by n desc, 1 limit 25", None),
    ("vulnerabilities of one device",
     "Vulnerabilities | where DeviceId == '{device}' | summarize count() by VulnerabilitySeverityLevel | sort by VulnerabilitySeverityLevel asc",
     "select VulnerabilitySeverityLevel, count(*) from Vulnerabilities where DeviceId = '{device}' group by 1 order by 1", None),
    ("software by devices and CVEs",
     "Vulnerabilities | summarize Devices = dcount(DeviceId, 4), Cves = dcount(CveId, 4) by SoftwareVendor, SoftwareName"
     " | sort by Devices desc, SoftwareName asc | take 50",
     "select SoftwareVendor, SoftwareName, count(distinct DeviceId) d, count(distinct CveId) from Vulnerabilities group by all order by d desc, SoftwareName limit 50",
     "select SoftwareVendor, SoftwareName, count(distinct DeviceId) d, count(distinct CveId) from Vulnerabilities group by 1, 2 order by d desc, SoftwareName limit 50"),
    ("newest events of one account",
     "Events | where AccountName == 'user77' | top 20 by Timestamp desc | project Timestamp, DeviceName, FileName, ProcessCommandLine",
     "select Timestamp, DeviceName, FileName, ProcessCommandLine from Events where AccountName = 'user77' order by Timestamp desc limit 20", None),
]
