import Foundation
import Tables
import TestKit
import Testing

/// Hunting queries at the terminal, with content of one's own.
@Suite(.serialized) struct HuntCommandTests {
    private static let hunt = """
        id: 5b0e7c11-2222-4333-8444-555566667777
        name: "TITLE"
        description: Finds what a test looks for.
        requiredDataConnectors: []
        tactics: [Execution]
        relevantTechniques: [T1204.002]
        query: |
          DeviceProcessEvents
          | where FileName == "none.exe"
        entityMappings:
          - entityType: Host
            fieldMappings:
              - identifier: HostName
                columnName: DeviceName
        version: 1.0.0
        vestige:
          slug: own-test
          mark: strong
          blind: [1]
          needs: [DeviceProcessEvents]
        """

    private func list(_ text: String, _ more: String...) async throws -> CommandTests.Outcome {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try FolderWriter.write(text, to: folder + "/own/Hunts/own-test.yaml")
        try FolderWriter.write("workspace: w.vestige\ncontent: [own]\n", to: folder + "/vestige.yaml")
        return try await CommandTests.run(["hunt", "list"] + more, in: folder)
    }

    /// What a program reads is exact, also where a terminal would be steered by it.
    @Test func jsonKeepsEveryCharacter() async throws {
        let title = "odd \u{202E}name\u{2028}end"
        let outcome = try await list(Self.hunt.replacing("TITLE", with: title), "--format", "json")
        #expect(outcome.status == 0, "\(outcome.err)")
        let hunts = try #require(try JSON(parsing: outcome.out).array)
        #expect(hunts.first { $0["name"]?.string == "own-test" }?["title"]?.string == title)
    }

    @Test func aFileThatCannotBeUsedIsNamed() async throws {
        let whole = try await list(Self.hunt)
        #expect(whole.out.contains("own-test") && !whole.err.contains("left out"), "\(whole.err)")
        for (old, new) in [("mark: strong", "mark: loud"), ("blind: [1]", "blind: [1]\n  tests: []")] {
            let outcome = try await list(Self.hunt.replacing(old, with: new))
            #expect(outcome.err.contains("left out") && outcome.err.contains("own-test.yaml"), "\(outcome.err)")
            #expect(!outcome.out.contains("own-test\t"))
        }
    }
}
