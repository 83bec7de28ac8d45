import Content
import Tables
import TestKit
import Testing

@testable import Pipeline

/// The guards by themselves.
@Suite struct GuardTests {
    private static let hour = 3_600 * DateTime.ticksPerSecond

    @Test func halfIsDoubtedUntilAnswersAgree() {
        let rule = AbsenceGuard(isPublicList: true)
        #expect(rule.judge(before: 100, gone: 50, doubt: nil, now: 0) == .plausible)
        #expect(rule.judge(before: 19, gone: 19, doubt: nil, now: 0) == .plausible)
        #expect(rule.judge(before: 100, gone: 51, doubt: nil, now: 5) == .doubted(Doubt(since: 5, answers: 1)))
        let one = Doubt(since: 0, answers: 1)
        #expect(
            rule.judge(before: 100, gone: 51, doubt: one, now: 90 * Self.hour) == .doubted(Doubt(since: 0, answers: 2)))
        let two = Doubt(since: 0, answers: 2)
        #expect(
            rule.judge(before: 100, gone: 51, doubt: two, now: 19 * Self.hour) == .doubted(Doubt(since: 0, answers: 3)))
        #expect(
            rule.judge(before: 100, gone: 51, doubt: two, now: 20 * Self.hour) == .believed(Doubt(since: 0, answers: 3))
        )
        // A clock that was ahead proves nothing.
        let ahead = Doubt(since: 99 * Self.hour, answers: 9)
        #expect(
            rule.judge(before: 100, gone: 51, doubt: ahead, now: Self.hour)
                == .doubted(Doubt(since: Self.hour, answers: 1)))
        #expect(AbsenceGuard(isPublicList: false).judge(before: 199, gone: 199, doubt: nil, now: 0) == .plausible)
    }

    private static func table(_ name: String) throws -> TableDefinition {
        try #require(Repository.library().tables[name])
    }

    @Test func rowsWithoutTheirKey() throws {
        let table = try Self.table("DeviceTvmSoftwareVulnerabilities")
        func row(_ device: Value, _ vendor: String, _ name: String, _ version: String, _ cve: String) -> [Value] {
            table.columns.map { column in
                switch column.name {
                case "DeviceId": device
                case "SoftwareVendor": .string(vendor)
                case "SoftwareName": .string(name)
                case "SoftwareVersion": .string(version)
                case "CveId": .string(cve)
                default: .null
                }
            }
        }
        let batch = Batch(
            schema: table.ownSchema,
            rows: [
                row(.string("d1"), "v", "n", "1", "CVE-2026-1"), row(.string(""), "v", "n", "1", "CVE-2026-2"),
                row(.string("d1"), "", "n", "", "CVE-2026-3"), row(.string("d1"), "v", "n", "1", " \t"),
            ])
        let split = try KeyGuard(table, given: nil).split(batch)
        #expect(try split.kept.column(named: "CveId")?.values.map(\.text) == ["CVE-2026-1", "CVE-2026-3"])
        #expect(split.refused.count == 2 && split.refused.example.contains("CVE-2026-2"))
        // What the sensor is called identifies nothing.
        let sensor = try Self.table("IoTDeviceVulnerabilities_CL")
        let nameless = Batch(
            schema: sensor.ownSchema,
            rows: [
                sensor.columns.map {
                    $0.name == "SensorName" ? .string("plant") : $0.type == .string ? .string("") : .null
                }
            ])
        #expect(try KeyGuard(sensor, given: "SensorName").split(nameless).refused.count == 1)
        #expect(try KeyGuard(sensor, given: nil).split(nameless).refused.count == 0)
    }

    @Test func smallMovesAreNoise() throws {
        let table = try Self.table("ExploitPrediction_CL")
        let amount = try #require(table.significance["Epss"])
        func steps(_ number: Double?, _ shift: Double) throws -> Value {
            let row = table.columns.map { $0.name == "Epss" ? number.map { .real($0) } ?? .null : Value.null }
            let batch = try Significance.steps(of: Batch(schema: table.ownSchema, rows: [row]), table, shift: shift)
            return try batch.column(named: "Epss")?[0] ?? .null
        }
        func counts(_ old: Double, _ new: Double) throws -> Bool {
            let stored = try steps(old, 0)
            return try [0, 0.5, -0.5].allSatisfy { try steps(new, $0) != stored }
        }
        for k in 0..<2_000 {
            let old = Double(k) / 2_000
            for sign in [1.0, -1] {
                #expect(try !counts(old, old + sign * amount * 0.24))
                #expect(try counts(old, old + sign * amount * 1.01))
            }
        }
        #expect(
            try steps(nil, 0).isNull && steps(.nan, 0).isNull && steps(.infinity, 0).isNull && steps(1e300, 0).isNull)
    }

    @Test(arguments: [
        ("CVE-2026-1.json", "CVE-*", true), ("deltaLog.json", "CVE-*", false), ("cve-1", "CVE-?", true),
        ("a.json", "*.json", true), ("a.json.gz", "*.json", false), ("", "*", true), ("abcabd", "*abd", true),
        ("abc", "a*b", false), ("abc", "", false),
    ]) func namesByPatterns(_ name: String, _ pattern: String, _ fits: Bool) {
        #expect(FeedNames.matches(name, pattern) == fits)
    }

    @Test func checkpointsReadBack() {
        var checkpoint = Checkpoint()
        (checkpoint.keyframe, checkpoint.run, checkpoint.latest) = (1, 2, 3)
        checkpoint.doubt = Doubt(since: 4, answers: 5)
        checkpoint.reported = ["a", "b"]
        checkpoint.facts = ["model_version": "v1"]
        checkpoint.definition = "d"
        checkpoint.validators = FeedValidators(place: "https://x", entityTag: "\"t\"", modified: nil)
        let read = Checkpoint(checkpoint.text)
        #expect(read.keyframe == 1 && read.run == 2 && read.latest == 3 && read.doubt == checkpoint.doubt)
        #expect(read.reported == checkpoint.reported && read.facts == checkpoint.facts && read.definition == "d")
        #expect(read.validators == checkpoint.validators)
        // Of the version before, which knew a doubt without its time.
        let old = Checkpoint(#"{"keyframe":1,"run":2,"latest":null,"doubted":true,"reported":["x"]}"#)
        #expect(old.run == 2 && old.doubt == nil && old.reported == ["x"] && old.validators == nil)
        #expect(Checkpoint(nil).keyframe == nil && Checkpoint("garbage").run == nil)
    }
}
