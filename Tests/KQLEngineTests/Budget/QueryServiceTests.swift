import Foundation
import KQL
import Synchronization
import Tables
import Testing

@testable import KQLEngine

/// Whose turn it is, what options may ask for, and what is told of queries under way.
@Suite struct QueryServiceTests {
    private static let endless = "range i from 1 to 1e13 step 1 | count"

    private static func limits(young: Int, old: Int = 0, waiting: Int = 100) -> ServiceLimits {
        var limits = ServiceLimits()
        limits.youngCount = young
        limits.oldCount = old
        limits.waitingCount = waiting
        return limits
    }

    private func ask(_ service: QueryService, _ text: String, _ client: String, seconds: Double = 30) async throws
        -> Value
    {
        var options = QueryOptions()
        options.durationMax = seconds
        return try await service.run(text, options: options, client: Client(address: client), activity: client) {
            try Engine(provider: MemoryTables()).run(text, options: $0).primary.rows()[0][0]
        }
    }

    /// Letters that look alike are others, and so are the answers.
    @Test func onlyEqualBytesShareAnAnswer() async throws {
        let service = QueryService()
        let version = DataVersion([1])
        func length(_ text: String, _ given: String) async throws -> String {
            var options = QueryOptions()
            options.parameters = ["p": .string(given)]
            let result = try await service.answer(
                "declare query_parameters(p:string); print strlen('\(text)'), strlen(p)", options: options,
                client: .commandLine, over: MemoryTables(), version: { version })
            return try result.primary.rows()[0].map(\.text).joined(separator: " ")
        }
        #expect(try await length("\u{E9}", "a") == "1 1")
        #expect(try await length("e\u{301}", "a") == "2 1")
        #expect(try await length("e\u{301}", "\u{E9}") == "2 1")
        #expect(try await length("e\u{301}", "e\u{301}") == "2 2")
    }

    /// What goes on with the rows of a command is a query, which waits for its turn like others.
    @Test func onlyCommandsAloneGoPastTheQueue() {
        for text in [".show queries", " .cancel query 'a'", ".show running queries\n"] {
            #expect(ManagementCommands.isAboutQueries(text), "\(text)")
        }
        for text in [".show queries | count", ".show running queries | mv-expand x", ".show tables", "print 1"] {
            #expect(!ManagementCommands.isAboutQueries(text), "\(text)")
        }
    }

    @Test func whoeverIsNamedStopsTheirOwnOnly() async throws {
        let service = QueryService(Self.limits(young: 2))
        let task = Task {
            try await service.run(
                Self.endless, options: QueryOptions(), client: Client(name: "anna", address: "a"), activity: "x"
            ) { try Engine(provider: MemoryTables()).run(Self.endless, options: $0).primary.count }
        }
        try await until { service.counts.running == 1 }
        #expect(service.cancel(activity: "x", of: "bert") == 0)
        let shown = { (asker: String?) in
            try ManagementCommands(provider: MemoryTables(), version: "1", queries: service, asker: asker)
                .run(".show queries").primary.count
        }
        #expect(try shown("bert") == 0)
        #expect(try shown("anna") == 1 && shown(nil) == 1)
        #expect(service.cancel(activity: "x", of: "anna") == 1)
        await #expect(throws: QueryError.self) { try await task.value }
    }

    /// Waits until the service says so.
    private func until(_ isTrue: () -> Bool) async throws {
        for _ in 0..<2_000 where !isTrue() { try await Task.sleep(for: .milliseconds(5)) }
        #expect(isTrue())
    }

    @Test(arguments: [
        (Double.nan, 60.0), (.infinity, 60), (-1, 60), (0, 60), (1e300, 60), (5, 5), (61, 60),
    ]) func optionsOnlyLower(asked: Double, given: Double) {
        var limits = ServiceLimits()
        limits.durationMax = 60
        limits.memoryBytesMax = 1_000
        var options = QueryOptions()
        options.durationMax = asked
        options.memoryBytesMax = .max
        let lowered = QueryService(limits).lowered(options)
        #expect(lowered.durationMax == given && lowered.memoryBytesMax == 1_000)
    }

