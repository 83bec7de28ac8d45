import Content
import Tables

/// A device that is to be looked at for traces of an attack, since what it carries is attacked, can be automated and
/// gives everything,
/// from where it can be reached: the cells of BOD 26-04 that ask for forensic triage. An investigation begins with it.
package struct InvestigationCall: Sendable, Equatable {
    package let device: String
    package let deviceName: String
    package let cve: String
    /// Ticks; since when it is asked for. Nil when the hole is closed and nobody gave a verdict yet.
    package let since: Int64?

    /// Until when the scope, the volatile evidence and the verdict are due.
    package var clock: ForensicClock? { since.map(ForensicClock.init) }
}

extension Triage {
    /// The devices that call for an investigation at a time, the oldest call first.
    ///
    /// - Throws: `QueryError` and `ContentProblem`, as `decide` does.
    package func investigationCalls(at time: Int64) throws -> [InvestigationCall] {
        var request = Request(at: time)
        request.models = forensicModels
        if request.models.isEmpty { return [] }
        request.onlyKnownExploited = true
        return try decide(request).filter(\.opensInvestigation).map { decision in
            InvestigationCall(
                device: decision.device, deviceName: decision.deviceName, cve: decision.cve,
                since: decision.forensics?.since)
        }.sorted { ($0.since ?? 0, $0.device, $0.cve) < ($1.since ?? 0, $1.device, $1.cve) }
    }
}
