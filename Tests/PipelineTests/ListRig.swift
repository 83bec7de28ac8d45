import Foundation
import Lab
import Pipeline
import Tables
import TestKit
import Workspace

/// Collects one public list again and again into a workspace of its own.
struct ListRig {
    private let rig: Rig
    private let clock: LabClock
    private static let keyframeDays = 7

    /// - Parameter place: the list's address, file or folder.
    init(_ lab: RunningLab, _ source: String, _ place: String, name: String) async throws {
        var configuration = lab.configuration
        configuration.workspace = "\(lab.folder)/\(name).vestige"
        configuration.sinks = []
        configuration.feeds[source] = place
        rig = try await Rig(lab, configuration, only: [source])
        clock = lab.lab.clock
    }

    /// What happened, in few words.
    struct Outcome {
        let counts: ChangeCounts
        let notes: String
        /// The error as a person reads it; empty when all went well.
        let error: String
    }

    func collect(allowsEmpty: Bool = false) async throws -> Outcome {
        let clock = clock
        let collector = Collector(
            workspace: rig.workspace, library: rig.library, sinks: [], keyframeDays: Self.keyframeDays,
            allowsEmpty: allowsEmpty
        ) { clock.now }
        let report = await collector.run(rig.connections.endpoints)
        guard let outcome = report.sources.first else { throw NoOutcome() }
        return Outcome(
            counts: outcome.counts, notes: outcome.notes.joined(separator: "\n"), error: outcome.error?.rendered ?? "")
    }

    private struct NoOutcome: Error {}

    /// A question's answer as texts.
    func texts(_ query: String) throws -> [[String]] { try rig.query(query).map { $0.map(\.text) } }

    func close() async { await rig.connections.close() }
}
