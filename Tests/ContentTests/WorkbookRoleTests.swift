import Content
import KQL
import TestKit
import Testing

/// What content says of workbooks and of functions that only a service has.
@Suite struct WorkbookRoleTests {
    private func library(_ files: [String: String]) throws -> (library: ContentLibrary, problems: [ContentProblem]) {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        for (name, text) in files { try FolderWriter.write(text, to: "\(folder)/\(name)") }
        return ContentLibrary.load(folders: [folder])
    }

    private static let empty = #"{"version":"Notebook/1.0","items":[]}"#

    @Test func theShippedSiteBeginsWithPosture() throws {
        let library = Repository.library()
        #expect(library.home == "posture")
        #expect(library.workbooks.first { $0.id == "device" }?.role.isDetail == true)
    }

    @Test func rolesStandBesideTheWorkbook() throws {
        let (library, problems) = try library([
            "Workbooks/a.workbook": Self.empty, "Workbooks/b.workbook": Self.empty, "Workbooks/b.yaml": "home: true",
            "Workbooks/a.yaml": "detail: true",
        ])
        #expect(problems.isEmpty && library.home == "b")
        #expect(library.workbooks.map(\.role.isDetail) == [true, false])
    }

    @Test(arguments: [
        ("home: yes please", "must be true or false"), ("homes: true", "did you mean 'home'?"),
        ("home: true\ndetail: true", "cannot be one that needs a link"),
    ])
    func aRoleThatMakesNoSenseIsRefused(_ yaml: String, _ reason: String) throws {
        let (_, problems) = try library(["Workbooks/a.workbook": Self.empty, "Workbooks/a.yaml": yaml])
        #expect(problems.count == 1 && problems[0].message.contains(reason), "\(problems)")
    }

    @Test func aRoleWithoutItsWorkbookAndTwoFirstPagesAreTold() throws {
        let lonely = try library(["Workbooks/a.yaml": "home: true"]).problems
        #expect(lonely.map(\.message) == ["there is no workbook a.workbook beside it"])
        let two = try library([
            "Workbooks/a.workbook": Self.empty, "Workbooks/b.workbook": Self.empty, "Workbooks/a.yaml": "home: true",
            "Workbooks/b.yaml": "home: true",
        ])
        #expect(two.problems.map(\.message) == ["one workbook can be the first page, not a and b"])
    }

    @Test func aLaterFolderMayBeginTheSite() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try FolderWriter.write(Self.empty, to: folder + "/Workbooks/own.workbook")
        try FolderWriter.write("home: true", to: folder + "/Workbooks/own.yaml")
        #expect(ContentLibrary.load(folders: [Repository.content, folder]).library.home == "own")
    }

    @Test func aChartThatNobodyDrawsIsAProblem() throws {
        let workbook = #"""
            {"version":"Notebook/1.0","items":[{"type":12,"content":{"items":[
            {"type":3,"content":{"query":"print 1","visualization":"barchrat"}},
            {"type":3,"content":{"query":"print 1","visualization":"map"}},
            {"type":3,"content":{"query":"print 1","visualization":""}}]}}]}
            """#
        let (library, _) = try library(["Workbooks/a.workbook": workbook])
        #expect(ContentCheck.run(library).map(\.message) == ["there is no chart called 'barchrat'"])
        #expect(ContentCheck.run(Repository.library()).filter { $0.file.hasSuffix(".workbook") }.isEmpty)
    }

    /// A function that only a service has is told with the service; one that nobody knows as unknown.
    @Test func cloudFunctionsAreContent() throws {
        let (library, problems) = try library([
            "CloudFunctions.yaml": "functions:\n  - name: SeenElsewhere\n    service: the other service"
        ])
        #expect(problems.isEmpty)
        func refusal(_ query: String) -> Diagnostic? {
            do { _ = try Binder(catalog: ContentCatalog(library)).bind(try Parser.parse(query)) } catch {
                return error as? Diagnostic
            }
            return nil
        }
        let known = try #require(refusal("SeenElsewhere('x') | take 1"))
        #expect(known.code == "VK010" && known.message.contains("only the other service has"))
        #expect(refusal("SeenBy('x') | take 1")?.code == "KS211")
        #expect(refusal("print 1 | invoke workspace()")?.code == "VK010")
        #expect(Repository.library().cloudFunctions["SeenBy"] == "Microsoft Defender XDR")
    }
}
