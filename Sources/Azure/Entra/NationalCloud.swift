/// The clouds that Microsoft keeps apart, with the addresses that Vestige calls in each.
///
/// Sources: https://learn.microsoft.com/defender-endpoint/gov, https://learn.microsoft.com/graph/deployments,
/// https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud.
package enum NationalCloud: String, Sendable, CaseIterable {
    case global
    case gcc
    case gccHigh = "gcc-high"
    case dod
    case china

    package struct Hosts: Sendable, Equatable {
        package var login: String
        package var graph: String
        /// Defender for Endpoint; nil where the service does not exist.
        package var endpoint: String?
        /// The audience of tokens for it.
        package var endpointResource: String?
        package var monitorResource: String
        package var managementHost: String
        package var vaultSuffix: String
        package var kustoResource: String
    }

    package var hosts: Hosts {
        switch self {
        case .global:
            Hosts(
                login: "https://login.microsoftonline.com", graph: "https://graph.microsoft.com",
                endpoint: "https://api.security.microsoft.com",
                endpointResource: "https://api.securitycenter.microsoft.com",
                monitorResource: "https://monitor.azure.com",
                managementHost: "https://management.azure.com", vaultSuffix: "vault.azure.net",
                kustoResource: "https://kusto.kusto.windows.net")
        case .gcc:
            Hosts(
                login: "https://login.microsoftonline.com", graph: "https://graph.microsoft.com",
                endpoint: "https://api-gcc.securitycenter.microsoft.us",
                endpointResource: "https://api-gcc.securitycenter.microsoft.us",
                monitorResource: "https://monitor.azure.com",
                managementHost: "https://management.azure.com", vaultSuffix: "vault.azure.net",
                kustoResource: "https://kusto.kusto.windows.net")
        case .gccHigh, .dod:
            Hosts(
                login: "https://login.microsoftonline.us",
                graph: self == .dod ? "https://dod-graph.microsoft.us" : "https://graph.microsoft.us",
                endpoint: "https://api-gov.securitycenter.microsoft.us",
                endpointResource: "https://api-gov.securitycenter.microsoft.us",
                monitorResource: "https://monitor.azure.us", managementHost: "https://management.usgovcloudapi.net",
                vaultSuffix: "vault.usgovcloudapi.net",
                kustoResource: "https://kusto.kusto.usgovcloudapi.net")
        case .china:
            // Advanced hunting and Defender for Endpoint are not offered there.
            Hosts(
                login: "https://login.partner.microsoftonline.cn", graph: "https://microsoftgraph.chinacloudapi.cn",
                endpoint: nil, endpointResource: nil,
                monitorResource: "https://monitor.azure.cn", managementHost: "https://management.chinacloudapi.cn",
                vaultSuffix: "vault.azure.cn",
                kustoResource: "https://kusto.kusto.chinacloudapi.cn")
        }
    }
}