    /// One client fills the places; another's first query goes before that client's further ones.
    @Test func turnsAreFairByClient() async throws {
        let service = QueryService(Self.limits(young: 2))
        let order = Order()
        let hogs = (0..<2).map { _ in Task { try await ask(service, Self.endless, "hog") } }
        try await until { service.counts.running == 2 }
        let more = (0..<3).map { _ in
            Task {
                _ = try? await service.run("print 1", options: QueryOptions(), client: Client(address: "hog")) { _ in
                    order.note("hog")
                }
            }
        }
        try await until { service.counts.waiting == 3 }
        let guest = Task {
            try await service.run("print 1", options: QueryOptions(), client: Client(address: "guest")) { _ in
                order.note("guest")
            }
        }
        try await until { service.counts.waiting == 4 }
        hogs[0].cancel()
        try await guest.value
        for task in more { await task.value }
        hogs[1].cancel()
        #expect(order.first == "guest")
    }

    @Test func beyondTheQueueClientsAreTurnedAway() async throws {
        let service = QueryService(Self.limits(young: 1, waiting: 1))
        let first = Task { try await ask(service, Self.endless, "a") }
        try await until { service.counts.running == 1 }
        let second = Task { try await ask(service, "print 1", "b") }
        try await until { service.counts.waiting == 1 }
        await #expect {
            try await ask(service, "print 1", "c")
        } throws: { error in
            if case QueryError.limit(_, .busy)? = error as? QueryError { true } else { false }
        }
        first.cancel()
        #expect(try await second.value == .long(1))
        #expect(service.counts.refused == 1)
    }

    @Test func queriesAreShownAndStopped() async throws {
        let service = QueryService(Self.limits(young: 4))
        let task = Task { try await ask(service, Self.endless, "analyst;1") }
        try await until { service.counts.running == 1 }
        let commands = ManagementCommands(provider: MemoryTables(), version: "0", queries: service)
        let shown = try commands.run(".show queries | project ClientActivityId, Text, State").primary.rows()
        #expect(shown.map { $0.map(\.text) } == [["analyst;1", Self.endless, "InProgress"]])
        let missing = try commands.run(".cancel query \"nobody\"").primary.rows()
        #expect(missing[0][2] == .bool(false))
        let stopped = try commands.run(".cancel query \"analyst;1\" with (reason=\"too long\")").primary.rows()
        #expect(stopped[0].map(\.text) == ["analyst;1", "too long", "true"])
        await #expect(throws: QueryError.self) { try await task.value }
        try await until { service.counts.running == 0 }
    }

    @Test func theEndStopsEverything() async throws {
        let service = QueryService(Self.limits(young: 1))
        let running = Task { try await ask(service, Self.endless, "a") }
        try await until { service.counts.running == 1 }
        let waiting = Task { try await ask(service, "print 1", "b") }
        try await until { service.counts.waiting == 1 }
        let start = ContinuousClock.now
        service.shutDown()
        await #expect(throws: QueryError.self) { try await running.value }
        await #expect(throws: QueryError.self) { try await waiting.value }
        await #expect(throws: QueryError.self) { try await ask(service, "print 1", "c") }
        #expect(ContinuousClock.now - start < .seconds(4))
    }

    /// A note tells nothing after a clean end, and refuses nothing.
    @Test func aNoteOfACleanEndIsEmpty() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("note-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let note = try #require(CrashNote(path: path))
        let service = QueryService(ServiceLimits(), note: note)
        #expect(try await ask(service, "print 1", "a") == .long(1))
        #expect(note.suspects.isEmpty)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    /// A file as a fault leaves it: the signal's number and the query under way.
    @Test func whatEndedTheProgramIsToldAndRefused() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("note-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(CrashNoteFile.bytes(signal: 11, query: "print poison()", client: "10.0.0.7")).write(
            to: URL(fileURLWithPath: path))
        let note = try #require(CrashNote(path: path))
        #expect(note.suspects.map(\.text) == ["print poison()"])
        #expect(note.suspects.map(\.client) == ["10.0.0.7"] && note.suspects.map(\.signal) == [11])
        let service = QueryService(ServiceLimits(), note: note)
        await #expect {
            try await ask(service, "print poison()", "a")
        } throws: { error in
            if case QueryError.limit(_, .suspect)? = error as? QueryError { true } else { false }
        }
        #expect(try await ask(service, "print 1", "a") == .long(1))
    }

    /// What a literal hides is in no note and in no list, and the query is known again all the same.
    @Test func hiddenTextsStayHiddenInNotesAndLists() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("note-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let note = try #require(CrashNote(path: path))
        let service = QueryService(ServiceLimits(), note: note)
        let query = "print h'opensesame', 'plain' | where toscalar(\(Self.endless)) > 0"
        let task = Task { try await ask(service, query, "a", seconds: 20) }
        while service.running.isEmpty { await Task.yield() }
        let shown = try await service.run(".show queries", options: QueryOptions(), client: Client(address: "b")) { _ in
            let commands = ManagementCommands(provider: MemoryTables(), version: "1", queries: service)
            return try commands.run(".show queries").primary.rows()
        }
        let texts = shown.map { $0[1].text }
        #expect(texts.contains { $0.hasPrefix("print h'****', 'plain'") } && !texts.contains { $0.contains("sesame") })
        // The file as it would be found after a fault.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(bytes.range(of: Data("'plain'".utf8)) != nil && bytes.range(of: Data("sesame".utf8)) == nil)
        _ = service.cancel(activity: "a")
        _ = try? await task.value
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: 11, toByteOffset: 8, as: Int32.self) }
        let copy = path + "-copy"
        defer { try? FileManager.default.removeItem(atPath: copy) }
        try bytes.write(to: URL(fileURLWithPath: copy))
        let found = try #require(CrashNote(path: copy))
        let suspects = found.suspects.filter { $0.client == "a" }
        #expect(suspects.count == 1 && suspects.allSatisfy { !$0.text.contains("sesame") })
        #expect(found.refusal(of: query) != nil)
        #expect(found.refusal(of: query.replacing("opensesame", with: "another")) == nil)
    }

    /// Texts that only begin alike are others, also where a note holds no more than their beginning.
    @Test func longQueriesAreToldApart() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("note-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let long = "print '" + String(repeating: "x", count: 15_000)
        try Data(CrashNoteFile.bytes(signal: 11, query: long, client: "a", whole: long + "y'")).write(
            to: URL(fileURLWithPath: path))
        let note = try #require(CrashNote(path: path))
        #expect(note.refusal(of: long + "y'") != nil && note.refusal(of: long + "z'") == nil)
    }

    /// As many queries are noted as there are places, less those that suspects keep; allowed suspects keep none.
    @Test(arguments: [false, true])
    func suspectsKeepPlacesOnlyWhileTheyAreRefused(_ allows: Bool) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("note-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(CrashNoteFile.bytes(signal: 11, query: "print poison()", client: "a")).write(
            to: URL(fileURLWithPath: path))
        let note = try #require(CrashNote(path: path, allowsSuspects: allows))
        #expect(note.suspects.count == 1 && (note.refusal(of: "print poison()") == nil) == allows)
        let places = (0..<100).compactMap { i in
            note.begin(
                QueryRun("print \(i)", client: .commandLine, durationMax: 1, memoryBytesMax: 1))
        }
        #expect(Set(places).count == (allows ? 64 : 63))
    }

    /// After a kill or a loss of power, nothing is blamed.
    @Test func aKillBlamesNoQuery() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("note-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(CrashNoteFile.bytes(signal: 0, query: "print 1", client: "a")).write(to: URL(fileURLWithPath: path))
        #expect(try #require(CrashNote(path: path)).suspects.isEmpty)
    }
}

