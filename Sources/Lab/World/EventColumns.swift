import Tables

/// Columns of the hunting tables that only scenarios fill; the others of their pages stay out of the lab
/// (https://learn.microsoft.com/defender-xdr/advanced-hunting-schema-tables, a page for each table).
enum EventColumns {
    private static let initiator: [(String, ScalarType)] = [
        ("InitiatingProcessAccountDomain", .string), ("InitiatingProcessFolderPath", .string),
        ("InitiatingProcessSHA256", .string), ("InitiatingProcessCreationTime", .datetime),
        ("InitiatingProcessParentId", .long), ("InitiatingProcessParentFileName", .string),
        ("InitiatingProcessParentCreationTime", .datetime), ("InitiatingProcessIntegrityLevel", .string),
    ]

    /// By table.
    static let more: [String: [(String, ScalarType)]] = [
        "DeviceProcessEvents": initiator + [
            ("AccountDomain", .string), ("AccountSid", .string), ("LogonId", .long),
            ("ProcessIntegrityLevel", .string), ("ProcessTokenElevation", .string),
            ("ProcessVersionInfoCompanyName", .string), ("ProcessVersionInfoProductName", .string),
            ("ProcessVersionInfoOriginalFileName", .string), ("ProcessVersionInfoInternalFileName", .string),
            ("ProcessVersionInfoFileDescription", .string), ("InitiatingProcessSignerType", .string),
            ("InitiatingProcessSignatureStatus", .string),
        ],
        "DeviceNetworkEvents": initiator + [
            ("RemoteIPType", .string), ("LocalPort", .long), ("LocalIPType", .string), ("AdditionalFields", .string),
        ],
        "DeviceFileEvents": initiator + [
            ("PreviousFileName", .string), ("PreviousFolderPath", .string), ("FileOriginUrl", .string),
            ("FileOriginIP", .string), ("FileOriginReferrerUrl", .string), ("RequestProtocol", .string),
            ("RequestSourceIP", .string), ("RequestSourcePort", .long), ("RequestAccountName", .string),
            ("RequestAccountDomain", .string), ("ShareName", .string), ("SensitivityLabel", .string),
            ("AdditionalFields", .string),
        ],
        "DeviceRegistryEvents": initiator + [
            ("PreviousRegistryKey", .string), ("PreviousRegistryValueName", .string),
            ("PreviousRegistryValueData", .string),
        ],
        "DeviceLogonEvents": initiator + [
            ("AccountSid", .string), ("Protocol", .string), ("FailureReason", .string), ("LogonId", .long),
            ("RemoteDeviceName", .string), ("RemoteIPType", .string), ("RemotePort", .long),
            ("AdditionalFields", .string),
        ],
        "DeviceImageLoadEvents": initiator + [("FileSize", .long)],
        "DeviceEvents": initiator + [
            ("SHA1", .string), ("SHA256", .string), ("AccountDomain", .string), ("AccountName", .string),
            ("RemoteUrl", .string), ("RemoteDeviceName", .string), ("ProcessId", .long),
            ("ProcessCommandLine", .string), ("ProcessCreationTime", .datetime), ("RegistryKey", .string),
            ("RegistryValueName", .string), ("RegistryValueData", .string), ("RemoteIP", .string),
            ("RemotePort", .long), ("LocalIP", .string), ("LocalPort", .long), ("FileOriginUrl", .string),
            ("FileOriginIP", .string), ("LogonId", .long),
        ],
        "AlertEvidence": [
            ("Title", .string), ("Categories", .string), ("AttackTechniques", .string), ("ServiceSource", .string),
            ("DetectionSource", .string), ("FolderPath", .string), ("SHA256", .string), ("ProcessCommandLine", .string),
            ("AccountDomain", .string), ("RemoteIP", .string), ("Severity", .string),
        ],
    ]
}
