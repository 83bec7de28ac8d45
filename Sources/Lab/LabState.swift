import Foundation
import Hummingbird
import Synchronization
import Tables

/// Who may ask the lab for tokens.
package struct LabIdentity: Sendable {
    package var tenant = "6f1d6d6a-0000-4000-8000-1ab000000001"
    package var client = "6f1d6d6a-0000-4000-8000-1ab000000002"
    package var secret = "lab-client-secret"
    /// The application that people sign in to, and its API.
    package var webClient = "6f1d6d6a-0000-4000-8000-1ab000000004"
    package var webSecret = "lab-web-secret"
    /// The API's Application ID URI.
    package var webAudience: String { "api://" + webClient }
    package var sensorToken = "5e4507000000000000000000000000ab"
    /// What an app on App Service must show to get the app's tokens.
    package var appHeader = "lab-identity-header"
    /// Secrets of the lab's Key Vault.
    package var vault = ["client": "lab-client-secret"]
    /// The workspace that still takes the Data Collector API, and its key.
    package var workspace = "6f1d6d6a-0000-4000-8000-1ab000000003"
    package var workspaceKey = "bGFiLXdvcmtzcGFjZS1rZXk="
    package var dataCollectionRule = "dcr-1ab00000000000000000000000000001"

    package init() {}
}

/// Records that the ingestion endpoint took in.
struct ReceivedBatch: Sendable {
    let stream: String
    let records: [Value]
}

/// What all routes share.
final class LabState: Sendable {
    let world: World
    let identity: LabIdentity
    let issuer: TokenIssuer
    let assertions = AssertionCheck()
    let keys = SigningKeys()
    let web = WebApplication()
    let feeds = FeedStore()
    let tokenLifetimeSeconds: Int
    let exportFileRows: Int
    let hunting: HuntingLimits
    let huntingForm: HuntingForm
    private let shared = Mutex(Shared())

    private struct Shared {
        var faults: [Fault] = []
        /// What became of the faults before the last time they were cleared.
        var clearedFaults: [FaultTally] = []
        var clearings = 0
        var withheldRoles: Set<String> = []
        var arcKeyFile: String?
        var poison: String?
        var parts: [String: [[UInt8]]] = [:]
        var sasExpiry: Int?
        var pendingCopies = 0
        var emptyPart: Int?
        var requests: [String] = []
        var received: [ReceivedBatch] = []
        var rules: [CollectionRule] = []
        var clusterTables: Set<String> = []
        var callLimits = CallLimits()
        var blobs: [String: [UInt8]] = [:]
        var tags: Set<String> = []
        var eventCache: [String: (hour: Int64, body: [UInt8])] = [:]
    }

    init(
        world: World, identity: LabIdentity, issuer: TokenIssuer, tokenLifetimeSeconds: Int, exportFileRows: Int,
        hunting: HuntingLimits, huntingForm: HuntingForm
    ) {
        self.world = world
        self.identity = identity
        self.issuer = issuer
        self.tokenLifetimeSeconds = tokenLifetimeSeconds
        self.exportFileRows = exportFileRows
        self.hunting = hunting
        self.huntingForm = huntingForm
    }

    var withheldRoles: Set<String> { shared.withLock { $0.withheldRoles } }
    func withhold(_ roles: Set<String>) { shared.withLock { $0.withheldRoles = roles } }

    /// The file by which a caller proves to the Arc agent that it may have tokens; nil where no agent runs.
    var arcKeyFile: String? { shared.withLock { $0.arcKeyFile } }
    func set(arcKeyFile: String) { shared.withLock { $0.arcKeyFile = arcKeyFile } }

    /// A text for which the ingestion endpoint refuses a whole call, as for a record that it cannot read; nil for none.
    var poison: String? { shared.withLock { $0.poison } }
    func set(poison: String?) { shared.withLock { $0.poison = poison } }

    /// The files of an export, made once for each snapshot.
    func parts(of snapshot: String, _ make: () -> [[UInt8]]) -> [[UInt8]] {
        if let known = shared.withLock({ $0.parts[snapshot] }) { return known }
        let made = make()
        if !made.isEmpty { shared.withLock { $0.parts[snapshot] = made } }
        return made
    }

    /// When signed addresses end, in Unix seconds; nil for as long as was asked for.
    var sasExpiry: Int? { shared.withLock { $0.sasExpiry } }
    func set(sasExpiry: Int?) { shared.withLock { $0.sasExpiry = sasExpiry } }

    /// How many downloads come before the storage has copied its files: they are empty.
    func set(pendingCopies: Int) { shared.withLock { $0.pendingCopies = pendingCopies } }
    func takePendingCopy() -> Bool {
        shared.withLock { state in
            guard state.pendingCopies > 0 else { return false }
            state.pendingCopies -= 1
            return true
        }
    }

    /// The part of every export that stays without a byte; nil for none.
    var emptyPart: Int? { shared.withLock { $0.emptyPart } }
    func set(emptyPart: Int?) { shared.withLock { $0.emptyPart = emptyPart } }

    /// Method, path and query of the requests that came in, the lab's own controls left out.
    var requests: [String] { shared.withLock { $0.requests } }
    func note(request: String) {
        shared.withLock { state in
            if state.requests.count >= Self.requestsMax { state.requests.removeFirst(Self.requestsMax / 2) }
            state.requests.append(request)
        }
    }
    private static let requestsMax = 20_000

