import Content
import Forensics
import KQLEngine
import Tables
import TestKit
import Testing

/// The shipped hunts: each finds what it says, and leaves its benign twin alone.
@Suite struct HuntContentTests {
    @Test(arguments: Estate.library.hunts.map(\.slug)) func findsWhatItSays(_ slug: String) throws {
        let hunt = try #require(Estate.library.hunts.first { $0.slug == slug })
        #expect(hunt.tests.contains { $0.hits > 0 }, "\(hunt.file): no rows that it must find")
        #expect(hunt.tests.contains { $0.hits == 0 }, "\(hunt.file): no rows that it must leave alone")
        let failures = ContentTrial(Estate.library).failures(hunt.tests, of: hunt.query)
        #expect(failures.map(\.description) == [])
    }

    /// What a hunt cannot see is said in its description as in its list.
    @Test(arguments: Estate.library.hunts.map(\.slug)) func saysWhatItCannotSee(_ slug: String) throws {
        let hunt = try #require(Estate.library.hunts.first { $0.slug == slug })
        #expect(!hunt.blind.isEmpty)
        let told = hunt.blind.map(\.text).joined(separator: "; ")
        #expect(hunt.description.hasSuffix("Blind to: \(told)."), "\(hunt.description)")
        #expect(hunt.description.hasPrefix("Finds"), "\(hunt.file)")
    }

    private func trial(hits: Int, query: String = "DeviceProcessEvents | where FileName == 'x.exe'") throws -> [String]
    {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let hunt = """
            id: 5b0e7c11-2222-4333-8444-555566667777
            name: Own
            description: Finds what a test looks for.
            tactics: [Execution]
            relevantTechniques: [T1204.002]
            query: \(query)
            version: 1.0.0
            vestige:
              slug: own-test
              mark: strong
              needs: [DeviceProcessEvents]
              tests:
                - name: two of three
                  hits: \(hits)
                  rows:
                    DeviceProcessEvents:
                      - {FileName: x.exe}
                      - {FileName: x.exe, Timestamp: -3h}
                      - {FileName: y.exe}
            """
        try FolderWriter.write(hunt, to: folder + "/Hunts/own-test.yaml")
        let (library, problems) = ContentLibrary.load(folders: [Repository.content, folder])
        let own = try #require(library.hunts.first { $0.slug == "own-test" }, "\(problems)")
        return ContentTrial(library).failures(own.tests, of: own.query).map(\.description)
    }

    /// A wrong number is told with the test's place, and so is a query that sees the case of a program's name.
    @Test func aWrongNumberIsTold() throws {
        let wrong = try trial(hits: 1)
        #expect(wrong.count == 4)
        let first = try #require(wrong.first)
        #expect(first.contains("own-test.yaml:13:") && first.hasSuffix("two of three: 2 results, 1 wanted"), "\(first)")
        let exact = try trial(hits: 2)
        #expect(exact.count == 1 && exact.first?.hasSuffix("in capitals: 0 results, 2 wanted") == true, "\(exact)")
        #expect(try trial(hits: 2, query: "DeviceProcessEvents | where FileName =~ 'x.exe'") == [])
        #expect(try trial(hits: 2, query: "NoSuchTable").count == 4)
    }
}
