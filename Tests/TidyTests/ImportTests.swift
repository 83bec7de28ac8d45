import Foundation
import TestKit
import Testing

/// The layers: what each target may import of the others.
@Suite struct ImportTests {
    private static let allowed: [String: Set<String>] = [
        "Tables": ["CZlib", "CDeflate", "CQueryGuard"], "CQueryGuard": [], "KQL": ["Tables", "CQueryGuard"],
        "CRE2": ["CRE2System"],
        "KQLEngine": ["KQL", "Tables", "CRE2", "CMaxMindDB", "CQueryGuard"], "Content": ["KQL", "Tables"],
        "Workspace": ["KQLEngine", "KQL", "Tables"], "Azure": ["Tables"],
        "Pipeline": ["Azure", "Workspace", "KQLEngine", "KQL", "Content", "Tables"],
        "Forensics": ["Workspace", "KQLEngine", "KQL", "Content", "Tables"],
        "Workbooks": ["KQLEngine", "KQL", "Content", "Tables"],
        "Serving": ["Tables"],
        "Workbench": [
            "Serving", "Forensics", "Workbooks", "Pipeline", "Azure", "Workspace", "KQLEngine", "KQL", "Content",
            "Tables",
        ],
        "Lab": ["Serving", "KQLEngine", "KQL", "Tables"],
        "vestige": [
            "Workbench", "Lab", "Serving", "Forensics", "Workbooks", "Pipeline", "Azure", "Workspace", "Content",
            "KQLEngine", "KQL", "Tables",
        ],
    ]
    /// Shims over system libraries: modules without Swift files of their own.
    private static let shims: Set<String> = ["CZlib", "CDeflate", "CMaxMindDB", "CRE2System"]

    /// The targets of Package.swift are those that are looked at here: a new one is not forgotten.
    @Test func everyTargetIsLookedAt() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Repository.root + "/Sources")
        #expect(Set(folders.filter { !$0.hasPrefix(".") }) == Set(Self.allowed.keys).union(Self.shims))
    }

    private func files(_ target: String) throws -> [String] {
        let folder = Repository.root + "/Sources/" + target
        let names = try #require(FileManager.default.enumerator(atPath: folder)).compactMap { $0 as? String }
        return names.filter { $0.hasSuffix(".swift") }.map { folder + "/" + $0 }
    }

    @Test(arguments: Array(allowed.keys)) func importsPointDown(_ target: String) throws {
        for file in try files(target) {
            let text = try String(contentsOfFile: file, encoding: .utf8)
            // However it is written: `@preconcurrency import A`, `internal import A`, `import struct A.B`.
            for match in text.matches(
                of:
                    /(?m)^[ \t]*(?:@\w+(?:\([^)]*\))? +)*(?:\w+ +)?import +(?:(?:struct|class|enum|func|protocol|typealias|var|let) +)?(\w+)/
            ) {
                let name = String(match.1)
                guard Self.allowed[name] != nil || Self.shims.contains(name) else { continue }
                #expect(Self.allowed[target]?.contains(name) == true, "\(file) imports \(name)")
            }
        }
    }

    @Test func noMarkers() throws {
        for target in Self.allowed.keys {
            for file in try files(target) {
                let text = try String(contentsOfFile: file, encoding: .utf8)
                for marker in ["TO" + "DO", "FIX" + "ME", "fatal" + "Error(", "try" + "!"] {
                    #expect(!text.contains(marker), "\(file): \(marker)")
                }
            }
        }
    }
}
