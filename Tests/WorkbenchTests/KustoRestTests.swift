import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import ServiceLifecycle
import Tables
import TestKit
import Testing
import Workspace

@testable import Workbench

/// What Kusto's clients ask besides queries, and how they are told of mistakes.
@Suite(.serialized) struct KustoRestTests {
    /// A workbench over an empty workspace.
    private func serve(_ body: @Sendable (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let library = Repository.library()
        let workspace = try Workspace(path: folder + "/w.db")
        for table in library.tables.values { try workspace.declare(table.name, table.schema) }
        var options = WorkbenchOptions()
        options.port = 0
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let ports = AsyncStream.makeStream(of: Int.self)
        let service = WorkbenchServer(options, workspace: workspace, library: library).service(logger: logger) {
            ports.continuation.yield($0)
        }
        let group = ServiceGroup(configuration: .init(services: [.init(service: service)], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.stream.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body("http://127.0.0.1:\(port)")) } catch { outcome = .failure(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try outcome.get()
        }
    }

    private func post(_ url: String, _ text: String, properties: JSON = [:]) async throws -> (status: Int, body: JSON) {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        let body: JSON = ["db": "Vestige", "csl": .string(text), "properties": properties]
        request.body = .bytes(ByteBuffer(bytes: body.bytes))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let bytes = try await response.body.collect(upTo: 32 << 20)
        return (Int(response.status.code), JSON(try JSONReader.parse(Array(bytes.readableBytesView))))
    }

    private func member(_ body: JSON, _ path: String...) -> String? {
        var at = body
        for name in path {
            guard case .object(let members) = at, let next = members[name] else { return nil }
            at = next
        }
        if case .string(let text) = at { return text }
        return nil
    }

    /// The first table's column names and rows.
    private func table(_ body: JSON) throws -> (columns: [String], rows: [[JSON]]) {
        guard case .object(let members) = body, case .array(let tables)? = members["Tables"],
            case .object(let first)? = tables.first, case .array(let columns)? = first["Columns"],
            case .array(let rows)? = first["Rows"]
        else {
            Issue.record("no table: \(body)")
            return ([], [])
        }
        return (
            columns.compactMap { member($0, "ColumnName") },
            rows.map { if case .array(let cells) = $0 { cells } else { [] } }
        )
    }

    @Test func mistakesHaveAnInnerErrorWithTheServicesCode() async throws {
        try await serve { base in
            for path in ["/v1/rest/query", "/v2/rest/query"] {
                let name = try await post(base + path, "NoSuchTable | take 1")
                #expect(name.status == 400)
                #expect(member(name.body, "error", "innererror", "code") == "SEM0100")
                #expect(
                    member(name.body, "error", "innererror", "@type") == "Kusto.Data.Exceptions.SemanticException")
                #expect(member(name.body, "error", "innererror", "message")?.contains("NoSuchTable") == true)
                let form = try await post(base + path, "print 1 +")
                #expect(member(form.body, "error", "innererror", "code") == "SYN0002")
                #expect(member(form.body, "error", "innererror", "@errorCode") == "SYN0002")
                #expect(member(form.body, "error", "innererror", "@type") == "Kusto.Data.Exceptions.SyntaxException")
            }
        }
    }

    @Test func anotherLanguageIsRefusedByItsName() async throws {
        try await serve { base in
            let asked = try await post(
                base + "/v2/rest/query", "SELECT 1", properties: ["Options": ["query_language": "sql"]])
            #expect(asked.status == 400)
            #expect(member(asked.body, "error", "@message")?.contains("'sql' is not spoken here") == true)
            let set = try await post(base + "/v2/rest/query", "set query_language = sql; print 1")
            #expect(member(set.body, "error", "@message")?.contains("'sql' is not spoken here") == true)
            let own = try await post(
                base + "/v1/rest/query", "print 1", properties: ["Options": ["query_language": "kql"]])
            #expect(own.status == 200)
        }
    }

    @Test func theColumnsOfAFunctionAreTold() async throws {
        try await serve { base in
            let answer = try await post(
                base + "/v1/rest/mgmt", ".show function AgentHealthStatusWindows schema as json")
            let (columns, rows) = try table(answer.body)
            let place = try #require(columns.firstIndex(of: "Schema"))
            guard case .string(let text)? = rows.first?[place] else { throw CancellationError() }
            let schema = JSON(try JSONReader.parse(text))
            #expect(member(schema, "Name") == "AgentHealthStatusWindows")
            guard case .object(let members) = schema, case .array(let output)? = members["OutputColumns"] else {
                throw CancellationError()
            }
            #expect(output.contains { member($0, "Name") == "DeviceName" && member($0, "CslType") == "string" })
            let missing = try await post(base + "/v1/rest/mgmt", ".show function NoSuch schema as json")
            #expect(missing.status == 400)
        }
    }

    @Test(arguments: [
        (".show cluster", "NodeId", 1), (".show capacity", "Resource", 7), (".show capacity queries", "Resource", 1),
        (".show databases details", "NumberOfTables", 1), (".show database details", "TotalSize", 1),
        (".show database Vestige principals", "PrincipalType", 1), (".show commands-and-queries", "CommandType", 0),
        (".show version", "BuildVersion", 1), (".show databases identity", "DatabaseId", 1),
    ]) func commandsAnswer(_ command: String, _ column: String, _ count: Int) async throws {
        try await serve { base in
            let answer = try await post(base + "/v1/rest/mgmt", command)
            let (columns, rows) = try table(answer.body)
            #expect(columns.contains(column), "\(columns)")
            #expect(rows.count == count)
        }
    }

    @Test func theDatabaseIsWrittenAsAScript() async throws {
        try await serve { base in
            let answer = try await post(base + "/v1/rest/mgmt", ".show database Vestige schema as csl script")
            let lines = try table(answer.body).rows.compactMap { row -> String? in
                if case .string(let text)? = row.first { text } else { nil }
            }
            #expect(lines.contains { $0.hasPrefix(".create-merge table DeviceInfo (") })
            #expect(
                lines.contains { $0.hasPrefix(".create-or-alter function ") && $0.contains("MDE_Linux_devicehealth") })
        }
    }

    @Test func addressesAreReadAsFormsWriteThem() {
        let bag = AddressFields.bag("db=Vestige&csl=print+x%3D1%2B1+%7C+take+5&flag&bad=%zz%4&db=Other")
        #expect(bag["csl"] == .string("print x=1+1 | take 5"))
        #expect(bag["flag"] == .string("") && bag["bad"] == .string("%zz%4") && bag["db"] == .string("Other"))
        #expect(AddressFields.bag("").count == 0)
    }
}
