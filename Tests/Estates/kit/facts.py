"""Names that Defender and ATT&CK give to things: settings, rules, flaws, signed programs."""

# Settings of vulnerability management: id -> (title, category, subcategory, platforms).
_SETTINGS = """
15|Enable Automatic Updates|OS|Security Options|w
22|Disable 'Password Manager'|OS|Security Options|c
24|Set 'Remote Desktop security level' to 'TLS'|Network|Security Options|w
25|Enable 'Local Security Authority (LSA) protection'|OS|Security Options|w
30|Disable 'Insecure guest logons' in SMB|OS|Security Options|w
32|Set 'Minimum password length' to '14 or more characters'|Accounts|Password Policy|w
41|Set 'Account lockout duration' to 15 minutes or more|Accounts|Password Policy|w
42|Set 'Reset account lockout counter after' to 15 minutes or more|Accounts|Password Policy|w
44|Set 'Account lockout threshold' to 1-10 invalid login attempts|Accounts|Password Policy|w
45|Set user authentication for remote connections by using Network Level Authentication|Network|Security Options|w
52|Enable 'Apply UAC restrictions to local accounts on network logons'|OS|Security Options|w
53|Disable SMBv1 client|Network|Security Options|w
54|Disable SMBv1 server|Network|Security Options|w
57|Disable 'WDigest Authentication'|OS|Security Options|w
64|Restrict anonymous access to named pipes and Shares|Network|Security Options|w
72|Set LAN Manager authentication level|OS|Security Options|w
74|Disable 'Allow Basic authentication' for WinRM Service|Network|Security Options|w
79|Disable running or installing downloaded software with invalid signature|OS|Security Options|c
84|Enable Local Admin password management (LAPS)|Accounts|Password Policy|w
88|Do not allow anonymous enumeration of shares|OS|Security Options|w
90|Enable Microsoft Defender Antivirus email scanning|Security controls|Antivirus|w
91|Enable Microsoft Defender Antivirus real-time behavior monitoring|Security controls|Antivirus|w
92|Enable Microsoft Defender Antivirus scanning of downloaded files|Security controls|Antivirus|w
96|Enable Network Protection|Security controls|Security Options|w
107|Block outbound network connections from mshta.exe|OS|Security Options|w
108|Disable Remote Registry Service on Windows|OS|Security Options|w
109|Disable NTLM authentication for Windows|Network|Security Options|w
111|SMB server security hardening against authentication relay attacks|Network|Security Options|w
114|Reduce unnecessary inbound internet exposure on internet-facing devices|Network|Security Options|w
115|Ensure Microsoft Vulnerable Driver Blocklist is enabled|OS|Security Options|w
2000|Turn on Microsoft Defender for Endpoint sensor|Security controls|Security Options|w
2002|Fix Microsoft Defender for Endpoint impaired communications|Security controls|Security Options|w
2003|Turn on Tamper Protection|Security controls|Security Options|w
2004|Enable EDR in block mode|Security controls|Security Options|w
2010|Turn on Microsoft Defender Antivirus|Security controls|Antivirus|w
2011|Update Microsoft Defender Antivirus definitions|Security controls|Antivirus|w
2012|Turn on real-time protection|Security controls|Antivirus|w
2013|Turn on PUA protection in block mode|Security controls|Antivirus|w
2016|Enable cloud-delivered protection|Security controls|Antivirus|w
2020|Turn on all system-level Exploit protection settings|Security controls|Security Options|w
2021|Set controlled folder access to enabled or audit mode|Security controls|Security Options|w
2060|Set Microsoft Defender SmartScreen app and file checking to block or warn|OS|Security Options|c
2061|Set Microsoft Defender SmartScreen Edge site and download checking|OS|Security Options|c
2070|Turn on Microsoft Defender Firewall|Network|Security Options|w
2071|Secure Microsoft Defender Firewall domain profile|Network|Security Options|w
2073|Secure Microsoft Defender Firewall public profile|Network|Security Options|w
2080|Turn on Microsoft Defender Credential Guard|OS|Security Options|w
2090|Encrypt all BitLocker-supported drives|OS|Security Options|c
2100|Enable UEFI Secure Boot mode|OS|Security Options|w
2500|Block executable content from email client and webmail|Security controls|Attack Surface Reduction|c
2501|Block all Office applications from creating child processes|Security controls|Attack Surface Reduction|c
2502|Block Office applications from creating executable content|Security controls|Attack Surface Reduction|c
2503|Block Office applications from injecting code|Security controls|Attack Surface Reduction|c
2504|Block JavaScript or VBScript from launching downloaded content|Security controls|Attack Surface Reduction|w
2505|Block execution of potentially obfuscated scripts|Security controls|Attack Surface Reduction|w
2506|Block Win32 API calls from Office macros|Security controls|Attack Surface Reduction|c
2507|Block executable files unless they meet a prevalence criterion|Security controls|Attack Surface Reduction|w
2508|Use advanced protection against ransomware|Security controls|Attack Surface Reduction|w
2509|Block credential stealing from lsass.exe|Security controls|Attack Surface Reduction|w
2510|Block process creations originating from PSExec and WMI commands|Security controls|Attack Surface Reduction|w
2511|Block untrusted and unsigned processes that run from USB|Security controls|Attack Surface Reduction|w
2512|Block Office communication application from creating children|Security controls|Attack Surface Reduction|c
2513|Block Adobe Reader from creating child processes|Security controls|Attack Surface Reduction|c
2514|Block persistence through WMI event subscription|Security controls|Attack Surface Reduction|w
2515|Block abuse of exploited vulnerable signed drivers|Security controls|Attack Surface Reduction|w
2516|Block Webshell creation for Servers|Security controls|Attack Surface Reduction|x
3001|Fix unquoted service path for Windows services|OS|Security Options|w
3002|Change service executable path to a common protected location|OS|Security Options|w
3010|Disable the built-in Administrator account|Accounts|Security Options|w
4001|Remove share write permission set to 'Everyone'|Network|Shares|w
5003|Set minimum password length to 15 or more characters in macOS|Accounts|Password Policy|m
5007|Turn on Firewall in macOS|Network|Security Options|m
5009|Enable Gatekeeper in macOS|OS|Security Options|m
5010|Enable System Integrity Protection (SIP) in macOS|OS|Security Options|m
5011|Enable FileVault Disk Encryption in macOS|OS|Security Options|m
5090|Turn on Microsoft Defender Antivirus real-time protection in macOS|Security controls|Antivirus|m
5092|Turn on Tamper Protection for MacOS|Security controls|Antivirus|m
5095|Update Microsoft Defender Antivirus definitions in macOS|Security controls|Antivirus|m
6014|Unrestricted Access Accounts for Linux|Accounts|Security Options|l
6090|Turn on Microsoft Defender Antivirus real-time protection for Linux|Security controls|Antivirus|l
6092|Turn on Microsoft Defender Antivirus Tamper Protection for Linux|Security controls|Antivirus|l
6093|Enable Microsoft Defender Antivirus behavior monitoring for Linux|Security controls|Antivirus|l
6094|Enable Microsoft Defender Antivirus cloud-delivered protection for Linux|Security controls|Antivirus|l
6095|Update Microsoft Defender Antivirus definitions for Linux|Security controls|Antivirus|l
"""
SETTINGS = {f"scid-{p[0]}": tuple(p[1:]) for p in (x.split("|") for x in _SETTINGS.strip().splitlines())}

