/// Asks an authority for time stamps over HTTP (RFC 3161, section 3.4).
package struct TimeStampClient: Sendable {
    private let client: ServiceClient
    private let address: String

    package init(client: ServiceClient, address: String) {
        self.client = client
        self.address = address
    }

    /// The authority's answer to a request, both in DER.
    package func answer(to request: [UInt8]) async throws(ServiceError) -> [UInt8] {
        let call = ServiceRequest(
            "POST", address, headers: [("Content-Type", "application/timestamp-query")], body: request,
            timeoutSeconds: 30)
        let response: ServiceResponse
        do { response = try await client.send(call) } catch let error as ServiceError { throw error } catch {
            throw ServiceError(
                tried: "asking for a time stamp", got: "\(error)", next: "check 'evidence.timestamp.url'",
                isRetryable: true)
        }
        guard response.status == 200 else {
            throw ServiceError(
                tried: "asking for a time stamp", got: response.summary, next: "check 'evidence.timestamp.url'",
                isRetryable: response.status >= 500)
        }
        return response.body
    }
}
