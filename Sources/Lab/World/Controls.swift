/// A secure-configuration control as the knowledge base describes it. Ids and titles are the vendor's published ones.
struct Control: Sendable {
    let id: String
    let name: String
    let category: String
    let subcategory: String
    let impact: Double
    /// Share of devices that comply at the start, in percent.
    let compliance: Int
}

/// The controls that each platform's devices are assessed against.
enum Controls {
    static let windows: [Control] = [
        Control(
            id: "scid-2000", name: "Turn on Microsoft Defender for Endpoint sensor", category: "Security controls",
            subcategory: "EDR", impact: 9,
            compliance: 97),
        Control(
            id: "scid-2001", name: "Fix Microsoft Defender for Endpoint sensor data collection",
            category: "Security controls", subcategory: "EDR", impact: 9,
            compliance: 97),
        Control(
            id: "scid-2002", name: "Fix Microsoft Defender for Endpoint impaired communications",
            category: "Security controls", subcategory: "EDR", impact: 9,
            compliance: 97),
        Control(
            id: "scid-2003", name: "Turn on Tamper Protection", category: "Security controls", subcategory: "Antivirus",
            impact: 9, compliance: 92),
        Control(
            id: "scid-2004", name: "Enable EDR in block mode", category: "Security controls", subcategory: "EDR",
            impact: 9, compliance: 97),
        Control(
            id: "scid-2010", name: "Turn on Microsoft Defender Antivirus", category: "Security controls",
            subcategory: "Antivirus", impact: 9, compliance: 92),
        Control(
            id: "scid-2011", name: "Update Microsoft Defender Antivirus definitions", category: "Security controls",
            subcategory: "Antivirus", impact: 9,
            compliance: 92),
        Control(
            id: "scid-2012", name: "Turn on real-time protection", category: "Security controls",
            subcategory: "Antivirus", impact: 9, compliance: 92),
        Control(
            id: "scid-91", name: "Enable Microsoft Defender Antivirus real-time behavior monitoring",
            category: "Security controls", subcategory: "Antivirus",
            impact: 9, compliance: 92),
        Control(
            id: "scid-2013", name: "Turn on PUA protection in block mode", category: "Security controls",
            subcategory: "Antivirus", impact: 9, compliance: 92),
        Control(
            id: "scid-2014", name: "Fix Windows Defender Antivirus cloud service connectivity",
            category: "Security controls", subcategory: "Antivirus",
            impact: 9, compliance: 92),
        Control(
            id: "scid-2016", name: "Enable cloud-delivered protection", category: "Security controls",
            subcategory: "Antivirus", impact: 9, compliance: 92),
        Control(
            id: "scid-2030", name: "Update Microsoft Defender for Endpoint core components",
            category: "Security controls", subcategory: "EDR", impact: 9,
            compliance: 97),
        Control(
            id: "scid-96", name: "Enable Network Protection", category: "Security controls",
            subcategory: "Platform hardening", impact: 6, compliance: 70),
        Control(
            id: "scid-2020", name: "Turn on all system-level Exploit protection settings",
            category: "Security controls", subcategory: "Platform hardening",
            impact: 6, compliance: 77),
        Control(
            id: "scid-2021", name: "Set controlled folder access to enabled or audit mode",
            category: "Security controls", subcategory: "Platform hardening",
            impact: 6, compliance: 84),
        Control(
            id: "scid-115", name: "Ensure Microsoft Vulnerable Driver Blocklist is enabled",
            category: "Security controls", subcategory: "Platform hardening",
            impact: 6, compliance: 91),
        Control(
            id: "scid-2060", name: "Set Microsoft Defender SmartScreen app and file checking to block or warn",
            category: "Security controls",
            subcategory: "Platform hardening", impact: 6, compliance: 60),
        Control(
            id: "scid-2061",
            name: "Set Microsoft Defender SmartScreen Microsoft Edge site and download checking to block or warn",
            category: "Security controls", subcategory: "Platform hardening", impact: 6, compliance: 67),
        Control(
            id: "scid-2070", name: "Turn on Microsoft Defender Firewall", category: "Security controls",
            subcategory: "Firewall", impact: 7, compliance: 74),
        Control(
            id: "scid-2071", name: "Secure Microsoft Defender Firewall domain profile", category: "Security controls",
            subcategory: "Firewall", impact: 7,
            compliance: 81),
        Control(
            id: "scid-2072", name: "Secure Microsoft Defender firewall private profile", category: "Security controls",
            subcategory: "Firewall", impact: 7,
            compliance: 88),
        Control(
            id: "scid-2073", name: "Secure Microsoft Defender Firewall public profile", category: "Security controls",
            subcategory: "Firewall", impact: 7,
            compliance: 57),
        Control(
            id: "scid-2080", name: "Turn on Microsoft Defender Credential Guard", category: "Security controls",
            subcategory: "Credential protection",
            impact: 8, compliance: 64),
        Control(
            id: "scid-2090", name: "Encrypt all BitLocker-supported drives", category: "OS", subcategory: "Encryption",
            impact: 7, compliance: 71),
        Control(
            id: "scid-2100", name: "Enable UEFI Secure Boot mode", category: "Security controls",
            subcategory: "Platform hardening", impact: 6, compliance: 78),
        Control(
            id: "scid-25", name: "Enable 'Local Security Authority (LSA) protection'", category: "Security controls",
            subcategory: "Credential protection",
            impact: 8, compliance: 85),
        Control(
            id: "scid-57", name: "Disable 'WDigest Authentication'", category: "Security controls",
            subcategory: "Credential protection", impact: 8,
            compliance: 92),
        Control(
            id: "scid-72",
            name: "Set LAN Manager authentication level to 'Send NTLMv2 response only. Refuse LM & NTLM'",
            category: "Security controls",
            subcategory: "Credential protection", impact: 8, compliance: 61),
        Control(
            id: "scid-84", name: "Enable Local Admin password management (LAPS)", category: "Accounts",
            subcategory: "Password Policy", impact: 5,
            compliance: 68),
        Control(
            id: "scid-24", name: "Set 'Remote Desktop security level' to 'TLS'", category: "Network",
            subcategory: "Remote access", impact: 6, compliance: 75),
        Control(
            id: "scid-30", name: "Disable 'Insecure guest logons' in SMB", category: "Network",
            subcategory: "Remote access", impact: 6, compliance: 82),
        Control(
            id: "scid-45",
            name: "Set user authentication for remote connections by using Network Level Authentication to 'Enabled'",
            category: "Network",
            subcategory: "Remote access", impact: 6, compliance: 89),
        Control(
            id: "scid-32", name: "Set 'Minimum password length' to '14 or more characters'", category: "Accounts",
            subcategory: "Password Policy", impact: 5,
            compliance: 58),
        Control(
            id: "scid-2500", name: "Block executable content from email client and webmail",
            category: "Security controls",
            subcategory: "Attack Surface Reduction", impact: 8, compliance: 65),
        Control(
            id: "scid-2501", name: "Block all Office applications from creating child processes",
            category: "Security controls",
            subcategory: "Attack Surface Reduction", impact: 8, compliance: 72),
        Control(
            id: "scid-2508", name: "Use advanced protection against ransomware", category: "Security controls",
            subcategory: "Attack Surface Reduction",
            impact: 8, compliance: 79),
        Control(
            id: "scid-2509",
            name: "Block credential stealing from the Windows local security authority subsystem (lsass.exe)",
            category: "Security controls",
            subcategory: "Attack Surface Reduction", impact: 8, compliance: 86),
        Control(
            id: "scid-2510", name: "Block process creations originating from PSExec and WMI commands",
            category: "Security controls",
            subcategory: "Attack Surface Reduction", impact: 8, compliance: 55),
        Control(
            id: "scid-2514", name: "Block persistence through WMI event subscription", category: "Security controls",
            subcategory: "Attack Surface Reduction",
            impact: 8, compliance: 62),
        Control(
            id: "scid-2515", name: "Block abuse of exploited vulnerable signed drivers", category: "Security controls",
            subcategory: "Attack Surface Reduction",
            impact: 8, compliance: 69),
    ]

