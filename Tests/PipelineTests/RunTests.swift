import Content
import Foundation
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// Snapshots of many pages that do not come in one go.
@Suite(.serialized) struct RunTests {
    /// The shipped content with a source's pages made small.
    private static func library(
        _ lab: RunningLab, _ source: String, pageSize: Int, _ change: (String) -> String = { $0 }
    ) throws -> ContentLibrary {
        let shipped = try String(contentsOfFile: Repository.content + "/Sources/\(source).yaml", encoding: .utf8)
        let text = shipped.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.hasPrefix("pageSize:") ? "pageSize: \(pageSize)" : String($0)
        }
        try FolderWriter.write(change(text.joined(separator: "\n")), to: lab.folder + "/overlay/Sources/\(source).yaml")
        return ContentLibrary.load(folders: [Repository.content, lab.folder + "/overlay"]).library
    }

    private static func rig(_ lab: RunningLab, _ source: String, _ library: ContentLibrary, files: Bool = false)
        async throws -> Rig
    {
        var configuration = lab.configuration
        if files { configuration.exports = .files }
        return try await Rig(lab, configuration, only: [source], library: library)
    }

    private static func fail(_ lab: RunningLab, _ path: String, after: Int = 0, times: Int = 1_000) async throws {
        _ = try await lab.control(
            "POST", "/lab/faults",
            #"{"path":"\#(path)","after":\#(after),"times":\#(times),"status":503,"retryAfter":0}"#)
    }

    private static func count(_ rig: Rig, _ table: String) throws -> Int {
        Int(try rig.query("\(table) | count")[0][0].longValue ?? -1)
    }

    @Test(arguments: [false, true]) func aLongSnapshotGoesOnWhereItStopped(asFiles: Bool) async throws {
        try await RunningLab.use(devices: 160, standing: 639_079_200_000_000_000, exportFileRows: 100) { lab in
            let source = "mde-software-vulnerabilities"
            let table = "DeviceTvmSoftwareVulnerabilities"
            let rig = try await Self.rig(lab, source, try Self.library(lab, source, pageSize: 40), files: asFiles)
            try await Self.fail(lab, asFiles ? "blob" : "skiptoken", after: asFiles ? 1 : 4)
            let first = await rig.run()
            #expect(first.sources[0].error != nil)
            #expect(try Self.count(rig, table) == 0)
            let before = first.sources[0].pages
            #expect(asFiles ? before >= 1 : before == 5)
            _ = try await lab.control("POST", "/lab/faults/clear")
            let began = lab.lab.clock.now
            lab.lab.clock.advance(hours: 1)
            let second = await rig.run()
            #expect(second.failures.map(\.rendered) == [])
            #expect(second.sources[0].pages > before)
            #expect(second.sources[0].counts.repeated == 0)
            let rows = try Self.count(rig, table)
            #expect(rows == second.sources[0].counts.read && rows > 150)
            // It counts as observed when the run began.
            #expect(try rig.query("\(table) | distinct TimeGenerated") == [[.datetime(began)]])
            let third = await rig.run()
            #expect(third.failures.map(\.rendered) == [])
            #expect(
                third.sources[0].counts.kept == 0 && third.sources[0].counts.unchanged == rows,
                "\(third.sources[0].counts)")
            await rig.connections.close()
        }
    }

    @Test func aRunThatStoppedLongAgoBeginsAnew() async throws {
        try await RunningLab.use(devices: 20, standing: 639_079_200_000_000_000) { lab in
            let source = "mde-software-vulnerabilities"
            var rig = try await Self.rig(lab, source, try Self.library(lab, source, pageSize: 40))
            try await Self.fail(lab, "skiptoken", after: 1)
            #expect((await rig.run()).sources[0].error != nil)
            _ = try await lab.control("POST", "/lab/faults/clear")
            // Longer than the source's interval.
            lab.lab.clock.advance(hours: 7)
            let began = lab.lab.clock.now
            try await Self.fail(lab, "skiptoken", after: 1)
            #expect((await rig.run()).sources[0].error != nil)
            _ = try await lab.control("POST", "/lab/faults/clear")
            // With another definition, what was read before does not belong to it.
            await rig.connections.close()
            rig = try await Self.rig(lab, source, try Self.library(lab, source, pageSize: 41))
            lab.lab.clock.advance(hours: 1)
            let whole = await rig.run()
            #expect(whole.failures.map(\.rendered) == [])
            #expect(try Self.count(rig, "DeviceTvmSoftwareVulnerabilities") == whole.sources[0].counts.read)
            #expect(
                try rig.query("DeviceTvmSoftwareVulnerabilities | distinct TimeGenerated") == [
                    [.datetime(began + 3_600 * DateTime.ticksPerSecond)]
                ])
            await rig.connections.close()
        }
    }

    /// What the service no longer goes on with is asked for from the beginning, in the same run.
    @Test func aLinkThatIsRefusedIsNoEnd() async throws {
        try await RunningLab.use(devices: 20) { lab in
            let source = "mde-software-vulnerabilities"
            let rig = try await Self.rig(lab, source, try Self.library(lab, source, pageSize: 40))
            try await Self.fail(lab, "skiptoken", after: 1)
            #expect((await rig.run()).sources[0].error != nil)
            _ = try await lab.control("POST", "/lab/faults/clear")
            _ = try await lab.control("POST", "/lab/faults", #"{"path":"skiptoken","times":1,"status":400}"#)
            let whole = await rig.run()
            #expect(whole.failures.map(\.rendered) == [])
            #expect(whole.sources[0].counts.repeated == 0)
            #expect(try Self.count(rig, "DeviceTvmSoftwareVulnerabilities") == whole.sources[0].counts.read)
            await rig.connections.close()
        }
    }

    /// A page in the middle that always fails: the others come, it is told of, and nothing counts as gone.
    @Test func aPageThatAlwaysFailsDoesNotStopTheOthers() async throws {
        try await RunningLab.use(devices: 55) { lab in
            let library = try Self.library(lab, "mde-machines", pageSize: 10)
            let rig = try await Self.rig(lab, "mde-machines", library)
            #expect((await rig.run()).failures.map(\.rendered) == [])
            let all = try Self.count(rig, "MDEMachines_CL")
            lab.lab.clock.advance(days: 8)
            try await Self.fail(lab, "$skip=20")
            let rough = await rig.run()
            #expect(
                rough.failures.count == 1 && rough.failures[0].rendered.contains("page 3"),
                "\(rough.failures.map(\.rendered))")
            let counts = rough.sources[0].counts
            #expect(counts.read == all - 10 && counts.removed == 0)
            #expect(counts.snapshot + counts.changed == all - 10)
            #expect(try Self.count(rig, "MDEMachines_CL") == all + counts.kept)
            _ = try await lab.control("POST", "/lab/faults/clear")
            // Its rows are as old as before, so the weekly copy of everything is still to come.
            let calm = await rig.run()
            #expect(calm.failures.map(\.rendered) == [])
            #expect(calm.sources[0].counts.snapshot + calm.sources[0].counts.changed == all)
            await rig.connections.close()
        }
    }

    /// Behind a page that never comes there is no link to the next: what came before it is kept after the second try.
    @Test func whatCameBeforeAPageThatNeverComesIsKept() async throws {
        try await RunningLab.use(devices: 30) { lab in
            let source = "mde-software-vulnerabilities"
            let rig = try await Self.rig(lab, source, try Self.library(lab, source, pageSize: 40))
            try await Self.fail(lab, "skiptoken", after: 2)
            #expect((await rig.run()).sources[0].error != nil)
            #expect(try Self.count(rig, "DeviceTvmSoftwareVulnerabilities") == 0)
            let second = await rig.run()
            #expect(second.failures.count == 1)
            #expect(try Self.count(rig, "DeviceTvmSoftwareVulnerabilities") == 120)
            _ = try await lab.control("POST", "/lab/faults/clear")
            let third = await rig.run()
            #expect(third.failures.map(\.rendered) == [])
            #expect(third.sources[0].counts.added + 120 == third.sources[0].counts.read)
            await rig.connections.close()
        }
    }

    /// Pages that come twice, in another order, or without the link to the next.
    @Test func pagesThatAreNotAsTheyShouldBe() async throws {
        try await RunningLab.use(devices: 120) { lab in
            let source = "mde-software-vulnerabilities"
            let table = "DeviceTvmSoftwareVulnerabilities"
            let rig = try await Self.rig(lab, source, try Self.library(lab, source, pageSize: 100))
            #expect((await rig.run()).failures.map(\.rendered) == [])
            let all = try Self.count(rig, table)
            func page(_ path: String) async throws -> Bag {
                let place = "\(lab.cloud)/\(lab.lab.options.identity.tenant)/oauth2/v2.0/token"
                let form = try await lab.send(
                    "POST", place, lab.tokenForm, headers: [("Content-Type", "application/x-www-form-urlencoded")])
                #expect(form.status == 200, "\(form)")
                let token = try JSONReader.parse(form.body).bagValue?["access_token"]?.text ?? ""
                let answer = try await lab.send(
                    "GET", lab.cloud + path, headers: [("Authorization", "Bearer \(token)")])
                #expect(answer.status == 200, "\(path) \(answer.status)")
                return try #require(try JSONReader.parse(answer.body).bagValue)
            }
            func answer(_ path: String, _ body: Bag, times: Int = 1) async throws {
                let fault = Bag([
                    ("path", .string(path)), ("times", .long(Int64(times))), ("status", .long(200)),
                    ("body", .string(JSONWriter.string(.bag(body)))),
                ])
                _ = try await lab.control("POST", "/lab/faults", JSONWriter.string(.bag(fault)))
            }
            let base = "/api/machines/SoftwareVulnerabilitiesByMachine?pageSize=100"
            let first = try await page(base)
            let second = try await page(String((first["@odata.nextLink"]?.text ?? "").dropFirst(lab.cloud.count)))
            let end = try #require(second["@odata.nextLink"])

            // The first page comes twice: its rows count once.
            var twice = first
            twice["@odata.nextLink"] = .string(lab.cloud + base + "&again=1")
            try await answer("pageSize=100", twice)
            try await answer("again=1", first)
            var report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(
                report.sources[0].counts.unchanged == all && report.sources[0].counts.repeated == 100
                    && report.sources[0].counts.removed == 0)

            // The second page before the first.
            var (early, late) = (second, first)
            early["@odata.nextLink"] = .string(lab.cloud + base + "&late=1")
            late["@odata.nextLink"] = end
            try await answer("pageSize=100", early)
            try await answer("late=1", late)
            report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources[0].counts.unchanged == all && report.sources[0].counts.removed == 0)

            // A full page without a link is asked for once more.
            var short = first
            short["@odata.nextLink"] = nil
            try await answer("pageSize=100", short)
            report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources[0].counts.unchanged == all && report.sources[0].counts.removed == 0)

            // When it stays without, most rows seem to be gone: that is believed only when runs agree for most of a day.
            try await answer("pageSize=100", short, times: 2)
            report = await rig.run()
            #expect(report.failures.count == 1 && report.failures[0].rendered.contains("far fewer"))
            #expect(report.sources[0].counts.removed == 0)
            report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources[0].counts.unchanged == all && report.sources[0].counts.removed == 0)
            for gone in [0, 0, all - 100] {
                try await answer("pageSize=100", short, times: 2)
                report = await rig.run()
                #expect(report.sources[0].counts.removed == gone)
                lab.lab.clock.advance(hours: 10)
            }
            #expect(report.failures.map(\.rendered) == [])
            await rig.connections.close()
        }
    }

    /// Rows that are gone are told of by the values of their keys, however long ago they were stored.
    @Test func whatIsGoneIsNamed() async throws {
        try await RunningLab.use(devices: 60) { lab in
            let rig = try await Rig(lab, only: ["mde-software-vulnerabilities"])
            #expect((await rig.run()).failures.map(\.rendered) == [])
            var removed = 0
            for _ in 0..<10 {
                lab.lab.clock.advance(days: 1)
                let report = await rig.run()
                #expect(report.failures.map(\.rendered) == [])
                removed += report.sources[0].counts.removed
            }
            #expect(removed > 10)
            let key = "DeviceId, SoftwareVendor, SoftwareName, SoftwareVersion, CveId"
            let named = try rig.query(
                "DeviceTvmSoftwareVulnerabilities | where ChangeType == 'Removed' | join kind=inner (DeviceTvmSoftwareVulnerabilities | where ChangeType == 'Added' | distinct \(key)) on \(key) | count"
            )
            #expect(named == [[.long(Int64(removed))]])
            await rig.connections.close()
        }
    }
}