# Settings that a careless estate leaves open here and there; nothing in the scenarios turns on them.
LOOSE = ["scid-15", "scid-22", "scid-24", "scid-32", "scid-64", "scid-72", "scid-79", "scid-88", "scid-90",
         "scid-108", "scid-109", "scid-111", "scid-2013", "scid-2020", "scid-2080", "scid-2090", "scid-2100",
         "scid-2505", "scid-2507", "scid-2513", "scid-3001", "scid-3002", "scid-5007", "scid-5011", "scid-2004"]

RULES = {"scid-2500": ("be9ba2d9-53ea-4cdc-84e5-9b1eeee46550", "AsrExecutableEmailContent"),
         "scid-2501": ("d4f940ab-401b-4efc-aadc-ad5f3c50688a", "AsrOfficeChildProcess"),
         "scid-2502": ("3b576869-a4ec-4529-8536-b80a7769e899", "AsrExecutableOfficeContent"),
         "scid-2504": ("d3e037e1-3eb8-44c8-a917-57927947596d", "AsrScriptExecutableDownload"),
         "scid-2505": ("5beb7efe-fd9a-4556-801d-275e5ffc04cc", "AsrObfuscatedScript"),
         "scid-2507": ("01443614-cd74-433a-b99e-2ecdc07bfc25", "AsrUntrustedExecutable"),
         "scid-2508": ("c1db55ab-c21a-4637-bb3f-a12568109d35", "AsrRansomware"),
         "scid-2509": ("9e6c4e1f-7d60-472f-ba1a-a39ef669e4b2", "AsrLsassCredentialTheft"),
         "scid-2510": ("d1e49aac-8f56-4280-b9ba-993a6d77406c", "AsrPsexecWmiChildProcess"),
         "scid-2511": ("b2b3f03d-6a65-4f7b-a9c7-1c7ef74a9ba4", "AsrUntrustedUsbProcess"),
         "scid-2512": ("26190899-1602-49e8-8b27-eb1d0a1ce869", "AsrOfficeCommAppChildProcess"),
         "scid-2514": ("e6db77e5-3df2-4cf1-b95a-636979351e5b", "AsrPersistenceThroughWmi"),
         "scid-2515": ("56a863a9-875e-4185-98a7-b882c64b5ce5", "AsrVulnerableSignedDriver")}