    static let macOS: [Control] = [
        Control(
            id: "scid-5001", name: "Fix Microsoft Defender for Endpoint sensor data collection in macOS",
            category: "Security controls", subcategory: "EDR",
            impact: 9, compliance: 97),
        Control(
            id: "scid-5002", name: "Fix Microsoft Defender for Endpoint impaired communications in macOS",
            category: "Security controls", subcategory: "EDR",
            impact: 9, compliance: 97),
        Control(
            id: "scid-5003", name: "Set minimum password length to 15 or more characters in macOS",
            category: "Accounts", subcategory: "Password Policy",
            impact: 5, compliance: 69),
        Control(
            id: "scid-5004", name: "Set 'Enforce password history' to '24 or more password(s)' in macOS",
            category: "Accounts", subcategory: "Password Policy",
            impact: 5, compliance: 76),
        Control(
            id: "scid-5005", name: "Set 'Maximum password age' to '90 or fewer days, but not 0' in macOS",
            category: "Accounts", subcategory: "Password Policy",
            impact: 5, compliance: 83),
        Control(
            id: "scid-5006", name: "Set account lockout threshold to 5 or lower in macOS", category: "Accounts",
            subcategory: "Password Policy", impact: 5,
            compliance: 90),
        Control(
            id: "scid-5007", name: "Turn on Firewall in macOS", category: "Security controls", subcategory: "Firewall",
            impact: 7, compliance: 59),
        Control(
            id: "scid-5009", name: "Enable Gatekeeper in macOS", category: "Security controls",
            subcategory: "Platform hardening", impact: 6, compliance: 66),
        Control(
            id: "scid-5010", name: "Enable System Integrity Protection (SIP) in macOS", category: "Security controls",
            subcategory: "Platform hardening",
            impact: 6, compliance: 73),
        Control(
            id: "scid-5011", name: "Enable FileVault Disk Encryption in macOS", category: "OS",
            subcategory: "Encryption", impact: 7, compliance: 80),
        Control(
            id: "scid-5013", name: "Ensure screensaver is set to start in 20 minutes or less in macOS",
            category: "Security controls",
            subcategory: "Platform hardening", impact: 6, compliance: 87),
        Control(
            id: "scid-5014", name: "Secure Home Folders in macOS", category: "Security controls",
            subcategory: "Platform hardening", impact: 6, compliance: 56),
        Control(
            id: "scid-5090", name: "Turn on Microsoft Defender Antivirus real-time protection in macOS",
            category: "Security controls",
            subcategory: "Antivirus", impact: 9, compliance: 92),
        Control(
            id: "scid-5091", name: "Turn on Microsoft Defender Antivirus PUA protection in block mode in macOS",
            category: "Security controls",
            subcategory: "Antivirus", impact: 9, compliance: 92),
        Control(
            id: "scid-5092", name: "Turn on Tamper Protection for MacOS", category: "Security controls",
            subcategory: "Antivirus", impact: 9, compliance: 92),
        Control(
            id: "scid-5093", name: "Enable Microsoft Defender Antivirus real-time behavior monitoring in macOS",
            category: "Security controls",
            subcategory: "Antivirus", impact: 9, compliance: 92),
        Control(
            id: "scid-5094", name: "Enable Microsoft Defender Antivirus cloud-delivered protection in macOS",
            category: "Security controls",
            subcategory: "Antivirus", impact: 9, compliance: 92),
        Control(
            id: "scid-5095", name: "Update Microsoft Defender Antivirus definitions in macOS",
            category: "Security controls", subcategory: "Antivirus",
            impact: 9, compliance: 92),
        Control(
            id: "scid-5115", name: "Configure Microsoft Defender system extensions as non-removable on macOS",
            category: "Security controls",
            subcategory: "Platform hardening", impact: 6, compliance: 67),
    ]

