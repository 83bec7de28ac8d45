import Foundation
import TestKit
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Whatever the program writes is its owner's, under any umask, and evidence is as it was after any number of looks.
@Suite(.serialized) struct FileModeTests {
    private static func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try await body(folder)
    }

    private static func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test func everythingThatIsWrittenIsItsOwners() async throws {
        try await Self.inFolder { folder in
            // Processes inherit it.
            let old = umask(0)
            defer { umask(old) }
            try FolderWriter.write("id,name\n1,a\n2,b\n", to: folder + "/p.csv")
            for command in [
                ["import", "p.csv", "--table", "P", "--workspace", "deep/er/w.vestige"],
                ["export", "--workspace", "deep/er/w.vestige", "out/er"],
                ["export", "--workspace", "deep/er/w.vestige", "--gzip", "--format", "csv", "packed"],
                ["backup", "--workspace", "deep/er/w.vestige", "copy.db"],
                ["restore", "copy.db", "--to", "again.vestige"],
                ["hold", "add", "h", "--reason", "r", "--workspace", "deep/er/w.vestige"],
                ["workbook", "render", "posture", "--workspace", "deep/er/w.vestige", "--out", "page.html"],
            ] {
                let outcome = try await CommandTests.run(command, in: folder)
                #expect(outcome.status == 0, "\(command): \(outcome.err)")
            }
            let names = try #require(FileManager.default.enumerator(atPath: folder)).compactMap { $0 as? String }
            #expect(names.count > 12)
            for name in names where !name.hasPrefix("out-") && !name.hasPrefix("err-") {
                let path = folder + "/" + name
                var isFolder: ObjCBool = false
                _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
                #expect(try Self.mode(path) == (isFolder.boolValue ? 0o700 : 0o600), "\(name)")
            }
        }
    }

    /// Queries, pages, status and the rest over one file, beside a workbench that has it open.
    @Test func evidenceIsAsItWasAfterManyLooks() async throws {
        try await Self.inFolder { folder in
            try FolderWriter.write("id,name\n1,a\n2,b\n", to: folder + "/p.csv")
            #expect(try await CommandTests.run(["import", "p.csv", "--table", "P"], in: folder).status == 0)
            let file = folder + "/vestige.db"
            let before = try #require(FileManager.default.contents(atPath: file))
            let serve = try CommandTests.start(["serve", "--listen", "127.0.0.1:0"], in: folder)
            defer { serve.terminate() }
            for command in [
                ["query", "P | count"], ["status", "--tables"], ["workspace", "verify"], ["check", "P | count"],
                ["hold", "list"],
                ["purge", "--table", "P", "--where", "id == 1"], ["purge", "--expired"], ["export", "out"],
                ["backup", "copy.db"],
            ] {
                let outcome = try await CommandTests.run(command, in: folder)
                #expect(FileManager.default.contents(atPath: file) == before, "\(command)")
                if command[0] == "status" {
                    #expect(outcome.out.contains("growth ") || outcome.out.contains("nothing was"))
                }
            }
            // A file that may not be written to, in a folder that may not either.
            chmod(file, 0o400)
            chmod(folder, 0o500)
            defer { chmod(folder, 0o700) }
            #expect(FileManager.default.contents(atPath: file) == before)
        }
    }
}
