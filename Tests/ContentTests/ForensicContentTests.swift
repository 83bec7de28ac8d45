import Content
import Foundation
import TestKit
import Testing

/// Hunts and controls of one's own: what is wrong with them is said with the file, before anybody relies on them.
@Suite struct ForensicContentTests {
    private static let hunt = """
        id: 5b0e7c11-2222-4333-8444-555566667777
        name: Own
        description: Finds what a test looks for.
        tactics: [Execution]
        relevantTechniques: [T1204.002]
        query: DeviceProcessEvents | where FileName =~ "none.exe" | project Timestamp, DeviceName
        entityMappings:
          - entityType: Host
            fieldMappings:
              - {identifier: HostName, columnName: DeviceName}
        version: 1.0.0
        vestige:
          slug: own-test
          mark: weak
          group: execution
          entry: phishing
          techniquesV19: [T1204.002]
          blind: [1]
          needs: [DeviceProcessEvents]
          tests:
            - name: one
              hits: 1
              rows:
                DeviceProcessEvents:
                  - {FileName: none.exe, ProcessId: 7}
        """
    private static let control = """
        id: zz.control
        title: Own
        class: missing-policy
        sameAs: [av.mode]
        gap: nothing is written
        reads: organisation
        rule: 11111111-2222-4333-8444-555566667777
        stops:
          - {technique: T1204.002, effect: prevent, basis: vendor, confidence: low}
        """

    private func problems(_ name: String, _ text: String) throws -> [String] {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try FolderWriter.write(text, to: folder + "/" + name)
        let (library, problems) = ContentLibrary.load(folders: [Repository.content, folder])
        let all = problems + library.forensicProblems + ContentCheck.run(library)
        let descriptions = all.map(\.description).filter { $0.contains(name) }
        return Array(Set(descriptions))
    }

    @Test func wholeFilesHaveNoProblems() throws {
        #expect(try problems("Hunts/own-test.yaml", Self.hunt) == [])
        #expect(try problems("Controls/own.yaml", Self.control) == [])
    }

    @Test(arguments: [
        ("entityType: Host", "entityType: Hosts", "Sentinel knows no entity 'Hosts'"),
        ("identifier: HostName", "identifier: Named", "has no identifier 'Named'"),
        ("columnName: DeviceName", "columnName: DeviceId", "names 'DeviceId', which the query does not give"),
        ("group: execution", "group: exectuion", "no other hunt has the group 'exectuion'"),
        ("entry: phishing", "entry: fishing", "'entry' must be one of"),
        ("blind: [1]", "blind: [19]", "numbers from 1 to 18, not \"19\""),
        ("blind: [1]", "blind: [some]", "numbers from 1 to 18, not \"some\""),
        ("techniquesV19: [T1204.002]", "techniquesV19: [T12]", "\"T12\" is not an ATT&CK technique"),
        ("tactics: [Execution]", "tactics: [Executing]", "Sentinel knows no tactic 'Executing'"),
        ("DeviceProcessEvents:\n", "DeviceProcesses:\n", "'DeviceProcesses', which is no table"),
        ("{FileName:", "{FilName:", "'FilName', which 'DeviceProcessEvents' does not have"),
        ("ProcessId: 7", "ProcessId: seven", "'seven' is no long for 'ProcessId'"),
        ("hits: 1", "hits: many", "must be a whole number"),
        ("rows:\n", "row:\n", "unknown field 'vestige.tests[0].row'"),
    ]) func whatIsWrongWithAHuntIsSaid(_ old: String, _ new: String, _ reason: String) throws {
        let text = Self.hunt.replacing(old, with: new)
        #expect(text != Self.hunt)
        let found = try problems("Hunts/own-test.yaml", text)
        #expect(found.contains { $0.contains(reason) }, "\(found)")
    }

    @Test(arguments: [
        ("sameAs: [av.mode]", "sameAs: [av.mod]", "'sameAs' names 'av.mod'"),
        ("sameAs: [av.mode]", "sameAs: [zz.control]", "which is no other control"),
        ("gap: nothing is written\n", "", "'gap' is missing"),
        ("rule: 11111111-", "rule: 1-", "is the GUID of an attack surface reduction rule"),
        (
            "rule: 11111111-2222-4333-8444-555566667777", "rule: be9ba2d9-53ea-4cdc-84e5-9b1eeee46550",
            "has the 'rule' of"
        ),
        ("confidence: low", "confidence: some", "'confidence' must be one of low, medium, high"),
        (", confidence: low", "", "confidence' is missing"),
        ("technique: T1204.002", "technique: T12", "\"T12\" is not an ATT&CK technique"),
    ]) func whatIsWrongWithAControlIsSaid(_ old: String, _ new: String, _ reason: String) throws {
        let text = Self.control.replacing(old, with: new)
        #expect(text != Self.control)
        let found = try problems("Controls/own.yaml", text)
        #expect(found.contains { $0.contains(reason) }, "\(found)")
    }

    /// Everything that cannot be seen is named with the hunts that it holds for, and both matrices are there.
    @Test func theDocumentNamesWhatIsNotSeen() {
        let text = ForensicsDocument.hunts(Repository.library())
        for spot in BlindSpot.allCases {
            #expect(text.contains("| \(spot.rawValue) | \(spot.text) | \(spot.reason) | "))
            #expect(!text.contains("| \(spot.rawValue) | \(spot.text) | \(spot.reason) | 0 |"), "no hunt: \(spot)")
        }
        #expect(text.contains("### Enterprise") && text.contains("### ICS") && text.contains("| T0843 |"))
        #expect(text.contains("di-tampering (T1685)"))
    }
}
