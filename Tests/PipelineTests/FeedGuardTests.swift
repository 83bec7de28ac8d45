import Foundation
import Lab
import Pipeline
import Tables
import TestKit
import Testing

/// Bad answers of public lists: each is an error with advice, and none changes what is stored.
@Suite(.serialized) struct FeedGuardTests {
    private static let standing: Int64 = 639_079_200_000_000_000

    /// A list that goes wrong, and the table that must stay as it is.
    struct List: Sendable, CustomTestStringConvertible {
        let source: String
        let path: String
        let table: String
        var testDescription: String { source }
    }

    private static let lists = [
        List(
            source: "cisa-kev", path: "known_exploited_vulnerabilities.json", table: "KnownExploitedVulnerabilities_CL"),
        List(source: "first-epss", path: "epss_scores-current.csv.gz", table: "ExploitPrediction_CL"),
        List(source: "nvd-modified", path: "nvdcve-2.0-modified.json.gz", table: "NvdVulnerabilities_CL"),
        List(source: "msrc-updates", path: "cvrf/2026-Feb", table: "MsrcVulnerabilities_CL"),
        List(source: "cve-records", path: "cves.json", table: "CveRecords_CL"),
        List(source: "vex-statements", path: "vex/lab.json", table: "TriageStatements_CL"),
    ]

    @Test(arguments: lists) func noBadAnswerChangesAnything(_ list: List) async throws {
        try await RunningLab.use(devices: 5, standing: Self.standing) { lab in
            let rig = try await ListRig(lab, list.source, "\(lab.cloud)/feeds/\(list.path)", name: list.source)
            let first = try await rig.collect()
            #expect(first.error == "" && first.counts.added > 0, "\(first)")
            let stored = try rig.texts("\(list.table) | count")
            // A month in which there is nothing is an answer like any other.
            let faults = FeedFault.allCases.filter { list.source != "msrc-updates" || $0 != .emptyList }
            for fault in faults {
                lab.lab.bend(list.path, fault)
                // Twice, since what is wrong once is most often wrong a minute later, too.
                for attempt in 1...2 {
                    lab.lab.clock.advance(hours: 12)
                    let outcome = try await rig.collect()
                    #expect(lab.lab.isBendingMet(list.path))
                    #expect(!outcome.error.isEmpty, "\(fault) of \(list.source), attempt \(attempt): \(outcome)")
                    #expect(outcome.counts.removed == 0 && outcome.counts.added == 0, "\(fault): \(outcome)")
                }
                lab.lab.bend(list.path, nil)
                #expect(try rig.texts("\(list.table) | count") == stored, "\(fault)")
            }
            #expect(try rig.texts("\(list.table) | where ChangeType == 'Removed' | count") == [["0"]])
            // It goes on where it was.
            let last = try await rig.collect()
            #expect(last.error == "" && last.counts.added == 0 && last.counts.removed == 0, "\(last)")
            await rig.close()
        }
    }

