import Foundation
import Tables
import TestKit
import Testing

/// Cases that triage opens after a collect.
extension ScenarioCommandTests {
    @Test func triageOpensACaseOnce() async throws {
        try await Self.play("web-shell-miner") { lab in
            let feeds = """
                feeds: {cisa-kev: "\(lab.cloud)/feeds/known_exploited_vulnerabilities.json",
                  nvd-modified: "\(lab.cloud)/feeds/nvdcve-2.0-modified.json.gz"}

                """
            let file = try Self.write(lab, feeds)
            let text = try String(contentsOfFile: file, encoding: .utf8)
            let more = "mde-software-vulnerabilities, cisa-kev, nvd-modified, mde-secure"
            try FolderWriter.write(text.replacing("mde-secure", with: more), to: file)
            let name = "triage-aus-web-9301-CVE-2021-44228"
            let first = try await Self.collect(lab, file)
            #expect(first.err.contains("the case \(name) was opened"), "\(first.err)")
            let shown = try await CommandTests.run(["case", "show", name, "--config", file], in: lab.folder)
            #expect(shown.out.contains("Forensic triage is asked for: CVE-2021-44228 on aus-web-9301"), "\(shown.out)")
            for step in ["scope by ", "volatile evidence by ", "verdict by ", "settings known, none is off"] {
                #expect(shown.out.contains(step), "\(shown.out)")
            }
            #expect(shown.out.contains("vestige investigate --device aus-web-9301.contoso.example --fetch"))
            let sound = try await CommandTests.run(["case", "verify", name, "--config", file], in: lab.folder)
            #expect(sound.status == 0, "\(sound.out)")
            let second = try await Self.collect(lab, file)
            #expect(!second.err.contains("\(name) was opened") && second.err.contains("forensic triage is owed"))
        }
    }
}
