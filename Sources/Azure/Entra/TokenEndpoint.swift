import Foundation
import Tables

/// Entra's token endpoint, version 2, for client credentials.
struct TokenEndpoint: Sendable {
    let client: ServiceClient
    let credential: EntraCredential

    func token(for audience: String) async throws -> IssuedToken {
        let url = "\(credential.loginHost)/\(credential.tenant)/oauth2/v2.0/token"
        var form = [
            ("client_id", credential.client), ("scope", audience + "/.default"), ("grant_type", "client_credentials"),
        ]
        let proof: Secret
        switch credential.proof {
        case .secret(let secret):
            proof = secret
            form.append(("client_secret", secret.text))
        case .certificate(let certificate):
            proof = Secret(try await certificate.assertion(client: credential.client, audience: url))
            form += Self.assertion(proof.text)
        case .federated(let file):
            proof = Secret(try Self.federatedToken(file))
            form += Self.assertion(proof.text)
        }
        guard Origin(url)?.isSafeForTokens == true else {
            throw ServiceError(
                tried: "POST \(credential.loginHost)", got: "an address that nobody signs in at in the clear",
                next: "correct 'loginHost': it begins with https://")
        }
        let body = form.map { "\($0)=\(Self.escape($1))" }.joined(separator: "&")
        let response = try await client.send(
            ServiceRequest(
                "POST", url, headers: [("Content-Type", "application/x-www-form-urlencoded")], body: Array(body.utf8),
                timeoutSeconds: 30, secrets: [proof]))
        let answer = (try? JSONReader.parse(response.body))?.bagValue
        guard response.status == 200, let token = answer?["access_token"]?.stringValue else {
            throw refusal(response, answer, url)
        }
        return IssuedToken(
            text: Secret(token), lifetimeSeconds: Self.seconds(answer?["expires_in"]) ?? 3_599,
            refreshSeconds: Self.seconds(answer?["refresh_in"]))
    }

    /// Numbers come as numbers from one version of the endpoint and as texts from the other.
    static func seconds(_ value: Value?) -> Double? { value?.converted(to: .long).longValue.map { Double($0) } }

    static func assertion(_ text: String) -> [(String, String)] {
        [
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", text),
        ]
    }

    static func federatedToken(_ file: String) throws -> String {
        let text = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self).trimmed } ?? ""
        guard !text.isEmpty else {
            throw ServiceError(
                tried: "reading the federated token \(file)", got: "the file is missing or empty",
                means: "the platform that should project a token into it has not done so",
                next:
                    "check the service account and its federation, and 'federatedTokenFile' (or AZURE_FEDERATED_TOKEN_FILE)"
            )
        }
        return text
    }

    func refusal(_ response: ServiceResponse, _ answer: Bag?, _ url: String) -> ServiceError {
        let code = answer?["error_codes"]?.arrayValue?.first?.longValue.map { Int($0) } ?? 0
        let text = answer?["error_description"]?.text ?? ""
        let cut = text.range(of: " Trace ID") ?? text.range(of: "\r\n")
        let message = cut.map { String(text[..<$0.lowerBound]) } ?? text
        let trace = answer?["trace_id"]?.text ?? "unknown"
        return ServiceError(
            tried: "POST \(url)",
            got:
                "\(response.status), \(message.isEmpty ? "no explanation" : String(message.prefix(240))) (trace \(trace))",
            means: "Microsoft Entra ID gives this application no token",
            next: EntraAdvice.next(code, tenant: credential.tenant, client: credential.client, proof: credential.proof),
            status: response.status)
    }

    static func escape(_ text: String) -> String {
        text.addingPercentEncoding(
            withAllowedCharacters: .init(
                charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")) ?? ""
    }
}