    /// The advice names what came instead.
    @Test func theErrorNamesWhatIsThere() async throws {
        try await RunningLab.use(devices: 5, standing: Self.standing) { lab in
            let kev = try await ListRig(lab, "cisa-kev", "\(lab.cloud)/feeds/k", name: "kev")
            func kevError(_ text: String) async throws -> String {
                lab.lab.publish("k", Array(text.utf8))
                return try await kev.collect().error
            }
            let message = try await kevError(#"{"message": "Service temporarily unavailable", "status": 0}"#)
            #expect(message.contains("there are: message, status") && message.contains("temporarily unavailable"))
            let entries =
                #"{"vulnerabilities": [{"cve_id": "CVE-2026-1", "dateAdded": "2026-01-01", "dueDate": "2026-01-02"}]}"#
            let renamed = try await kevError(entries)
            #expect(renamed.contains("cveID") && renamed.contains("cve_id"), "\(renamed)")
            let keyless = entries.replacing("cve_id", with: "cveID").replacing("CVE-2026-1", with: "Service down")
            #expect(try await kevError(keyless).contains("without CveId"))
            let epss = try await ListRig(lab, "first-epss", "\(lab.cloud)/feeds/e", name: "epss")
            lab.lab.publish("e", Array("#model_version:v1\ncve_id,epss_score,percentile\nCVE-2026-1,0.1,0.2\n".utf8))
            let header = try await epss.collect().error
            #expect(header.contains("cve, epss") && header.contains("epss_score"), "\(header)")
            for r in [kev, epss] { await r.close() }
        }
    }

    /// A row without its key is left out and told of, the others are stored, and what may be that row is not gone.
    @Test func aRowWithoutItsKeyIsLeftOut() async throws {
        try await RunningLab.use(devices: 5, standing: Self.standing) { lab in
            let rig = try await ListRig(lab, "first-epss", "\(lab.cloud)/feeds/e", name: "keyless")
            func publish(_ rows: [String]) {
                lab.lab.publish("e", Array(("cve,epss,percentile\n" + rows.joined(separator: "\n") + "\n").utf8))
            }
            let good = (1...30).map { "CVE-2026-\($0),0.5,0.5" }
            publish(good)
            #expect(try await rig.collect().counts.added == 30)
            publish([",0.5,0.5", "  ,0.5,0.5"] + good.dropFirst(2) + ["CVE-2026-31,0.5,0.5"])
            for added in [1, 0] {
                let outcome = try await rig.collect()
                #expect(
                    outcome.error == "" && outcome.counts.added == added && outcome.counts.removed == 0, "\(outcome)")
                #expect(outcome.notes.contains("2 rows of first-epss have no key (CveId)"), "\(outcome.notes)")
                #expect(outcome.notes.contains("\"Epss\":0.5"), "\(outcome.notes)")
            }
            #expect(try rig.texts("ExploitPrediction_CL | where isempty(trim(' ', CveId)) | count") == [["0"]])
            publish(Array(good.dropFirst(2)) + ["CVE-2026-31,0.5,0.5"])
            #expect(try await rig.collect().counts.removed == 2)
            await rig.close()
        }
    }

    /// A list that shrinks by more than half is believed when several answers agree for most of a day, or when a person says so.
    @Test func halfOfAListIsNotGoneAtOnce() async throws {
        try await RunningLab.use(devices: 5, standing: Self.standing) { lab in
            func publish(_ count: Int) {
                let rows = (1...count).map { "CVE-2026-\($0),0.5,0.5\n" }.joined()
                lab.lab.publish("e", Array(("cve,epss,percentile\n" + rows).utf8))
            }
            let rig = try await ListRig(lab, "first-epss", "\(lab.cloud)/feeds/e", name: "half")
            publish(100)
            #expect(try await rig.collect().counts.added == 100)
            publish(40)
            // Again and again within some hours: the same cause makes the same answer.
            for hours in [1, 1, 1, 16] {
                let outcome = try await rig.collect()
                #expect(outcome.counts.removed == 0 && outcome.error.contains("60 of 100 rows"), "\(outcome)")
                lab.lab.clock.advance(hours: hours)
            }
            // A whole answer in between ends the doubt.
            publish(100)
            #expect(try await rig.collect().error == "")
            publish(40)
            for _ in 0..<2 {
                #expect(try await rig.collect().counts.removed == 0)
                lab.lab.clock.advance(hours: 12)
            }
            let believed = try await rig.collect()
            #expect(believed.error == "" && believed.counts.removed == 60, "\(believed)")
            #expect(believed.notes.contains("3 answers agreed"), "\(believed.notes)")
            publish(10)
            #expect(try await rig.collect().counts.removed == 0)
            #expect(try await rig.collect(allowsEmpty: true).counts.removed == 30)
            await rig.close()
        }
    }