/// Who came in which order.
private final class Order: Sendable {
    private let names: Mutex<[String]> = Mutex([])

    var first: String? { names.withLock { $0.first } }

    func note(_ name: String) { names.withLock { $0.append(name) } }
}

/// The layout of a note's file.
private enum CrashNoteFile {
    /// - Parameter whole: the query's whole text, where the note holds its beginning only.
    static func bytes(signal: Int32, query: String, client: String, whole: String? = nil) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 4_096 + 16_384)
        func put(_ n: some FixedWidthInteger, at place: Int) {
            withUnsafeBytes(of: n.littleEndian) { for (i, b) in $0.enumerated() { out[place + i] = b } }
        }
        put(UInt64(0x3245_544F_4E54_5356), at: 0)
        put(signal, at: 8)
        put(Int64(638_500_000_000_000_000), at: 4_096)
        put(Int32(query.utf8.count), at: 4_104)
        put(Int32(client.utf8.count), at: 4_108)
        let text = 4_120 + 32
        out.replaceSubrange(4_120..<text, with: CrashNote.digest(of: whole ?? query))
        out.replaceSubrange(text..<text + query.utf8.count, with: query.utf8)
        let place = text + query.utf8.count
        out.replaceSubrange(place..<place + client.utf8.count, with: client.utf8)
        return out
    }
}
