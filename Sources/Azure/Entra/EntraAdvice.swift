/// What an operator can do about an AADSTS code
/// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
enum EntraAdvice {
    static func next(_ code: Int, tenant: String, client: String, proof: EntraProof) -> String {
        switch code {
        case 7_000_215:
            "copy the secret's value (not its ID) again from the app registration, and set it where 'clientSecret' points"
        case 7_000_222:
            "the secret has expired: create a new one in the app registration \(client), and set it where 'clientSecret' points"
        case 7_000_218: "set 'clientSecret', 'certificate' or 'federatedTokenFile' in the configuration"
        case 700_025: "the app registration is a public client: switch 'Allow public client flows' off"
        case 700_027: certificate(client, proof)
        case 700_024: "the clock of this machine is wrong: set it by NTP, then run the command again"
        case 700_211, 700_212, 700_213:
            "compare issuer, subject and audience of the federated credential of \(client) with those of the token in 'federatedTokenFile'"
        case 700_016, 700_011: "check 'clientId' and 'tenantId'; the application \(client) is not in tenant \(tenant)"
        case 7_000_112, 70001:
            "the application \(client) is switched off in the tenant: enable its enterprise application"
        case 90002: "check 'tenantId' (\(tenant)) and that 'cloud' is the one of your tenant"
        case 90038, 900_382, 900_432:
            "the tenant belongs to another national cloud: set 'cloud' to gcc-high, dod or china"
        case 9_001_023: "set 'tenantId' to your tenant's id"
        case 500_011, 50001:
            "the service is not in the tenant: open the Defender portal once, or check that the license covers it"
        case 70011, 1_002_012: "check the 'resource' settings: each is the address of one service"
        case 53003, 530_032: "a Conditional Access policy for workload identities blocks the application \(client)"
        default: "look the code up at https://login.microsoftonline.com/error?code=\(code)"
        }
    }

    private static func certificate(_ client: String, _ proof: EntraProof) -> String {
        guard case .certificate(let certificate) = proof else {
            return "upload the certificate to the app registration \(client)"
        }
        return
            "upload the certificate to the app registration \(client) (Certificates & secrets); its thumbprint there must be \(certificate.portalThumbprint)"
    }
}
