import Content
import Lab
import Pipeline
import Tables
import TestKit
import Testing

/// What a tenant's answers look like on the wire makes no difference to what is stored and sent.
@Suite(.serialized) struct WireFormTests {
    private static let standing: Int64 = 639_079_200_000_000_000

    private static var sources: [SourceDefinition] {
        Repository.library().sources.filter { $0.service == .graphHunting && !$0.isOnDemand }
    }

    private static func rig(_ lab: RunningLab, _ workspace: String) async throws -> Rig {
        var configuration = lab.configuration
        configuration.workspace = workspace
        configuration.sinks = []
        return try await Rig(lab, configuration, only: sources.map(\.id))
    }

    @Test func bothFormsOfHuntingAnswersGiveTheSameRows() async throws {
        try await RunningLab.use(devices: 30, standing: Self.standing) { captured in
            let path = captured.folder + "/both.vestige"
            let first = try await Self.rig(captured, path)
            let report = await first.run()
            #expect(report.failures.map(\.rendered) == [])
            // Nothing is taken for a new field or for a cell that cannot be read, and nothing is left over.
            #expect(report.sources.flatMap(\.notes) == [])
            for table in Set(Self.sources.map(\.table)).sorted() {
                let found = try first.query("\(table) | summarize count(), countif(isnotnull(Unmapped))")
                #expect(found[0][0] != .long(0) && found[0][1] == .long(0), "\(table): \(found)")
            }
            let context = try first.query(
                """
                DeviceTvmSecureConfigurationAssessment
                | where ConfigurationId == 'scid-2011'
                | summarize count(), countif(gettype(Context[0]) == 'array' and isnotempty(tostring(Context[0][0])))
                """
            )
            #expect(context[0][0] == context[0][1] && context[0][0] != .long(0))
            await first.connections.close()
            try await RunningLab.use(devices: 30, standing: Self.standing, huntingForm: .documented) { documented in
                let second = try await Self.rig(documented, path)
                let again = await second.run()
                #expect(again.failures.map(\.rendered) == [])
                #expect(again.sources.map(\.counts.kept) == again.sources.map { _ in 0 })
                #expect(again.sources.allSatisfy { $0.counts.read > 0 || $0.source.hasPrefix("mde-other") })
                await second.connections.close()
            }
        }
    }
}
