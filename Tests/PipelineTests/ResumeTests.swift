import Content
import Foundation
import Tables
import TestKit
import Testing

@testable import Pipeline

/// What a run leaves behind for the next one, and what is not taken for it.
@Suite struct ResumeTests {
    private static let cursors: [Cursor] = [
        .start, .skip(rows: 20_000), .page(number: 3), .link(address: "https://x.example/a?$skiptoken=1", page: 2),
        .token(text: "abc", page: 2), .device(done: "d1"), .division(parts: 16, next: 3),
        .window(from: 639_079_200_000_000_000, step: 864_000_000_000), .files(snapshot: "s", read: ["a", "b"]),
    ]

    @Test(arguments: cursors) func aCursorComesBackAsItWas(_ cursor: Cursor) throws {
        var run = RunProgress(started: 1, isKeyframe: true, definition: "d")
        run.cursor = cursor
        run.gaps = [Gap(from: 1, to: 2)]
        run.lost = ["a page"]
        (run.parts, run.latest, run.unknown) = (8, 7, ["f"])
        let stored = try RunProgress(stored: run.text)
        #expect(stored.cursor == cursor)
        #expect(stored.text == run.text)
        // One line of JSON, as the workspace keeps it.
        #expect(try JSON(parsing: run.text)["definition"] == "d")
    }

    @Test(arguments: [
        #"{"started":1,"keyframe":true,"cursor":{"skip":20000},"pages":1,"bytes":1,"counts":[1,1,0,0,0,0,0],"definition":"d"}"#,
        #"{"started":1}"#, "not JSON", "", "null",
    ])
    func whatAnotherVersionLeftIsAnError(_ text: String) {
        #expect(throws: (any Error).self) { try RunProgress(stored: text) }
    }

    @Test func aRunThatAnotherVersionLeftBeginsAnewAndSaysSo() async throws {
        try await RunningLab.use(devices: 30, otDevices: 3) { lab in
            var configuration = lab.configuration
            configuration.sinks = []
            let library = try Overlay.library(in: lab.folder, sources: ["mde-machines": Overlay.set("pageSize", "10")])
            let rig = try await Rig(lab, configuration, only: ["mde-machines"], library: library)
            try rig.workspace.stage(
                nil, of: "mde-machines", started: 1, progress: #"{"started":1,"cursor":{"skip":20}}"#, isCoded: true
            ) { _ in [] }
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources[0].counts.read == 30)
            #expect(report.sources[0].notes.contains { $0.contains("begins anew") })
        }
    }

    /// A place of another kind of paging is an error, whatever the kind.
    @Test func aForeignCursorIsAnError() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            var configuration = lab.configuration
            configuration.sinks = []
            configuration.managers = [configuration.sensors[0]]
            configuration.managers[0].name = "console"
            configuration.tenant?.subscriptions = []
            configuration.tenant?.managementHost = lab.cloud
            configuration.investigation.devices = [String(repeating: "a", count: 40)]
            var met: Set<PagingKind> = []
            for exports in [ExportPreference.pages, .files] {
                configuration.exports = exports
                let rig = try await Rig(lab, configuration, only: Repository.library().sources.map(\.id))
                for endpoint in rig.connections.endpoints {
                    let fetcher = PageFetcher(endpoint: endpoint, now: lab.lab.clock.now)
                    let kind = type(of: fetcher.paging).kind
                    guard met.insert(kind).inserted else { continue }
                    let foreign: Cursor = kind == .skip ? .page(number: 1) : .skip(rows: 1)
                    await #expect(throws: OperatorError.self, "\(kind)") {
                        try await fetcher.pages(from: foreign) { _ in Issue.record("\(kind) went on") }
                    }
                }
            }
            #expect(met == Set(PagingKind.allCases))
        }
    }

    @Test func gapsThatTouchBecomeOne() {
        var run = RunProgress(started: 1, isKeyframe: true, definition: "d")
        for gap in [Gap(from: 10, to: 20), Gap(from: 15, to: 30), Gap(from: 40, to: 50)] { run.add(gap) }
        #expect(run.gaps == [Gap(from: 10, to: 30), Gap(from: 40, to: 50)])
    }

    @Test func aCheckpointKeepsWhatTheNextRunNeeds() {
        var checkpoint = Checkpoint(nil)
        (checkpoint.run, checkpoint.since, checkpoint.full, checkpoint.parts) = (1, 2, 3, 4)
        checkpoint.gap = Gap(from: 5, to: 6)
        let read = Checkpoint(checkpoint.text)
        #expect(read.run == 1 && read.since == 2 && read.full == 3 && read.parts == 4)
        #expect(read.gap == checkpoint.gap && read.keyframe == nil)
        // What an earlier version wrote is understood.
        #expect(Checkpoint(#"{"keyframe":1,"run":2,"latest":null,"doubted":false,"reported":[]}"#).run == 2)
    }
}
