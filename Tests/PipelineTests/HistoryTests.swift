import Content
import Foundation
import Logging
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// Only changes go out, and they are enough: the state of any day follows from what a sink got until then, and nothing else.
@Suite(.serialized) struct HistoryTests {
    private static let sources = ["mde-windows-health", "mde-machines", "mde-software-vulnerabilities", "iot-devices"]
    private static let days = 30

    /// A source's whole answer of a day, by key, as a collector sees it that knows nothing yet.
    private static func truth(_ lab: RunningLab, _ day: Int, _ library: ContentLibrary) async throws -> [String:
        [String: String]]
    {
        var configuration = lab.configuration
        configuration.workspace = "\(lab.folder)/day-\(day).vestige"
        configuration.sinks = []
        let rig = try await Rig(lab, configuration, only: sources)
        defer { TemporaryFolder.remove(configuration.workspace) }
        let report = await rig.run()
        #expect(report.failures.map(\.rendered) == [])
        var states: [String: [String: String]] = [:]
        for source in sources {
            let table = try #require(Self.table(source, library))
            let columns = table.columns.map(\.name)
            let rows = try rig.query(
                "\(table.name) | where SourceName startswith '\(source)' | project \(columns.joined(separator: ", "))")
            states[source] = Dictionary(rows.map { row in Self.keyed(Bag(zip(columns, row)), table) }) { _, new in new }
        }
        await rig.connections.close()
        return states
    }

    private static func table(_ source: String, _ library: ContentLibrary) -> TableDefinition? {
        library.sources.first { $0.id == source }.flatMap { library.tables[$0.table] }
    }

    /// A row's key, and everything that counts as its content, as text.
    private static func keyed(_ row: Bag, _ table: TableDefinition) -> (String, String) {
        let hidden = Set(table.volatile)
        func text(_ names: [String]) -> String {
            names.map { name -> String in
                let type = table.columns.first { $0.name == name }?.type ?? .string
                let value = (row[name] ?? .null).converted(to: type)
                // A stream's column of text is empty where the row's is.
                return JSONWriter.string(value.isNull && type == .string ? .string("") : value)
            }.joined(separator: "|")
        }
        return (text(table.key), text(table.columns.map(\.name).filter { !hidden.contains($0) }))
    }

    @Test func anyDayFollowsFromWhatWasSent() async throws {
        try await RunningLab.use(devices: 20, otDevices: 30) { lab in
            let library = Repository.library()
            var configuration = lab.configuration
            configuration.workspace = "\(lab.folder)/collector.vestige"
            let rig = try await Rig(lab, configuration, only: Self.sources)
            var states: [String: [String: String]] = [:]
            var sentInAll = 0
            var readInAll = 0
            var seen: [String: Int] = [:]
            var changes = 0
            for day in 0...Self.days {
                if day > 0 { lab.lab.clock.advance(days: 1) }
                let report = await rig.run()
                #expect(report.failures.map(\.rendered) == [])
                let counts = report.sources.map(\.counts)
                readInAll += counts.reduce(0) { $0 + $1.read }
                sentInAll += report.sinks[0].rows
                if day > 0 { changes += counts.reduce(0) { $0 + $1.added + $1.changed + $1.removed } }
                // The sink's own view: its records, in the order that they came, and nothing of the workspace.
                for source in Self.sources {
                    let table = try #require(Self.table(source, library))
                    let records = try await lab.records(table.sent.stream)
                    for record in records.dropFirst(seen[source, default: 0]) {
                        guard case .bag(let bag) = record, bag["SourceName"]?.text.hasPrefix(source) == true else {
                            continue
                        }
                        let (key, content) = Self.keyed(bag, table)
                        if bag["ChangeType"]?.text == "Removed" {
                            #expect(
                                states[source]?.removeValue(forKey: key) != nil,
                                "day \(day): \(source) lost what it never had")
                        } else {
                            states[source, default: [:]][key] = content
                        }
                    }
                    seen[source] = records.count
                }
                for (source, expected) in try await Self.truth(lab, day, library) {
                    let found = states[source] ?? [:]
                    let wrong = expected.filter { found[$0.key] != $0.value }.keys.sorted()
                    let stale = found.keys.filter { expected[$0] == nil }
                    #expect(wrong == [] && stale == [], "day \(day): \(source)")
                    #expect(!expected.isEmpty)
                }
            }
            #expect(changes > 100)
            // Keyframes included: one full copy a week, and the changes between.
            #expect(sentInAll * 4 < readInAll, "\(sentInAll) of \(readInAll)")
            await rig.connections.close()
        }
    }
}