    /// A month in which there is nothing yet is an answer like any other; a message in its place is not.
    @Test func aMonthWithoutUpdatesIsEmpty() async throws {
        try await RunningLab.use(devices: 5, standing: Self.standing) { lab in
            let rig = try await ListRig(lab, "msrc-updates", "\(lab.cloud)/feeds/m", name: "msrc")
            let empty = [
                #"{"DocumentTitle": {"Value": "November 2026 Security Updates"}, "DocumentTracking": {"Version": "1.0"}}"#,
                #"{"DocumentTitle": {"Value": "x"}, "Vulnerability": null}"#,
                #"{"DocumentTracking": {}, "Vulnerability": []}"#,
            ]
            for text in empty {
                lab.lab.publish("m", Array(text.utf8))
                let outcome = try await rig.collect()
                #expect(outcome.error == "" && outcome.counts.read == 0, "\(outcome)")
            }
            lab.lab.publish("m", Array(#"{"DocumentTitle": {}, "Vulnerability": [{"CVE": "CVE-2026-1"}]}"#.utf8))
            #expect(try await rig.collect().counts.added == 1)
            lab.lab.publish("m", Array(empty[0].utf8))
            let after = try await rig.collect()
            #expect(after.error == "" && after.counts.removed == 0)
            lab.lab.publish("m", Array(#"{"message": "down"}"#.utf8))
            #expect(!(try await rig.collect()).error.isEmpty)
            await rig.close()
        }
    }

    /// A list that is as it was is not sent again, and nothing is gone; a keyframe reads it all the same.
    @Test func aListThatHasNotChangedIsNotSentAgain() async throws {
        try await RunningLab.use(devices: 5, standing: Self.standing) { lab in
            let address = "\(lab.cloud)/feeds/known_exploited_vulnerabilities.json"
            let rig = try await ListRig(lab, "cisa-kev", address, name: "same")
            let first = try await rig.collect()
            let count = first.counts.added
            lab.lab.clock.advance(hours: 12)
            let second = try await rig.collect()
            #expect(second.error == "" && second.counts.unchanged == count && second.counts.read == 0, "\(second)")
            lab.lab.clock.advance(days: 8)
            #expect(try await rig.collect().counts.snapshot == count)
            let table = "KnownExploitedVulnerabilities_CL"
            #expect(try rig.texts("\(table) | where ChangeType == 'Removed' | count") == [["0"]])
            await rig.close()
        }
    }

    /// A page of a longer list: its records are taken, and what it leaves out is not gone.
    @Test(arguments: [
        (
            "cisa-kev", #"{"count": COUNT, "vulnerabilities": [ROWS]}"#,
            #"{"cveID": "CVE-2026-N", "dateAdded": "2026-11-01", "dueDate": "2026-11-22"}"#,
            "KnownExploitedVulnerabilities_CL"
        ),
        (
            "first-epss", #"{"status": "OK", "total": COUNT, "offset": 0, "limit": 100, "data": [ROWS]}"#,
            #"{"cve": "CVE-2026-N", "epss": "0.5", "percentile": "0.9", "date": "2026-11-25"}"#, "ExploitPrediction_CL"
        ),
    ]) func aPageOfALongerListIsAPart(_ source: String, _ list: String, _ row: String, _ table: String) async throws {
        try await RunningLab.use(devices: 5, standing: Self.standing) { lab in
            let rig = try await ListRig(lab, source, "\(lab.cloud)/feeds/part", name: source)
            func publish(_ rows: Range<Int>, of count: Int) {
                let rows = rows.map { row.replacing("N\"", with: "\($0)\"") }.joined(separator: ",")
                lab.lab.publish(
                    "part", Array(list.replacing("COUNT", with: "\(count)").replacing("ROWS", with: rows).utf8))
            }
            publish(0..<8, of: 8)
            #expect(try await rig.collect().error == "")
            publish(5..<9, of: 300)
            let part = try await rig.collect()
            #expect(part.error.contains("296 of the 300 records") && part.error.contains("whole list"), "\(part)")
            #expect(part.counts.added == 1 && part.counts.removed == 0, "\(part)")
            publish(1..<9, of: 8)
            let whole = try await rig.collect()
            #expect(whole.error == "" && whole.counts.removed == 1, "\(whole)")
            #expect(try rig.texts("\(table) | where ChangeType == 'Removed' | count") == [["1"]])
            await rig.close()
        }
    }
}
