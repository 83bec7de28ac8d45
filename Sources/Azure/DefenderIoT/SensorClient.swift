import Foundation
import Tables

/// A Defender for IoT OT sensor: GET, a bare access token, bare JSON arrays
/// (https://learn.microsoft.com/azure/defender-for-iot/organizations/references-work-with-defender-for-iot-apis).
package struct SensorClient: Sendable {
    private let client: ServiceClient
    private let host: String
    private let token: Secret

    package init(client: ServiceClient, host: String, token: Secret) {
        self.client = client
        self.host = host
        self.token = token
    }

    package func get(_ path: String, parameters: [(String, String)]) async throws -> ServiceResponse {
        let request = ServiceRequest(
            "GET", host + URLQuery.address(path, parameters), headers: [("Authorization", token.text)],
            timeoutSeconds: 120, secrets: [token])
        guard let origin = Origin(request.url), origin == Origin(host), origin.isSafeForTokens else {
            throw ServiceError(
                tried: request.shown, got: "an address that is not the sensor's",
                means: "the sensor's token goes to \(host) and nowhere else",
                next: "correct the path in the source's file, and 'host' of the sensor")
        }
        let response = try await client.send(request)
        let firstByte = response.body.first { $0 > 32 }
        // What a sensor answers to a wrong token is not documented: a status, an error object, or a page for people.
        if response.status == 401 || response.status == 403 || response.vendorError != nil || firstByte == 60 {
            throw ServiceError(
                tried: request.shown, got: firstByte == 60 ? "\(response.status), a web page" : response.summary,
                means: "the sensor does not accept the access token",
                next:
                    "create a token on the sensor (System settings > Integrations > Access tokens) and set it where 'token' points",
                status: response.status)
        }
        guard response.status == 200 else {
            throw ServiceError(
                tried: request.shown, got: response.summary,
                next: "check the path in the source's file against the sensor's version", status: response.status)
        }
        return response
    }
}
