import Foundation
import KQL
import Tables
import Testing

@testable import KQLEngine

/// Loops over long texts end when their query has to, and what they made of it is no answer.
@Suite struct StopTests {
    private func stopped<T>(_ body: () throws -> T) rethrows -> T {
        let run = QueryRun("test", client: .commandLine, durationMax: 60, memoryBytesMax: 1 << 30)
        run.stop(.time)
        return try run.enter(body)
    }

    @Test func readersOfBytesStop() throws {
        let text = Array(String(repeating: "[1,2,3],", count: 100_000).utf8)
        let json = [UInt8(ascii: "[")] + text + Array("0]".utf8)
        let packed = try #require(Deflate.compress(json))
        let zlib = try #require(Deflate.compress(json, .zlib))
        #expect(Deflate.decompress(packed, sizeMax: 1 << 30)?.count == json.count)
        #expect(Deflate.decompress(zlib, .zlib, sizeMax: 1 << 30)?.count == json.count)
        let rows = CSV.records(Array(String(repeating: "a,b\n", count: 100_000).utf8)).count
        #expect(rows == 100_000)
        try stopped { () throws in
            #expect(Deflate.decompress(packed, sizeMax: 1 << 30) == nil)
            #expect(Deflate.decompress(zlib, .zlib, sizeMax: 1 << 30) == nil)
            #expect(throws: Inflater.Problem.self) { try Deflate.unpack(packed, sizeMax: 1 << 30) }
            #expect(CSV.records(Array(String(repeating: "a,b\n", count: 100_000).utf8)).count < rows / 2)
            #expect(throws: JSONError.self) { try JSONReader.parse(json) }
            // What fits between two looks is read.
            #expect(try JSONReader.parse("[1,2]") == .array([.long(1), .long(2)]))
        }
    }

    /// A query that had to stop has no answer, however far it came.
    @Test func whatWasMadeAfterTheStopIsThrownAway() async throws {
        let service = QueryService()
        await #expect(throws: QueryError.self) {
            try await service.run("print 1", options: QueryOptions(), client: .commandLine) { _ in
                QueryRun.current?.stop(.memory)
                return 1
            }
        }
        #expect(throws: QueryError.self) {
            try QueryRun.ensure("test", QueryOptions(), nil) {
                QueryRun.current?.stop(.time)
                return 1
            }
        }
    }

    /// Bombs in a file: each kind of file is counted as it is read, and stopped at the query's limit.
    @Test(arguments: ["json", "multijson", "csv", "txt", "w3clogfile"])
    func externalDataIsCountedAsItIsRead(_ format: String) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("bomb-\(UUID().uuidString).gz").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let line =
            switch format {
            case "json", "multijson": "{\"a\":\"\(String(repeating: "x", count: 50))\"},"
            case "csv", "txt": String(repeating: "x", count: 50) + "\n"
            default: "x y z\n"
            }
        let count = 400_000
        var text = String(repeating: line, count: count)
        if line.hasSuffix(",") { text = "[" + text.dropLast() + "]" }
        if format == "w3clogfile" { text = "#Fields: a b c\n" + text }
        let packed = try #require(Deflate.compress(Array(text.utf8)))
        try Data(packed).write(to: URL(fileURLWithPath: path))
        var outside = OutsideData()
        outside.allowsFiles = true
        let tables = MemoryTables(outside: outside)
        let query = "externaldata(a:string)['\(path)'] with (format='\(format)') | summarize count()"
        let all = try Engine(provider: tables).run(query, options: QueryOptions()).primary.rows()
        #expect(all == [[.long(Int64(count))]])
        var options = QueryOptions()
        options.memoryBytesMax = text.utf8.count + 1_000_000
        #expect {
            try Engine(provider: tables).run(query, options: options)
        } throws: { error in
            if case QueryError.limit(_, .memory)? = error as? QueryError { true } else { false }
        }
    }
}