    /// Phones, tablets and whatever else: whether they are looked after at all.
    static let others: [Control] = [
        Control(
            id: "scid-20000", name: "Onboard devices to Microsoft Defender for Endpoint", category: "Security controls",
            subcategory: "Onboard Devices",
            impact: 9, compliance: 90)
    ]

    static let linux: [Control] = [
        Control(
            id: "scid-6001", name: "Fix Microsoft Defender for Endpoint sensor data collection for Linux",
            category: "Security controls", subcategory: "EDR",
            impact: 9, compliance: 97),
        Control(
            id: "scid-6002", name: "Fix Microsoft Defender for Endpoint impaired communications for Linux",
            category: "Security controls", subcategory: "EDR",
            impact: 9, compliance: 97),
        Control(
            id: "scid-6014", name: "Unrestricted Access Accounts for Linux", category: "Accounts",
            subcategory: "Password Policy", impact: 5, compliance: 69),
        Control(
            id: "scid-6090", name: "Turn on Microsoft Defender Antivirus real-time protection for Linux",
            category: "Security controls",
            subcategory: "Antivirus", impact: 9, compliance: 92),
        Control(
            id: "scid-6091", name: "Turn on Microsoft Defender Antivirus PUA protection in block mode for Linux",
            category: "Security controls",
            subcategory: "Antivirus", impact: 9, compliance: 92),
        Control(
            id: "scid-6092", name: "Turn on Microsoft Defender Antivirus Tamper Protection for Linux",
            category: "Security controls", subcategory: "Antivirus",
            impact: 9, compliance: 92),
        Control(
            id: "scid-6093", name: "Enable Microsoft Defender Antivirus real-time behavior monitoring for Linux",
            category: "Security controls",
            subcategory: "Antivirus", impact: 9, compliance: 92),
        Control(
            id: "scid-6094", name: "Enable Microsoft Defender Antivirus cloud-delivered protection for Linux",
            category: "Security controls",
            subcategory: "Antivirus", impact: 9, compliance: 92),
        Control(
            id: "scid-6095", name: "Update Microsoft Defender Antivirus definitions for Linux",
            category: "Security controls", subcategory: "Antivirus",
            impact: 9, compliance: 92),
    ]
}
