import Content
import Foundation
import Tables
import TestKit
import Testing

@testable import Pipeline

/// Every field that a source's file names reaches a column of its table, or `Unmapped`.
@Suite struct FieldTests {
    private static let now: Int64 = 639_079_200_000_000_000

    /// A value that no other field has, and the texts of which one must be found in the row.
    private func sentinel(_ i: Int, _ column: ColumnSpec) -> (value: Value, texts: [String]) {
        let milliseconds = 1_700_000_000_000 + Int64(i) * 1_000
        let time = DateTime.unixEpoch + milliseconds * 10_000
        switch column.type {
        case .string where Self.times.contains(column.name):
            return (.string(String(milliseconds)), [String(milliseconds), DateTime.format(time)])
        case .string: return (.string("sentinel\(i)"), ["sentinel\(i)"])
        // Numbers may be times in milliseconds.
        case .long, .int: return (.long(milliseconds), [String(milliseconds), DateTime.format(time)])
        case .real: return (.real(Double(i) + 0.125), ["\(i).125"])
        case .datetime: return (.datetime(time), [DateTime.format(time)])
        case .bool: return (.bool(true), ["true"])
        case .dynamic:
            let inner = Value.bag(Bag([(Self.members[column.name] ?? "name", .string("sentinel\(i)"))]))
            return (column.name == "properties" ? .bag(Bag([("novel", inner)])) : .array([inner]), ["sentinel\(i)"])
        default: return (.null, [])
        }
    }

    /// Texts that are times.
    private static let times: Set<String> = ["u_first_discovered", "u_last_activity", "u_last_update"]
    /// Lists of objects with one member, of which that member is what is kept.
    private static let members = [
        "u_sensor_ids": "u_sensor_id", "u_ip_address_objects": "u_ip_address", "u_mac_address_objects": "u_mac_address",
        "u_protocol_objects": "u_protocol", "u_vlans": "u_vlan",
    ]
    /// Public lists are documents of which a few facts are taken on purpose.
    private static let sources = Repository.library().sources.filter { $0.service != .web }.map(\.id)

    private func row(_ source: SourceDefinition, _ table: TableDefinition, _ cells: [String: Value]) throws -> String {
        let schema = Schema(source.columns + [TableDefinition.unmapped])
        let values = schema.columns.map { cells[$0.name] ?? ($0.type == .string ? .string("") : .null) }
        let batch = Batch(schema: schema, rows: [values])
        let out = try Transform(source: source, table: table, now: Self.now).apply(batch, given: "given")
        return try out.rows().map { $0.map(\.text).joined(separator: "\u{1}") }.joined(separator: "\u{2}")
    }

    @Test(arguments: sources)
    func everyFieldIsKept(id: String) throws {
        let library = Repository.library()
        let source = try #require(library.sources.first { $0.id == id })
        let table = try #require(library.tables[source.table])
        #expect(!source.columns.isEmpty)
        // What lets a row pass at all.
        let always: [String: Value] = ["cveId": .string("CVE-2026-0001"), "type": .string("x/sites/sensors")]
        for (i, column) in source.columns.enumerated() {
            if source.ignored.contains(where: { $0.name == column.name }) { continue }
            let (value, texts) = sentinel(i, column)
            let found = try row(source, table, always.merging([column.name: value]) { $1 })
            let without = try row(source, table, always)
            let count = { (text: String, part: String) in text.components(separatedBy: part).count }
            let isKept = texts.contains { count(found, $0) > count(without, $0) }
            #expect(isKept, "\(id): \(column.name) is lost: \(found)")
        }
    }

    /// All fields at once, where one could hide another.
    @Test(arguments: sources)
    func noFieldHidesAnother(id: String) throws {
        let library = Repository.library()
        let source = try #require(library.sources.first { $0.id == id })
        let table = try #require(library.tables[source.table])
        // Two spellings of one fact: which of the two a service sends is settled by its version.
        let alternatives: Set<String> = [
            "keyLength", "notAfter", "notBefore", "keyUsageArray", "extendedKeyUsageArray", "subjectObject",
            "issuerObject", "createdOnTimeOffset", "lastUpdateTimeOffset", "u_purdue_layer",
        ]
        var cells: [String: Value] = [:]
        var expected: [(String, [String])] = []
        for (i, column) in source.columns.enumerated() where column.type != .bool {
            let (value, texts) = sentinel(i, column)
            cells[column.name] = value
            if id == "iot-cloud-sensors", column.name == "type" {
                // A site's name is a part of its identifier; a sensor's stands for itself.
                cells[column.name] = .string("x/sites/sensors")
                continue
            }
            if alternatives.contains(column.name) || source.ignored.contains(where: { $0.name == column.name }) {
                continue
            }
            expected.append((column.name, texts))
        }
        let found = try row(source, table, cells)
        for (name, texts) in expected {
            #expect(texts.contains { found.contains($0) }, "\(id): \(name) is lost: \(found)")
        }
    }

    @Test func whatIsIgnoredHasAReason() {
        for source in Repository.library().sources {
            for (name, reason) in source.ignored { #expect(reason.count > 10, "\(source.id): \(name)") }
        }
    }

    /// A user's transform that names a few fields loses none of the others.
    @Test func whatATransformLeavesBehindIsKept() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try FolderWriter.write(
            """
            id: mde-machines
            extends: mde-machines
            ignored:
              ipAddresses: "not to be stored here"
            transform: |
              source
              | where isnotempty(id) and healthStatus != "x"
              | project MachineId = id, ComputerDnsName = computerDnsName, Unmapped
            """, to: folder + "/Sources/own.yaml")
        let (library, problems) = ContentLibrary.load(folders: [Repository.content, folder])
        #expect((problems + ContentCheck.run(library)).map(\.description) == [])
        let source = try #require(library.sources.first { $0.id == "mde-machines" })
        let table = try #require(library.tables[source.table])
        let schema = Schema(source.columns + [TableDefinition.unmapped])
        let cells: [String: Value] = [
            "id": .string("m"), "healthStatus": .string("Active"), "osBuild": .long(7),
            "ipAddresses": .array([.string("10.0.0.1")]), "Unmapped": .bag(Bag([("novel", .long(1))])),
        ]
        let values = schema.columns.map { cells[$0.name] ?? ($0.type == .string ? .string("") : .null) }
        let batch = Batch(schema: schema, rows: [values])
        let out = try Transform(source: source, table: table, now: Self.now).apply(batch, given: nil)
        #expect(
            try out.column(named: "Unmapped")?[0]
                == .bag(Bag([("novel", .long(1)), ("osBuild", .long(7)), ("healthStatus", .string("Active"))])))
    }
}
