import Foundation
import TestKit
import Testing

/// The layers: what each target may import of the others.
@Suite struct ImportTests {
    private static let allowed: [String: Set<String>] = [
        "Tables": ["CZlib"], "KQL": ["Tables"], "CRE2": [], "KQLEngine": ["KQL", "Tables", "CRE2"],
        "Content": ["KQL", "Tables"],
        "Workspace": ["KQLEngine", "KQL", "Tables"], "Azure": ["Tables"],
        "Pipeline": ["Azure", "Workspace", "KQLEngine", "KQL", "Content", "Tables"],
        "Workbooks": ["KQLEngine", "KQL", "Content", "Tables"],
        "Workbench": ["Workbooks", "Pipeline", "Workspace", "KQLEngine", "KQL", "Content", "Tables"],
        "Lab": ["KQLEngine", "KQL", "Tables"],
        "vestige": [
            "Workbench", "Lab", "Workbooks", "Pipeline", "Azure", "Workspace", "Content", "KQLEngine", "KQL", "Tables",
        ],
    ]

    private func files(_ target: String) throws -> [String] {
        let folder = Repository.root + "/Sources/" + target
        let names = try #require(FileManager.default.enumerator(atPath: folder)).compactMap { $0 as? String }
        return names.filter { $0.hasSuffix(".swift") }.map { folder + "/" + $0 }
    }

    @Test(arguments: Array(allowed.keys)) func importsPointDown(_ target: String) throws {
        for file in try files(target) {
            let text = try String(contentsOfFile: file, encoding: .utf8)
            for line in text.split(separator: "\n") where line.hasPrefix("import ") {
                let name = String(line.dropFirst(7).prefix { $0.isLetter || $0.isNumber || $0 == "_" })
                guard Self.allowed[name] != nil || name == "CZlib" else { continue }
                #expect(Self.allowed[target]?.contains(name) == true, "\(file) imports \(name)")
            }
        }
    }

    @Test func noMarkersAndNoGiants() throws {
        for target in Self.allowed.keys {
            for file in try files(target) {
                let text = try String(contentsOfFile: file, encoding: .utf8)
                for marker in ["TO" + "DO", "FIX" + "ME", "fatal" + "Error(", "try" + "!"] {
                    #expect(!text.contains(marker), "\(file): \(marker)")
                }
                #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 620, "\(file)")
            }
        }
    }
}
