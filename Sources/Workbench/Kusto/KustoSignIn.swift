import Pipeline
import Tables

/// What Kusto's clients ask for before they sign in
/// (https://github.com/Azure/azure-kusto-python, `CloudSettings`, reads `/v1/rest/auth/metadata`).
enum KustoSignIn {
    static func metadata(_ entra: ServeConfiguration.Entra) -> JSON {
        let registration = entra.registration
        return [
            "AzureAD": [
                "LoginEndpoint": .string(registration.loginHost), "LoginMfaRequired": false,
                "KustoClientAppId": .string(registration.clientID), "KustoClientRedirectUri": "http://localhost",
                "KustoServiceResourceId": .string(entra.audience ?? "api://\(registration.clientID)"),
                "FirstPartyAuthorityUrl": .string("\(registration.loginHost)/\(registration.tenantID)"),
            ]
        ]
    }
}