# Policies that the baseline assessment reads: control -> (item, registry path, wanted, found when it is missing).
BASELINE = {
    "cfg.uac_prompt": ("2.3.17.2", "HKLM\\software\\microsoft\\windows\\currentversion\\policies\\system\\"
                       "consentpromptbehavioradmin", "2", "5"),
    "cfg.office_macro_internet": ("office-2.2.4.5", "HKCU\\software\\policies\\microsoft\\office\\16.0\\word\\"
                                  "security\\blockcontentexecutionfrominternet", "1", "0"),
    "cfg.audit_policy": ("18.9.3.1", "HKLM\\software\\microsoft\\windows\\currentversion\\policies\\system\\audit\\"
                         "processcreationincludecmdline_enabled", "1", "0"),
    "cfg.llmnr_off": ("18.6.4.4", "HKLM\\software\\policies\\microsoft\\windows nt\\dnsclient\\enablemulticast",
                      "0", "1"),
    "cfg.ps_logging": ("18.10.87.1", "HKLM\\software\\policies\\microsoft\\windows\\powershell\\"
                       "scriptblocklogging\\enablescriptblocklogging", "1", "0")}

# Flaws: id -> (vendor, software, vulnerable version, score, update, KEV name or None, ransomware use).
CVES = {
    "CVE-2023-22527": ("atlassian", "confluence_data_center", "8.5.3", 9.8, None,
                       "Atlassian|Confluence Data Center and Server|Template Injection|2024-01-24", "Known"),
    "CVE-2024-21762": ("fortinet", "fortios", "7.2.6", 9.8, None,
                       "Fortinet|FortiOS|Out-of-Bound Write|2024-02-09", "Known"),
    "CVE-2023-4966": ("citrix", "netscaler_gateway", "13.1.49.13", 9.4, None,
                      "Citrix|NetScaler ADC and NetScaler Gateway|Buffer Overflow|2023-10-18", "Known"),
    "CVE-2021-34473": ("microsoft", "exchange_server_2016", "15.1.2242.4", 9.8, "KB5001779",
                       "Microsoft|Exchange Server|Remote Code Execution|2021-11-03", "Known"),
    "CVE-2021-26855": ("microsoft", "exchange_server_2016", "15.1.2242.4", 9.8, "KB5000871",
                       "Microsoft|Exchange Server|Remote Code Execution|2021-11-03", "Known"),
    "CVE-2024-1709": ("connectwise", "screenconnect", "23.9.7", 10.0, None,
                      "ConnectWise|ScreenConnect|Authentication Bypass|2024-02-22", "Known"),
    "CVE-2024-4577": ("php", "php", "8.1.25", 9.8, None, "PHP Group|PHP|OS Command Injection|2024-06-12", "Known"),
    "CVE-2024-27198": ("jetbrains", "teamcity", "2023.11.3", 9.8, None,
                       "JetBrains|TeamCity|Authentication Bypass|2024-03-07", "Known"),
    "CVE-2023-46604": ("apache", "activemq", "5.15.3", 9.8, None,
                       "Apache|ActiveMQ|Deserialization|2023-11-02", "Known"),
    "CVE-2025-53770": ("microsoft", "sharepoint_server_2019", "16.0.10417.20018", 9.8, "KB5002754",
                       "Microsoft|SharePoint|Deserialization|2025-07-20", "Known"),
    "CVE-2023-6448": ("unitronics", "vision_plc", "9.8.65", 9.8, None,
                      "Unitronics|Vision PLC and HMI|Insecure Default Password|2023-12-11", "Unknown"),
    "CVE-2021-4034": ("polkit", "policykit-1", "0.105-26", 7.8, None,
                      "Red Hat|Polkit|Out-of-Bounds Write|2022-06-27", "Known"),
    "CVE-2023-28252": ("microsoft", "windows_server_2019", "10.0.17763.4131", 7.8, "KB5025229",
                       "Microsoft|Windows|Common Log File System Driver|2023-04-11", "Known"),
    "CVE-2023-38831": ("rarlab", "winrar", "6.22", 7.8, None, "RARLAB|WinRAR|Code Execution|2023-08-24", "Known"),
    "CVE-2025-0411": ("7-zip", "7-zip", "24.08", 7.0, None,
                      "7-Zip|7-Zip|Mark of the Web Bypass|2025-02-06", "Unknown"),
    "CVE-2024-38063": ("microsoft", "windows_11", "10.0.22631.3880", 9.8, "KB5041585", None, "Unknown"),
    "CVE-2023-5217": ("google", "chrome", "117.0.5938.92", 8.8, None,
                      "Google|Chromium libvpx|Heap Buffer Overflow|2023-10-02", "Unknown"),
    "CVE-2022-37434": ("zlib", "zlib", "1.2.12", 9.8, None, None, "Unknown"),
    "CVE-2024-6387": ("openbsd", "openssh", "8.9p1", 8.1, None, None, "Unknown"),
    "CVE-2024-1086": ("linux", "linux_kernel", "5.15.0-91", 7.8, None,
                      "Linux|Kernel|Use-After-Free|2024-05-30", "Known"),
    "CVE-2020-1472": ("microsoft", "windows_server_2019", "10.0.17763.1339", 10.0, "KB4571736",
                      "Microsoft|Netlogon|Privilege Escalation|2021-11-03", "Known")}
