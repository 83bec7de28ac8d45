import Content
import Foundation
import Tables
import Testing

@testable import Forensics

/// Decisions of triage: where points come from, what stands against what, and what was known when.
@Suite struct TriageTests {
    static let cve = "CVE-2026-1001"
    static let start = "2026-08-03T06:00:00Z"

    /// An office device with one vulnerable program; nothing else is known.
    func office(facing: String = "true", value: String = "High") -> Estate {
        var estate = Estate()
        estate.add(
            "DeviceInfo",
            ["DeviceId": "d1", "DeviceName": "srv1.corp.example", "IsInternetFacing": facing, "AssetValue": value],
            at: Self.start)
        estate.add("DeviceTvmSoftwareVulnerabilities", program(), at: Self.start)
        // A catalogue that is about something else.
        estate.add("KnownExploitedVulnerabilities_CL", ["CveId": "CVE-2020-1"], at: Self.start)
        return estate
    }

    func program(_ version: String = "1.0", seen: String = "2026-07-20T03:00:00Z", level: String = "NoExploit")
        -> [String: String]
    {
        [
            "DeviceId": "d1", "DeviceName": "srv1.corp.example", "SoftwareVendor": "acme", "SoftwareName": "widget",
            "SoftwareVersion": version, "CveId": Self.cve, "FirstSeenTimestamp": seen, "ExploitabilityLevel": level,
        ]
    }

    func list(_ estate: Estate, at time: String, withClosed: Bool = false) throws -> [TriageDecision] {
        let triage = try #require(Triage(Estate.library.triage, provider: estate.tables))
        var request = Triage.Request(at: Estate.time(time))
        request.withClosed = withClosed
        return try triage.decide(request)
    }

    func decide(_ estate: Estate, _ model: String = "bod-26-04", at time: String) throws -> TriageDecision {
        try #require(try list(estate, at: time, withClosed: true).first { $0.model == model })
    }

    func vector(_ estate: inout Estate, _ vector: String, at time: String = start) {
        estate.add("NvdVulnerabilities_CL", ["CveId": Self.cve, "CvssVector": vector], at: time)
    }

    func kev(_ estate: inout Estate, added: String, triage: String = "", at time: String, gone: Bool = false) {
        estate.add(
            "KnownExploitedVulnerabilities_CL", ["CveId": Self.cve, "DateAdded": added, "ForensicTriage": triage],
            at: time, gone: gone)
    }

    func ssvc(
        _ estate: inout Estate, _ exploitation: String, _ automatable: String, _ impact: String,
        answered: String = "2026-07-01", at time: String
    ) {
        estate.add(
            "CveRecords_CL",
            [
                "CveId": Self.cve, "SsvcExploitation": exploitation, "SsvcAutomatable": automatable,
                "SsvcTechnicalImpact": impact, "SsvcTimestamp": answered,
            ], at: time)
    }

    func step(_ d: TriageDecision, _ point: TriagePoint) -> String {
        d.path.first { $0.point == point }.map { "\($0.value) \($0.source)" } ?? "none"
    }

    static let worm = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    static let local = "CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N"

    @Test func tablesAreWholeAndKeepTheirPublishersInvariants() throws {
        let models = Estate.library.triage.models
        #expect(models.map(\.id) == ["bod-26-04", "ssvc-coordinator", "ssvc-deployer"])
        var counts: [String: [String: Int]] = [:]
        for table in Estate.library.triage.tables.values {
            var combinations: [[Int]] = [[]]
            for point in table.points {
                combinations = combinations.flatMap { c in point.values.indices.map { c + [$0] } }
            }
            for c in combinations {
                counts[table.id, default: [:]][table.outcomes[table.outcome(c)].id, default: 0] += 1
            }
        }
        #expect(counts["bod-26-04"] == ["FSU": 2, "60D": 3, "14D": 6, "3D": 2, "3DF": 3])
        #expect(counts["ssvc-deployer"]?.values.reduce(0, +) == 72 && counts["ssvc-deployer"]?["immediate"] == 3)
        #expect(counts["ssvc-coordinator"] == ["track": 18, "track*": 4, "attend": 10, "act": 4])
        #expect(counts["human-impact"]?.values.reduce(0, +) == 16)
    }

