/// What an operator can do about an AADSTS code
/// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
enum EntraAdvice {
    static func next(_ code: Int, tenant: String, client: String) -> String {
        switch code {
        case 7_000_215: "copy the secret's value (not its ID) again from the app registration, and set it where 'clientSecret' points"
        case 7_000_222: "the secret has expired: create a new one in the app registration \(client), and set it where 'clientSecret' points"
        case 7_000_218: "set 'clientSecret' in the configuration"
        case 700_016, 700_011: "check 'clientId' and 'tenantId'; the application \(client) is not in tenant \(tenant)"
        case 90002: "check 'tenantId' (\(tenant)) and that 'loginHost' is the one of your cloud"
        case 90038: "the tenant belongs to another national cloud: set 'loginHost' to that cloud's"
        case 9_001_023: "set 'tenantId' to your tenant's id"
        case 500_011, 50001: "the service is not in the tenant: open the Defender portal once, or check that the license covers it"
        case 70011, 1_002_012: "check the 'resource' settings: each is the address of one service"
        case 53003, 530_032: "a Conditional Access policy for workload identities blocks the application \(client)"
        default: "look the code up at https://login.microsoftonline.com/error?code=\(code)"
        }
    }
}