LOOSE_CVES = {"w": ["CVE-2023-38831", "CVE-2025-0411", "CVE-2023-5217", "CVE-2024-38063", "CVE-2022-37434"],
              "l": ["CVE-2024-6387", "CVE-2022-37434", "CVE-2024-1086"], "m": ["CVE-2023-5217"]}

_POLICY = {"scid-32", "scid-41", "scid-42", "scid-44", "scid-84"}
_CLASS = {"av.mode": "missing-definition", "av.engine_platform_age": "missing-definition",
          "av.signature_age": "missing-signature", "av.exclusion": "missing-setting", "id.mfa": "missing-policy",
          "usb.control": "missing-policy", "dlp.endpoint": "missing-policy", "mail.filter": "missing-policy",
          "ot.removable": "missing-policy", "none-effective": "none-effective", "scid-114": "misconfiguration",
          "scid-2010": "missing-definition", "scid-5090": "missing-definition", "scid-6090": "missing-definition",
          "scid-2011": "missing-signature", "scid-4001": "misconfiguration"}


def class_of(control):
    """The class that the contract gives a control."""
    if control in _CLASS: return _CLASS[control]
    if control.startswith(("CVE-", "patch.")): return "missing-patch"
    if control.startswith("cfg.") or control in _POLICY: return "missing-policy"
    if control.startswith("scid-"):
        number = int(control[5:])
        return "missing-policy" if 2500 <= number < 2600 else "missing-setting"
    return "misconfiguration"