    @Test func nothingKnownIsTakenAsThePublishersSay() throws {
        var estate = Estate()
        estate.add("DeviceTvmSoftwareVulnerabilities", program(), at: Self.start)
        let d = try decide(estate, at: "2026-08-04")
        #expect(d.decision == "14D")
        #expect(d.missing == [.inKev, .publiclyExposed, .automatable, .technicalImpact])
        let deployer = try decide(estate, "ssvc-deployer", at: "2026-08-04")
        #expect(deployer.missing == [.systemExposure, .automatable, .missionImpact])
        #expect(step(deployer, .exploitation) == "none default" && step(deployer, .safetyImpact) == "negligible rule")
        kev(&estate, added: "2026-08-01", at: "2026-08-05")
        let listed = try decide(estate, at: "2026-08-05")
        #expect(listed.decision == "3DF" && step(listed, .automatable) == "yes default")
    }

    @Test func theVectorCountsWhereCisaIsSilentAndNvdsComesFirst() throws {
        var estate = office()
        vector(&estate, Self.worm)
        #expect(try decide(estate, at: "2026-08-04").decision == "3D")
        vector(&estate, "CVSS:3.1/AV:N", at: "2026-08-05")
        estate.add("CveRecords_CL", ["CveId": Self.cve, "CnaVector": Self.local], at: "2026-08-05")
        let d = try decide(estate, at: "2026-08-05")
        #expect(d.decision == "60D" && step(d, .automatable) == "no CveRecords_CL")
        ssvc(&estate, "POC", "Rapid", "TOTAL", at: "2026-08-06")
        let answered = try decide(estate, at: "2026-08-06")
        #expect(answered.decision == "3D" && step(answered, .technicalImpact) == "total CveRecords_CL")
        #expect(
            step(try decide(estate, "ssvc-deployer", at: "2026-08-06"), .exploitation) == "public poc CveRecords_CL")
    }

    @Test func evidenceOfAttacksBeatsItsAbsence() throws {
        var estate = office()
        ssvc(&estate, "none", "no", "partial", at: Self.start)
        func exploitation(_ time: String) throws -> String {
            step(try decide(estate, "ssvc-coordinator", at: time), .exploitation)
        }
        #expect(try exploitation("2026-08-04") == "none CveRecords_CL")
        estate.add(
            "DeviceTvmSoftwareVulnerabilitiesKB", ["CveId": Self.cve, "IsExploitAvailable": "true"], at: "2026-08-05")
        #expect(try exploitation("2026-08-05") == "public poc DeviceTvmSoftwareVulnerabilitiesKB")
        estate.add("DeviceTvmSoftwareVulnerabilities", program(level: "ExploitIsInKit"), at: "2026-08-06")
        #expect(try exploitation("2026-08-06") == "active DeviceTvmSoftwareVulnerabilities")
        kev(&estate, added: "2026-08-07", at: "2026-08-07")
        #expect(try exploitation("2026-08-07") == "active KnownExploitedVulnerabilities_CL")
        #expect(try decide(estate, at: "2026-08-07").conflicts.map(\.kind) == [.ssvcVersusKev])
    }

    @Test func theAnswerForATimeNeverChangesAndSaysWhy() throws {
        var estate = office()
        let before = try decide(estate, at: "2026-08-10")
        kev(&estate, added: "2026-08-01", at: "2026-08-11")
        let after = try decide(estate, at: "2026-08-10")
        #expect(TriageJSON.write(before, withHistory: true) == TriageJSON.write(after, withHistory: true))
        let now = try decide(estate, at: "2026-08-11")
        #expect(now.decision == "3DF" && now.since == Estate.time("2026-08-11"))
        #expect(now.changes.map(\.to) == ["14D", "3DF"])
        #expect(now.changes[1].because.map(\.point) == [.inKev, .automatable])
    }

    @Test func aWithdrawnEntryIsNoAgain() throws {
        var estate = office(facing: "false")
        kev(&estate, added: "2026-08-05", at: "2026-08-05")
        kev(&estate, added: "2026-08-05", at: "2026-08-09", gone: true)
        #expect(try decide(estate, at: "2026-08-08").decision == "3DF")
        let d = try decide(estate, at: "2026-08-09")
        #expect(d.decision == "FSU" && step(d, .inKev) == "no KnownExploitedVulnerabilities_CL" && d.due == nil)
    }

    @Test func catalogueAndAnswerOnImpactTheLaterCounts() throws {
        var estate = office()
        kev(&estate, added: "2026-08-05", triage: "Yes", at: "2026-08-05")
        ssvc(&estate, "active", "no", "partial", answered: "2026-08-05T10:00:00Z", at: "2026-08-06")
        let same = try decide(estate, at: "2026-08-06")
        #expect(step(same, .technicalImpact) == "total KnownExploitedVulnerabilities_CL")
        #expect(same.conflicts.map(\.kind) == [.kevTriageVersusImpact])
        ssvc(&estate, "active", "no", "partial", answered: "2026-08-07", at: "2026-08-07")
        let later = try decide(estate, at: "2026-08-07")
        #expect(later.decision == "14D" && step(later, .technicalImpact) == "partial CveRecords_CL")
        #expect(later.conflicts.map(\.kind) == [.kevTriageVersusImpact, .kevTriageVersusTable])
    }

    // Clocks.

    @Test func inTheCatalogueTheClockBeginsOnItsDay() throws {
        var estate = office()
        vector(&estate, Self.local)
        kev(&estate, added: "2026-08-04", at: "2026-08-04T02:00:00Z")
        let due = try #require(try decide(estate, at: "2026-08-10").due)
        #expect(due.days == 14 && Day.text(due.date) == "2026-08-18" && due.start == .kevAdded)
        #expect(due.time == Estate.time("2026-08-19") && Day.text(due.strictDate) == "2026-08-03")
    }

    @Test func aStricterDecisionMovesNoDateBackAndALaxerRunsFromTheFirstStart() throws {
        var estate = office()
        vector(&estate, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N")
        let first = try #require(try decide(estate, at: "2026-08-04").due)
        #expect(first.days == 14 && Day.text(first.date) == "2026-08-03" && first.start == .detected)
        vector(&estate, Self.worm, at: "2026-08-20T09:00:00Z")
        let stricter = try #require(try decide(estate, at: "2026-08-21").due)
        #expect(stricter.days == 3 && stricter.date == first.date)
        estate.add(
            "DeviceInfo", ["DeviceId": "d1", "DeviceName": "srv1.corp.example", "IsInternetFacing": "false"],
            at: "2026-08-22")
        let laxer = try #require(try decide(estate, at: "2026-08-22").due)
        #expect(laxer.days == 60 && Day.text(laxer.date) == "2026-09-18" && laxer.start == .detected)
        vector(&estate, Self.local, at: "2026-08-23")
        #expect(try decide(estate, at: "2026-08-23").due == nil)
        vector(&estate, Self.worm, at: "2026-08-25T23:00:00Z")
        let again = try #require(try decide(estate, at: "2026-08-26").due)
        #expect(Day.text(again.date) == "2026-10-24" && again.start == .tightened)
    }

    @Test func anUpgradeKeepsTheDayOfDetectionAndAReturnDoesNot() throws {
        var estate = office()
        estate.add("DeviceTvmSoftwareVulnerabilities", program("1.0"), at: "2026-08-10", gone: true)
        estate.add("DeviceTvmSoftwareVulnerabilities", program("1.1", seen: "2026-08-10"), at: "2026-08-10")
        #expect(try decide(estate, at: "2026-08-11").detected == Estate.time("2026-07-20T03:00:00Z"))
        estate.add("DeviceTvmSoftwareVulnerabilities", program("1.1"), at: "2026-08-12", gone: true)
        let gone = try decide(estate, at: "2026-08-13")
        #expect(gone.status == .closed && gone.decision == nil && gone.changes.last?.to == "closed")
        #expect(try list(estate, at: "2026-08-13").isEmpty)
        estate.add("DeviceTvmSoftwareVulnerabilities", program("1.2", seen: "2026-08-14"), at: "2026-08-15")
        let back = try decide(estate, at: "2026-08-15")
        #expect(back.detected == Estate.time("2026-08-14") && back.since == Estate.time("2026-08-15"))
        #expect(back.changes.map(\.to) == ["14D", "closed", "14D"])
    }

    @Test func forensicTriageIsOwedUntilSomebodyGaveAVerdict() throws {
        var estate = office()
        kev(&estate, added: "2026-08-05", triage: "No", at: "2026-08-05T02:00:00Z")
        let asked = try decide(estate, at: "2026-08-05T03:00:00Z")
        #expect(
            asked.forensics?.isRequired == true && asked.forensics?.isOwed == true && asked.forensics?.catalogue == "No"
        )
        #expect(asked.forensics?.since == Estate.time("2026-08-05T02:00:00Z") && asked.opensInvestigation)
        estate.add("DeviceTvmSoftwareVulnerabilities", program(), at: "2026-08-06", gone: true)
        let closed = try #require(try list(estate, at: "2026-08-07").first)
        #expect(closed.status == .closed && closed.forensics?.isOwed == true && closed.forensics?.isRequired == false)
        say(&estate, "triage-verdict", "no-evidence", at: "2026-08-08")
        #expect(try list(estate, at: "2026-08-08").isEmpty)
    }

    // Statements, controls and plant devices.

    func say(
        _ estate: inout Estate, _ kind: String, _ value: String, device: String = "d1", _ more: [String: String] = [:],
        at time: String
    ) {
        var cells = ["StatementId": "\(kind)-\(time)-\(value)", "Kind": kind, "Value": value, "DeviceId": device]
        cells.merge(more) { _, new in new }
        estate.add("TriageStatements_CL", cells, at: time)
    }

    @Test func aPersonsWordStandsFirstButNotUnderTheDirective() throws {
        var estate = office()
        ssvc(&estate, "none", "no", "partial", at: Self.start)
        say(&estate, "automatable", "yes", device: "", ["CveId": Self.cve], at: "2026-08-05")
        let d = try decide(estate, at: "2026-08-05")
        #expect(step(d, .automatable) == "no CveRecords_CL" && d.conflicts.map(\.kind) == [.personVersusCisa])
        #expect(step(try decide(estate, "ssvc-deployer", at: "2026-08-05"), .automatable) == "yes TriageStatements_CL")
        say(&estate, "exposure", "small", ["ValidUntil": "2026-08-08"], at: "2026-08-06")
        say(&estate, "exposure", "open", ["CveId": Self.cve, "ValidFrom": "2026-08-07"], at: "2026-08-06T01:00:00Z")
        #expect(step(try decide(estate, at: "2026-08-06T02:00:00Z"), .publiclyExposed) == "no TriageStatements_CL")
        // The more particular one counts, though both are as new.
        #expect(step(try decide(estate, at: "2026-08-07"), .publiclyExposed) == "yes TriageStatements_CL")
    }

    @Test func statementsEndAtTheirSecondWithoutARow() throws {
        var estate = office()
        say(&estate, "exposure", "controlled", ["ValidUntil": "2026-08-08T10:00:00Z"], at: "2026-08-06")
        #expect(try decide(estate, at: "2026-08-08T09:59:59Z").decision == "FSU")
        let d = try decide(estate, at: "2026-08-20")
        #expect(d.since == Estate.time("2026-08-08T10:00:00Z") && d.decision == "14D")
    }

    @Test func notAffectedNeedsAReasonForEveryProgram() throws {
        var estate = office()
        kev(&estate, added: "2026-08-01", at: Self.start)
        estate.add("DeviceTvmSoftwareVulnerabilities", program("2.0"), at: Self.start)
        func vex(_ value: String, _ version: String, _ reason: String, at time: String) {
            say(
                &estate, "vex", value, device: "",
                ["CveId": Self.cve, "SoftwareName": "Widget", "SoftwareVersion": version, "Reason": reason], at: time)
        }
        vex("not_affected", "1.0", "component_not_present", at: "2026-08-05")
        #expect(try decide(estate, at: "2026-08-05").status == .open)
        vex("not_affected", "2.0", "", at: "2026-08-06")
        #expect(try decide(estate, at: "2026-08-06").status == .open)
        vex("not_affected", "", "vulnerable_code_not_in_execute_path", at: "2026-08-07")
        let d = try decide(estate, at: "2026-08-07")
        #expect(d.status == .notAffected && d.decision == "not-affected" && d.due == nil && d.forensics?.isOwed == true)
        vex("affected", "2.0", "", at: "2026-08-08")
        #expect(try decide(estate, at: "2026-08-08").decision == "3DF")
    }
}