    func signature(_ part: Int, _ end: Int) -> String { Hex.string(world.fleet.dice.roll(part, end, 88), width: 16) }

    func add(_ fault: Fault) { shared.withLock { $0.faults.append(fault) } }

    /// The fault that applies to a request, counted down.
    func fault(for path: String) -> Fault? {
        shared.withLock { state in
            guard
                let i = state.faults.firstIndex(where: {
                    path.lowercased().contains($0.path.lowercased()) && $0.times > 0
                })
            else { return nil }
            if state.faults[i].after > 0 {
                state.faults[i].after -= 1
                return nil
            }
            state.faults[i].times -= 1
            state.faults[i].met += 1
            return state.faults[i]
        }
    }

    func keep(blob name: String, _ bytes: [UInt8]) { shared.withLock { $0.blobs[name] = bytes } }
    func blob(_ name: String) -> [UInt8]? { shared.withLock { $0.blobs[name] } }
    /// Whether a tag was not there before; it is now.
    func isNew(tag: String) -> Bool { shared.withLock { $0.tags.insert(tag).inserted } }

    /// Leaves out the faults that have not happened yet.
    func clearFaults() {
        shared.withLock {
            $0.clearedFaults += $0.faults.map(\.tally)
            $0.faults.removeAll()
            $0.clearings += 1
        }
    }

    /// How often the faults were cleared; whoever is held back waits for the next time.
    var clearings: Int { shared.withLock { $0.clearings } }

    /// In the order in which they were asked for.
    var faultTallies: [FaultTally] { shared.withLock { $0.clearedFaults + $0.faults.map(\.tally) } }

    /// Makes a data collection rule, or adds streams to one.
    ///
    /// - Returns: the rule's immutable id.
    func declare(rule name: String, id: String?, _ streams: [String: [String: String]]) throws(CollectionRule.Refusal)
        -> String
    {
        let result: Result<String, CollectionRule.Refusal> = shared.withLock { state in
            let known = state.rules.firstIndex { $0.name == name }
            var rule =
                known.map { state.rules[$0] } ?? CollectionRule(name: name, id: id ?? Self.newID(state.rules.count))
            rule.streams.merge(streams) { _, new in new }
            if let refusal = rule.refusal { return .failure(refusal) }
            if let known { state.rules[known] = rule } else { state.rules.append(rule) }
            return .success(rule.id)
        }
        return try result.get()
    }

    private static func newID(_ count: Int) -> String {
        "dcr-1ab000000000000000000000000001" + Hex.string(UInt64(count), width: 2)
    }

    /// What a call to the ingestion endpoint may hold.
    var callLimits: CallLimits { shared.withLock { $0.callLimits } }
    func set(callLimits: CallLimits) { shared.withLock { $0.callLimits = callLimits } }

    func rule(named name: String) -> CollectionRule? { shared.withLock { $0.rules.first { $0.name == name } } }
    func rule(id: String) -> CollectionRule? { shared.withLock { $0.rules.first { $0.id == id } } }

    /// Tables of the simulated Kusto database.
    func declare(clusterTables: Set<String>) { shared.withLock { $0.clusterTables.formUnion(clusterTables) } }
    func hasClusterTable(_ name: String) -> Bool { shared.withLock { $0.clusterTables.contains(name) } }

    func keep(_ batch: ReceivedBatch) { shared.withLock { $0.received.append(batch) } }
    func forgetReceived() {
        shared.withLock {
            $0.received.removeAll()
            $0.blobs.removeAll()
            $0.tags.removeAll()
        }
    }
    var received: [ReceivedBatch] { shared.withLock { $0.received } }

    /// An answer that stays the same for an hour, as the sensor's event timeline does.
    func cached(_ key: String, hour: Int64, _ make: () -> [UInt8]) -> [UInt8] {
        shared.withLock { state in
            if let known = state.eventCache[key], known.hour == hour { return known.body }
            let body = make()
            state.eventCache[key] = (hour, body)
            return body
        }
    }
}

/// HTTP answers.
enum Reply {
    static func json(_ body: JSON, status: Int = 200, headers: [(String, String)] = []) -> Response {
        raw(body.bytes, status: status, headers: headers)
    }

    /// Rows, as they came or as a query gave them.
    @_disfavoredOverload
    static func json(_ value: Value, status: Int = 200, headers: [(String, String)] = []) -> Response {
        var bytes: [UInt8] = []
        JSONWriter.append(value, to: &bytes)
        return raw(bytes, status: status, headers: headers)
    }

    static func raw(
        _ bytes: [UInt8], status: Int = 200, type: String = "application/json; charset=utf-8",
        headers: [(String, String)] = []
    ) -> Response {
        var fields = HTTPFields()
        fields[.contentType] = type
        for (name, value) in headers { if let field = HTTPFields.Element.Name(name) { fields[field] = value } }
        return Response(status: .init(code: status), headers: fields, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// An error as the Defender for Endpoint API writes it.
    static func defenderError(_ status: Int, _ code: String, _ message: String, headers: [(String, String)] = [])
        -> Response
    {
        json(
            [
                "error": [
                    "code": .string(code), "message": .string(message),
                    "target": .string("|" + UUID().uuidString.lowercased()),
                ]
            ], status: status, headers: headers)
    }
}