# Where Windows keeps its programs, so that scenarios name them by file alone.
_SYS, _WBEM = "C:\\Windows\\System32\\", "C:\\Windows\\System32\\wbem\\"
PLACES = {n: _SYS + n for n in """cmd.exe services.exe svchost.exe lsass.exe net.exe net1.exe sc.exe reg.exe
 rundll32.exe regsvr32.exe mshta.exe wscript.exe cscript.exe schtasks.exe vssadmin.exe wbadmin.exe bcdedit.exe
 wevtutil.exe whoami.exe nltest.exe ipconfig.exe ping.exe quser.exe tasklist.exe taskkill.exe shutdown.exe
 certutil.exe bitsadmin.exe curl.exe tar.exe robocopy.exe ntdsutil.exe mstsc.exe winlogon.exe userinit.exe
 taskhostw.exe dllhost.exe conhost.exe wsmprovhost.exe gpupdate.exe netsh.exe fsutil.exe notepad.exe cipher.exe
 fodhelper.exe dsquery.exe setspn.exe nslookup.exe systeminfo.exe spoolsv.exe logonui.exe msiexec.exe icacls.exe
 cleanmgr.exe attrib.exe diskshadow.exe esentutl.exe wusa.exe usoclient.exe hostname.exe""".split()}
PLACES |= {"wmiprvse.exe": _WBEM + "WmiPrvSE.exe", "wmic.exe": _WBEM + "WMIC.exe",
           "explorer.exe": "C:\\Windows\\explorer.exe",
           "powershell.exe": _SYS + "WindowsPowerShell\\v1.0\\powershell.exe",
           "w3wp.exe": _SYS + "inetsrv\\w3wp.exe",
           "outlook.exe": "C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE",
           "winword.exe": "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE",
           "excel.exe": "C:\\Program Files\\Microsoft Office\\root\\Office16\\EXCEL.EXE",
           "onenote.exe": "C:\\Program Files\\Microsoft Office\\root\\Office16\\ONENOTE.EXE",
           "msedge.exe": "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
           "chrome.exe": "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
           "msmpeng.exe": "C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.26070.5-0\\MsMpEng.exe",
           "mssense.exe": "C:\\Program Files\\Windows Defender Advanced Threat Protection\\MsSense.exe",
           "ccmexec.exe": "C:\\Windows\\CCM\\CcmExec.exe",
           "onedrive.exe": "C:\\Program Files\\Microsoft OneDrive\\OneDrive.exe"}
SYSTEM = {"services.exe", "svchost.exe", "lsass.exe", "wmiprvse.exe", "spoolsv.exe", "winlogon.exe", "w3wp.exe",
          "msmpeng.exe", "mssense.exe", "ccmexec.exe", "dllhost.exe"}
