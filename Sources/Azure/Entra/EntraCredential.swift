/// How an application proves to Microsoft Entra ID who it is
/// (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
package enum EntraProof: Sendable {
    case secret(Secret)
    case certificate(ClientCertificate)
    /// A file with a token of another issuer: workload identity federation. It is read for every request, since it rotates.
    case federated(tokenFile: String)
}

/// An application of a tenant, and where it signs in.
package struct EntraCredential: Sendable {
    package let loginHost: String
    package let tenant: String
    package let client: String
    package let proof: EntraProof

    package init(
        loginHost: String = "https://login.microsoftonline.com", tenant: String, client: String, proof: EntraProof
    ) {
        self.loginHost = loginHost
        self.tenant = tenant
        self.client = client
        self.proof = proof
    }
}

/// Whose tokens a cache holds.
package enum TokenSource: Sendable {
    case application(EntraCredential)
    case managedIdentity(ManagedIdentity)
}

/// A token as its issuer gave it.
struct IssuedToken: Sendable {
    let text: Secret
    let lifetimeSeconds: Double
    /// After how many seconds the issuer wants it to be renewed; nil when it does not say.
    let refreshSeconds: Double?

    /// When to renew: five minutes ahead of the end, or half-way through a short life.
    var renewsAfterSeconds: Double { refreshSeconds ?? max(lifetimeSeconds - 300, lifetimeSeconds / 2) }
}
