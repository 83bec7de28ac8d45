import Crypto
import Foundation
import KQLEngine
import Tables
import TestKit
import Testing

@testable import Workbooks

/// What a page may run, and that it needs no more.
@Suite struct PolicyTests {
    /// A page of one panel.
    private func page(_ content: JSON) async throws -> String {
        let item: JSON = ["type": 3, "customWidth": 33, "content": content]
        let workbook: JSON = ["version": "Notebook/1.0", "items": [item]]
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let document = WorkbookDocument(try WorkbookFixture.file(workbook.text, in: folder, name: "w"))
        let run = WorkbookRun(provider: MemoryTables(), now: FixtureWorkspace.now)
        return PageRenderer(documents: [document]).page(await run.resolve(document, asked: [:])).text
    }

    @Test func thePolicyAllowsTheProgramsOwnScriptsAndNothingInline() {
        let policy = HTMLPage.policy
        #expect(!policy.contains("unsafe") && !policy.contains("*") && !policy.contains("http"))
        for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"] {
            #expect(policy.contains(part))
        }
    }

    /// Every script and style sheet of a page is one that the policy names, and nothing is styled or run by an
    /// attribute.
    @Test func everyScriptAndStyleOfAPageIsNamed() async throws {
        let page = try await page(["query": "print a = 1, b = 2, c = 3", "visualization": "table"])
        var blocks = 0
        for match in page.matches(of: /<(script|style)>([\s\S]*?)<\/(?:script|style)>/) {
            let digest = Data(SHA256.hash(data: Data(match.2.utf8))).base64EncodedString()
            #expect(HTMLPage.policy.contains("\(match.1)-src") && HTMLPage.policy.contains("'sha256-\(digest)'"))
            blocks += 1
        }
        #expect(blocks == 3)
        let markup = page.replacing(/<(script|style)>[\s\S]*?<\/(script|style)>/, with: "")
        #expect(!markup.contains("style=") && !markup.contains(/\son\w+=/) && markup.contains("class=\"item w33\""))
    }

    /// Text of a workbook's rule is text, as all that comes with one.
    @Test func theTextOfAThresholdIsEscaped() async throws {
        let hostile = "<img src=x onerror=alert(1)>{0}"
        for representation in ["success", "red"] {
            for style in ["icons", "colors"] {
                let options: JSON.Members = [
                    "thresholdsOptions": .string(style),
                    "thresholdsGrid": [
                        ["operator": "Default", "representation": .string(representation), "text": .string(hostile)]
                    ],
                ]
                let column: JSON = ["columnMatch": "a", "formatter": 18, "formatOptions": .object(options)]
                let page = try await page([
                    "query": "print a = '<b>'", "visualization": "table", "gridSettings": ["formatters": [column]],
                ])
                #expect(page.contains("&lt;img src=x onerror=alert(1)&gt;&lt;b&gt;"), "\(representation)")
                #expect(!page.contains("<img"))
            }
        }
    }

    @Test func coloursOfCellsAreClassesOfTheStyleSheet() {
        let sheet = PageAsset.styleSheet.text
        for name in ["greenRed", "redGreen", "yellowOrangeRed", "coldHot", "hotCold", "purple", "gray", "blue"] {
            for fraction in [0, 0.004, 0.25, 0.333, 0.5, 0.999, 1, 7, -1] {
                for part in (Palette(named: name) ?? .usual).heat(fraction).split(separator: " ") {
                    #expect(sheet.contains(".\(part){"), "\(name) \(fraction): \(part)")
                }
            }
        }
        for place in 0..<24 { #expect(sheet.contains(".c-\(NamedColor.ofSeries(place).variable){")) }
        for width in 1...100 { #expect(sheet.contains(".w\(width){--w:")) }
    }
}
