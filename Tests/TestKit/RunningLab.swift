import AsyncHTTPClient
import Azure
import Content
import Foundation
import Lab
import Logging
import NIOCore
import Pipeline
import ServiceLifecycle
import Tables
import Workspace

/// A lab on free ports, for the length of a test.
package struct RunningLab: Sendable {
    package let lab: Lab
    package let cloud: String
    package let sensor: String
    package let folder: String

    /// Starts a lab, runs `body`, stops the lab.
    ///
    /// - Parameter faultsMayMiss: whether a fault that was injected may happen never, as with faults drawn at random.
    /// - Throws: what `body` throws; `UnmetFaults` when it injected a fault that no request met, so that it proved nothing.
    package static func use<R: Sendable>(
        devices: Int = 40, otDevices: Int = 20, tokenLifetime: Int = 3_599, standing: Int64? = nil,
        exportFileRows: Int = 20_000, huntingRowsMax: Int = 100_000, huntingForm: HuntingForm = .captured,
        faultsMayMiss: Bool = false, configure: @Sendable (inout LabOptions) -> Void = { _ in },
        _ body: @Sendable (RunningLab) async throws -> R
    ) async throws -> R {
        var options = LabOptions()
        (options.devices, options.otDevices, options.tokenLifetimeSeconds) = (devices, otDevices, tokenLifetime)
        (options.port, options.sensorPort, options.standing) = (0, 0, standing)
        (options.exportFileRows, options.hunting.rowsMax) = (exportFileRows, huntingRowsMax)
        options.huntingForm = huntingForm
        configure(&options)
        let lab = try await Lab(options)
        let ports = AsyncStream.makeStream(of: (Bool, Int).self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let services = try lab.services(
            logger: logger, onCloud: { ports.continuation.yield((true, $0)) },
            onSensor: { ports.continuation.yield((false, $0)) })
        let group = ServiceGroup(configuration: .init(services: services.map { .init(service: $0) }, logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var cloud: Int?
            var sensor: Int?
            for await (isCloud, port) in ports.stream {
                if isCloud { cloud = port } else { sensor = port }
                if cloud != nil, sensor != nil { break }
            }
            let folder = try TemporaryFolder.make()
            defer { TemporaryFolder.remove(folder) }
            try lab.sensorCertificate.write(toFile: folder + "/sensor.pem", atomically: true, encoding: .utf8)
            let running = RunningLab(
                lab: lab, cloud: "http://127.0.0.1:\(cloud ?? 0)", sensor: "https://127.0.0.1:\(sensor ?? 0)",
                folder: folder)
            let result: Result<R, any Error>
            do { result = .success(try await body(running)) } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            // A server that does not end by being asked is ended, so that no test waits for ever.
            tasks.addTask { try? await Task.sleep(for: .seconds(10)) }
            _ = await tasks.nextResult()
            tasks.cancelAll()
            while await tasks.nextResult() != nil {}
            let value = try result.get()
            let unmet = lab.faults.filter { $0.met == 0 }
            guard unmet.isEmpty || faultsMayMiss else { throw UnmetFaults(faults: unmet) }
            return value
        }
    }

    /// A configuration that collects from this lab.
    package var configuration: Configuration {
        let identity = lab.options.identity
        var configuration = Configuration()
        configuration.workspace = folder + "/test.vestige"
        var tenant = TenantConfiguration(
            tenantID: identity.tenant, clientID: identity.client, identity: .secret(.value(Secret(identity.secret))))
        (tenant.loginHost, tenant.graphHost, tenant.endpointHost) = (cloud, cloud, cloud)
        configuration.tenant = tenant
        configuration.sensors = [
            SensorConfiguration(
                name: "plant", host: sensor, token: .value(Secret(identity.sensorToken)),
                trust: .certificate(file: folder + "/sensor.pem", checksHost: true))
        ]
        configuration.feeds = [
            "cisa-kev": "\(cloud)/feeds/known_exploited_vulnerabilities.json",
            "first-epss": "\(cloud)/feeds/epss_scores-current.csv.gz",
            "nvd-modified": "\(cloud)/feeds/nvdcve-2.0-modified.json.gz",
            "msrc-updates": "\(cloud)/feeds/cvrf/2026-Feb",
        ]
        configuration.sinks = [SinkConfiguration(name: "sentinel", kind: LogsIngestionConfiguration(rules: rules))]
        return configuration
    }

    /// The immutable id of the data collection rule of a group of tables.
    private static func rule(of group: String) -> String { "dcr-" + group }

    /// A rule for each group of tables, as `declareStreams` makes them.
    package var rules: [LogsIngestionConfiguration.Rule] {
        Repository.library().ruleGroups.keys.sorted().map {
            LogsIngestionConfiguration.Rule(endpoint: cloud, rule: Self.rule(of: $0), tables: [$0])
        }
    }

    /// Makes a data collection rule for each group of tables, and as many as it takes for the others; and a Kusto
    /// database with all of them.
    package func declareStreams(_ library: ContentLibrary) {
        func declare(_ rule: String, _ tables: [TableDefinition]) {
            let streams = Dictionary(tables.map { ($0.sent.stream, $0.sent.declaration) }) { first, _ in first }
            do { try lab.declare(rule: rule, id: Self.rule(of: rule), streams: streams) } catch {
                preconditionFailure("the content makes no lawful rule: \(error.message)")
            }
        }
        for (group, tables) in library.ruleGroups { declare(group, tables.compactMap { library.tables[$0] }) }
        let others = library.tables.values.filter { $0.rule == nil }.sorted { $0.name < $1.name }
        for (i, table) in others.enumerated() { declare("others-\(i / LogAnalytics.streamsPerRule)", [table]) }
        lab.declare(clusterTables: Set(library.tables.keys))
    }

    /// Sends to one of the lab's own controls.
    package func control(_ method: String, _ path: String, _ body: String = "") async throws -> Value {
        var request = HTTPClientRequest(url: cloud + path)
        request.method = .RAW(value: method)
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let bytes = try await response.body.collect(upTo: 64 << 20)
        return try JSONReader.parse(Array(bytes.readableBytesView))
    }

    /// What an application sends for a token of the Defender for Endpoint API.
    package var tokenForm: String {
        let identity = lab.options.identity
        return
            "grant_type=client_credentials&client_id=\(identity.client)&client_secret=\(identity.secret)&scope=https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default"
    }

    /// Sends to a server of a test's own.
    package func send(
        _ method: String, _ url: String, _ body: String = "", headers: [(String, String)] = []
    ) async throws -> (status: Int, body: String) {
        try await send(method, url, bytes: Array(body.utf8), headers: headers)
    }

    /// Sends bytes.
    package func send(
        _ method: String, _ url: String, bytes: [UInt8], headers: [(String, String)] = []
    ) async throws -> (status: Int, body: String) {
        var request = HTTPClientRequest(url: url)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.method = .RAW(value: method)
        if !bytes.isEmpty { request.body = .bytes(ByteBuffer(bytes: bytes)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        return (Int(response.status.code), String(buffer: try await response.body.collect(upTo: 16 << 20)))
    }

    /// The records that arrived at one stream.
    package func records(_ stream: String) async throws -> [Value] {
        try await control("GET", "/lab/received/\(stream)").arrayValue ?? []
    }

    /// Records by stream that the simulated Sentinel got.
    package func received() async throws -> [String: Int64] {
        let bag = try await control("GET", "/lab/received").bagValue ?? Bag()
        return Dictionary(zip(bag.keys, bag.values.map { $0.longValue ?? 0 })) { a, _ in a }
    }
}

/// Faults that a test injected and no request met.
package struct UnmetFaults: Error, CustomStringConvertible {
    package let faults: [FaultTally]

    package var description: String {
        "no request met the faults injected at: " + faults.map(\.path).joined(separator: ", ")
    }
}

/// Folders that live as long as a test.
package enum TemporaryFolder {
    package static func make() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("vestige-test-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    package static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}

/// Places in the repository.
package enum Repository {
    /// The folder that holds Package.swift.
    package static let root: String = {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url.path
    }()

    package static var content: String { root + "/Content" }

    /// The content as shipped.
    package static func library() -> ContentLibrary { shipped }
    private static let shipped = ContentLibrary.load(folders: [content]).library

    /// A scenario that ships, as the lab plays it.
    package static func scenario(_ id: String) throws -> Scenario {
        guard let definition = shipped.scenarios.first(where: { $0.id == id }) else {
            preconditionFailure("there is no scenario \(id)")
        }
        return try Scenario(definition.script)
    }
}

/// Writes files for tests.
package enum FolderWriter {
    package static func write(_ text: String, to path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        // Some of the files hold secrets, which others must not be able to read.
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
}
