import Content
import Foundation
import TestKit
import Testing

@Suite struct ShippedContentTests {
    @Test func shippedContentIsWhole() {
        let (library, problems) = ContentLibrary.load(folders: [Repository.content])
        #expect((problems + ContentCheck.run(library)).map(\.description) == [])
        for id in [
            "mde-windows-health", "mde-macos-health", "mde-linux-health", "iot-devices", "iot-events", "iot-cves",
        ] {
            #expect(library.sources.contains { $0.id == id }, "\(id)")
        }
    }

    /// The columns that users of the earlier connector know.
    @Test func healthFunctionsKeepTheirNames() {
        let names = Set(Repository.library().functions.map(\.name))
        #expect(names.isSuperset(of: ["AgentHealthStatusWindows", "MDE_MAC_devicehealth", "MDE_Linux_devicehealth"]))
    }

    @Test(arguments: [
        (
            "Tables/T.yaml", "name: T\ndescription: x\nkind: stat\nkey: [a]\ncolumns: [{name: a, type: string}]\n",
            "'kind' must be state or event"
        ),
        ("Tables/T.yaml", "name: T\ndescription: x\nkind: state\nkeys: [a]\ncolumns: []\n", "did you mean 'key'"),
        ("Tables/T.yaml", "name: [\n", "is not valid YAML"),
        ("Functions/f.kql", "// name: f\nprint x = \n", "f.kql"),
        ("Workbooks/w.workbook", "{\"version\":\"1\"}", "is not an Azure Workbook"),
    ]) func aBadFileIsLeftOutWithItsReason(_ file: String, _ text: String, _ reason: String) throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let path = folder + "/" + file
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let (library, problems) = ContentLibrary.load(folders: [Repository.content, folder])
        #expect(problems.count == 1)
        #expect(problems.first?.description.contains(reason) == true, "\(problems.first?.description ?? "")")
        #expect(library.tables.count > 5)
    }

    /// The document is made anew from the content: `vestige content document > docs/sources.md`.
    @Test func theSourcesAreDocumented() throws {
        let written = try String(contentsOfFile: Repository.root + "/docs/sources.md", encoding: .utf8)
        #expect(written == SourcesDocument.markdown(Repository.library()))
    }

    /// `vestige content document --hunts > docs/hunts.md`, and the same with `--controls`.
    @Test func huntsAndControlsAreDocumented() throws {
        let library = Repository.library()
        let hunts = try String(contentsOfFile: Repository.root + "/docs/hunts.md", encoding: .utf8)
        #expect(hunts == ForensicsDocument.hunts(library))
        let controls = try String(contentsOfFile: Repository.root + "/docs/controls.md", encoding: .utf8)
        #expect(controls == ForensicsDocument.controls(library))
    }
}
