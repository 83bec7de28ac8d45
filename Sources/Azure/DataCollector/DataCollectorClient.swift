import Crypto
import Foundation
import Tables

/// The HTTP Data Collector API, which Microsoft retired on 2026-09-14: for workspaces that still take it
/// (https://learn.microsoft.com/previous-versions/azure/azure-monitor/logs/data-collector-api).
package struct DataCollectorClient: Sendable {
    private let client: ServiceClient
    private let workspace: String
    private let key: Secret
    private let endpoint: String
    /// Bytes of a post; the service takes 30 MB.
    package static let bodyBytesMax = 28_000_000
    /// Bytes of a field's value; the service cuts off what is beyond.
    package static let fieldBytesMax = 32_768

    /// - Parameter endpoint: nil for the workspace's own, `https://ID.ods.opinsights.azure.com`.
    package init(client: ServiceClient, workspace: String, key: Secret, endpoint: String?) {
        self.client = client
        self.workspace = workspace
        self.key = key
        self.endpoint = endpoint ?? "https://\(workspace).ods.opinsights.azure.com"
    }

    /// Sends a JSON array of records; the table is `logType` and `_CL`.
    package func post(_ records: [UInt8], logType: String) async throws -> Int {
        guard let secret = Data(base64Encoded: key.text) else {
            throw ServiceError(
                tried: "signing a post", got: "the workspace key is not base64",
                next: "copy the primary key again from the workspace's Agents page")
        }
        let date = Self.date(Date())
        let text = "POST\n\(records.count)\napplication/json\nx-ms-date:\(date)\n/api/logs"
        let code = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: secret))
        let signature = Data(code).base64EncodedString()
        let request = ServiceRequest(
            "POST", "\(endpoint)/api/logs?api-version=2016-04-01",
            headers: [
                ("Content-Type", "application/json"), ("Log-Type", logType), ("x-ms-date", date),
                ("time-generated-field", "TimeGenerated"),
                ("Authorization", "SharedKey \(workspace):\(signature)"),
            ], body: records, timeoutSeconds: 120, secrets: [key, Secret(unlisted: signature)])
        let response = try await client.send(request)
        guard response.status == 200 else {
            let next =
                switch response.status {
                case 403:
                    "check 'workspaceId' and the key that 'key' points to; the clock of this machine must be right"
                case 400: "check 'workspaceId'; if the API is gone, move the sink to kind logs-ingestion"
                case 404: "the API is gone from this workspace: move the sink to kind logs-ingestion"
                default: "run the command again later; what was not sent stays in the outbox"
                }
            throw ServiceError(
                tried: request.shown, got: response.summary, next: next, status: response.status,
                isTooLarge: response.status == 413)
        }
        return records.count
    }

    /// RFC 1123, in the only zone it is used with.
    private static func date(_ date: Date) -> String {
        let ticks = DateTime.unixEpoch + Int64(date.timeIntervalSince1970) * DateTime.ticksPerSecond
        let text = DateTime.format(ticks)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = Int(text.dropFirst(5).prefix(2)) ?? 1
        return
            "\(days[DateTime.dayOfWeek(ticks)]), \(text.dropFirst(8).prefix(2)) \(months[month - 1]) \(text.prefix(4)) \(text.dropFirst(11).prefix(8)) GMT"
    }
}
