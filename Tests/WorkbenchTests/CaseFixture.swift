import Forensics
import Tables

/// A small case written by hand, in which everything that a page shows is there: IT and plant, gaps, what held, what
/// people said, and names that would be markup if they could.
enum CaseFixture {
    static let hostile = "<img src=x onerror=alert(1)>\"'&"
    static let start: Int64 = 638_000_000_000_000_000

    static func time(_ minutes: Int64) -> Int64 { start + minutes * Span.minute }

    private struct Step {
        let kind: Claim.Kind
        let minute: Int64
        let subject: String
        let object: String
        var techniques: [String] = []
        var because = ""
        var facts: [Claim.Fact: String] = [:]
    }

    private static let steps: [Step] = [
        Step(kind: .entry, minute: 0, subject: "desk.fenwick.example", object: "phishing", techniques: ["T1566"]),
        Step(
            kind: .technique, minute: 0, subject: "desk.fenwick.example", object: "office-child", techniques: ["T1059"],
            facts: [.title: "A program of Office starts a shell"]),
        Step(
            kind: .movement, minute: 60, subject: "desk.fenwick.example", object: "files.fenwick.example",
            techniques: ["T1021.002"], because: "service execution", facts: [.account: "adm.finch"]),
        Step(
            kind: .harm, minute: 63, subject: "files.fenwick.example", object: "files-encrypted",
            techniques: ["T1486"]),
        Step(
            kind: .cause, minute: 0, subject: "desk.fenwick.example", object: "scid-2501", techniques: ["T1566"],
            because: "would-have-blocked: off before the first sign",
            facts: [
                .gap: "missing-policy", .proof: "would-have-blocked", .state: "compliant: false",
                .observed: DateTime.format(time(-9_000)), .stateTable: "DeviceTvmSecureConfigurationAssessment",
            ]),
        Step(
            kind: .prevented, minute: 30, subject: "ledger.fenwick.example", object: "av.mode", techniques: ["T1003"]),
        Step(
            kind: .movement, minute: 90, subject: "files.fenwick.example", object: "10.9.8.7", techniques: ["T0886"],
            because: "industrial protocol"),
        Step(kind: .harm, minute: 95, subject: "10.9.8.7", object: "plc-program-changed", techniques: ["T0889"]),
        Step(kind: .technique, minute: 96, subject: hostile, object: "hostile-name", techniques: ["T1036"]),
    ]

    /// - Parameters:
    ///   - more: further devices, each with an act.
    static func file(_ name: String = "payroll", more: Int = 0) -> CaseFile {
        var file = CaseFile(id: name, opened: time(120))
        func add(_ step: Step, _ number: Int) {
            let row: JSON = [
                "ActionType": "ProcessCreated", "DeviceId": .string("id-" + step.subject),
                "ProcessCommandLine": .string("run \(hostile)"), "ReportId": .integer(Int64(number)),
                "Timestamp": .string(DateTime.format(time(step.minute))),
            ]
            let digest = Digest.hex(row)
            let body: JSON = ["table": "DeviceProcessEvents", "row": row]
            file.add(.row, id: digest, body: body, now: time(120), actor: "test", action: "take")
            let claim = Claim(
                step.kind, subject: step.subject, object: step.object, techniques: step.techniques,
                time: time(step.minute), because: step.because, supports: [digest], facts: step.facts)
            file.add(.claim, id: claim.id, body: claim.json, now: time(120), actor: "test", action: "state")
        }
        for (i, step) in steps.enumerated() { add(step, i + 1) }
        var summary = CaseSummary(verdict: .intrusion, devices: devices(more: more))
        for i in 0..<more {
            add(Step(kind: .technique, minute: Int64(200 + i), subject: "more\(i)", object: "spread"), 100 + i)
        }
        summary.posture = [
            CaseSummary.Posture(device: "id-desk", from: time(-9_000), off: ["scid-2501"], on: ["av.mode"]),
            CaseSummary.Posture(device: "id-files", from: time(-9_000), off: [], on: ["av.mode"]),
            CaseSummary.Posture(device: "id-files", from: time(61), off: ["av.mode"], on: []),
        ]
        summary.gaps = [
            CaseSummary.Gap(
                control: "scid-2501", title: "Block Office from making child processes", devices: ["kiosk", "annex"],
                count: 5, query: "DeviceTvmSecureConfigurationAssessment\n| where ConfigurationId == \"scid-2501\"")
        ]
        summary.unknowns = ["no rows of DeviceNetworkEvents", "no rows of \(hostile)"]
        summary.setAside = ["<b>hunt</b>": 3]
        file.add(
            .summary, id: "summary", body: summary.json, now: time(120), actor: "test", action: "state")
        file.note("Wren opened the mail at nine", now: time(130), actor: "finch")
        return file
    }

    private static func devices(more: Int) -> [CaseSummary.Device] {
        let known: [(String, String, Int64, Bool)] = [
            ("id-desk", "desk.fenwick.example", 0, false), ("id-files", "files.fenwick.example", 60, false),
            ("iot:10.9.8.7", "10.9.8.7", 90, true), ("id-hostile", hostile, 96, false),
        ]
        let others = (0..<more).map { ("id-more\($0)", "more\($0)", Int64(200 + $0), false) }
        return (known + others).map {
            CaseSummary.Device(id: $0.0, name: $0.1, firstSign: time($0.2), isPlant: $0.3)
        }
    }
}
