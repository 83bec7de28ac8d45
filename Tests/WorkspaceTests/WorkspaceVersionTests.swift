import Foundation
import KQLEngine
import Tables
import Testing

@testable import Workspace

/// A version of the file changes with what is written, and with nothing else.
@Suite struct WorkspaceVersionTests {
    @Test func everyCommitIsSeenByReaders() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("v-\(UUID().uuidString).vestige").path
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let writer = try Workspace(path: path)
        let reader = try Workspace(reading: path)
        var seen: Set<DataVersion> = [try #require(reader.version())]
        for i in 0..<50 {
            try writer.declare("T\(i)", Schema([("n", .long)]))
            let version = try #require(reader.version())
            #expect(seen.insert(version).inserted, "commit \(i) was not seen")
            _ = try reader.schemas()
            #expect(reader.version() == version)
        }
    }
}
