import Content
import KQLEngine
import Tables
import TestKit
import Testing
import Workbooks

/// The pages of the shipped workbooks, byte for byte.
@Suite struct GoldenPageTests {
    @Test(arguments: ["health", "activity", "compliance", "vulnerabilities"])
    func theTabsOfThePosturePage(_ tab: String) async throws {
        let page = try await page("posture", ["Tab": [tab]])
        Golden.expect(page, equals: "Tests/WorkbooksTests/Golden/posture-\(tab).html")
    }

    @Test func theDevicePage() async throws {
        Golden.expect(
            try await page("device", ["Device": ["device-3"]]), equals: "Tests/WorkbooksTests/Golden/device.html")
    }

    private func page(_ id: String, _ asked: [String: [String]]) async throws -> String {
        let documents = Repository.library().workbooks.map { WorkbookDocument($0) }
        let document = try #require(documents.first { $0.id == id })
        let run = WorkbookRun(provider: try FixtureWorkspace.provider(), now: FixtureWorkspace.now)
        return PageRenderer(documents: documents).page(await run.resolve(document, asked: asked)).text
    }
}
