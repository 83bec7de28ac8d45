import Azure
import Content
import Foundation
import Tables

/// Settings of a sink of kind `data-collector`.
package struct DataCollectorConfiguration: SinkKind {
    package var workspaceID: String
    package var key: SecretReference
    /// Nil for the workspace's own.
    package var endpoint: String?

    package init(workspaceID: String, key: SecretReference, endpoint: String? = nil) {
        self.workspaceID = workspaceID
        self.key = key
        self.endpoint = endpoint
    }

    package static let name = "data-collector"
    package static let summary = "The HTTP Data Collector API, which Microsoft retired on 2026-09-14"

    private static let workspace = Setting.text(
        "workspaceId", standard: SettingText.required, "the Log Analytics workspace")
    private static let keySetting = Setting.secret(
        "key", standard: SettingText.required, "where its primary key is kept")
    private static let endpointSetting = Setting.address(
        "endpoint", standard: "the workspace's", "another address of it")
    package static let settings: [any SettingDeclaration] = [workspace, keySetting, endpointSetting]

    package init(reading yaml: Fields) throws {
        workspaceID = try yaml.required(Self.workspace)
        key = try yaml.required(Self.keySetting)
        endpoint = try yaml.optional(Self.endpointSetting)
    }

    package var secrets: [SecretReference] { [key] }

    package func make(_ context: SinkContext) async throws -> (any Sink)? {
        let secret = try await context.secrets.resolve(key, "key of sink \(context.name)")
        let client = DataCollectorClient(
            client: context.client, workspace: workspaceID, key: secret, endpoint: endpoint)
        return DataCollectorSink(name: context.name, client: client, library: context.library)
    }

    package func check(_ context: SinkContext) async -> [Finding] {
        let subject = "sink \(context.name)"
        do {
            let secret = try await context.secrets.resolve(key, "key of sink \(context.name)")
            let isKey = Data(base64Encoded: secret.text) != nil
            return [
                Finding(
                    subject, "key", isKey ? .ok : .failed, isKey ? "is there" : "the workspace key is not base64",
                    next: isKey ? nil : "copy the primary key again from the workspace's Agents page")
            ]
        } catch { return [Finding(subject, "key", error)] }
    }
}

/// Custom tables through the retired Data Collector API; columns get its suffixes (`_s`, `_d`, …) there.
struct DataCollectorSink: Sink {
    let name: String
    private let client: DataCollectorClient
    private let library: ContentLibrary
    private let sender = RecordSender(
        CallForm(
            bytesMax: DataCollectorClient.bodyBytesMax, fieldBytesMax: DataCollectorClient.fieldBytesMax,
            layout: .array))

    init(name: String, client: DataCollectorClient, library: ContentLibrary) {
        self.name = name
        self.client = client
        self.library = library
    }

    func send(_ batch: Batch, table: String) async throws -> SinkReceipt {
        let there = library.sent(table, batch.schema)
        // The service adds `_CL` itself.
        let logType = String(there.name.dropLast(LogAnalytics.customSuffix.count))
        let client = client
        let target = RecordSender.Target(call: { try await client.post($0, logType: logType) }, probe: nil)
        return try await sender.send(there.named(batch), to: target, aliases: SentTable.aliases)
    }
}
