/// Columns of a query's results that name one thing: an account, a device, an address.
package struct EntityMapping: Sendable {
    /// `Host`, `Account` and the other kinds of Sentinel
    /// (https://learn.microsoft.com/azure/sentinel/entities-reference).
    package let type: String
    package let fields: [(identifier: String, column: String)]

    init(yaml: Fields) throws {
        try yaml.only(["entityType", "fieldMappings"])
        type = try yaml.string("entityType")
        fields = try yaml.list("fieldMappings").map { field in
            try field.only(["identifier", "columnName"])
            return (try field.string("identifier"), try field.string("columnName"))
        }
    }

    /// Identifiers by the type of the entity.
    private static let identifiers: [String: Set<String>] = [
        "Account": [
            "FullName", "Sid", "Name", "UPNSuffix", "NTDomain", "DnsDomain", "AadTenantId", "AadUserId", "PUID",
            "IsDomainJoined", "DisplayName", "ObjectGuid", "CloudAppAccountId",
        ],
        "Host": [
            "FullName", "HostName", "NetBiosName", "AzureID", "OMSAgentID", "DnsDomain", "NTDomain", "OSFamily",
            "OSVersion", "IsDomainJoined",
        ],
        "IP": ["Address", "AddressScope"],
        "IoTDevice": [
            "DeviceId", "DeviceName", "DeviceType", "Manufacturer", "Model", "OperatingSystem", "FirmwareVersion",
            "MacAddress", "Protocols", "SerialNumber", "Source", "IoTSecurityAgentId", "IoTHub", "IpAddress",
        ],
        "File": ["Name", "Directory"], "FileHash": ["Algorithm", "Value"],
        "Process": ["ProcessId", "CommandLine", "CreationTimeUtc", "ElevationToken"],
        "RegistryKey": ["Hive", "Key"], "RegistryValue": ["Name", "Value", "ValueType"], "URL": ["Url"],
        "DNS": ["DomainName"], "Malware": ["Name", "Category"], "AzureResource": ["ResourceId"],
        "CloudApplication": ["AppId", "Name", "InstanceName"],
        "SecurityGroup": ["DistinguishedName", "SID", "ObjectGuid"],
        "Mailbox": ["MailboxPrimaryAddress", "DisplayName", "Upn", "RiskLevel"],
        "MailMessage": ["NetworkMessageId", "Recipient", "Sender", "SenderIP", "Subject", "Urls", "Language"],
        "MailCluster": ["NetworkMessageIds", "Query", "QueryTime", "MailCount", "Source"],
        "SubmissionMail": [
            "NetworkMessageId", "SubmissionId", "Submitter", "Recipient", "Sender", "SenderIp", "Subject",
        ],
    ]

    /// What Sentinel would refuse of the mappings of one query.
    ///
    /// - Parameter max: how many mappings a query may have: 10 in a rule, 5 in a hunting query.
    static func problems(_ mappings: [EntityMapping], max: Int) -> [String] {
        var found: [String] = []
        if mappings.count > max { found.append("there are \(mappings.count) entity mappings; \(max) at most") }
        for mapping in mappings {
            guard let known = identifiers[mapping.type] else {
                found.append("Sentinel knows no entity '\(mapping.type)'")
                continue
            }
            if !(1...3).contains(mapping.fields.count) { found.append("the entity \(mapping.type) has 1 to 3 fields") }
            for (identifier, _) in mapping.fields where !known.contains(identifier) {
                found.append("the entity \(mapping.type) has no identifier '\(identifier)'")
            }
        }
        return found
    }
}
