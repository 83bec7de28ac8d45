import Hummingbird
import Tables

/// The lab's own controls: its clock, faults, withheld roles, and what it received.
struct LabControlRoutes: Sendable {
    let lab: LabState
    private static let bodyBytesMax = 16 << 20

    func add(to router: Router<BasicRequestContext>) {
        addClock(to: router)
        addFaults(to: router)
        addTenant(to: router)
        addIngestion(to: router)
        addReceived(to: router)
    }

    private static let done = JSON.object([:])

    private func addClock(to router: Router<BasicRequestContext>) {
        router.post("/lab/clock/advance") { request, _ in
            lab.world.clock.advance(days: Int(request.uri.queryParameters["days"] ?? "1") ?? 1)
            return Reply.json(time)
        }
        router.get("/lab/clock") { _, _ in Reply.json(time) }
    }

    private var time: JSON {
        let clock = lab.world.clock
        return ["day": .integer(Int64(clock.day)), "now": .string(DateTime.format(clock.now))]
    }

    private func addFaults(to router: Router<BasicRequestContext>) {
        router.post("/lab/faults") { request, _ in
            guard let fault = try await body(request), fault.members != nil else {
                return Reply.json(.null, status: 400)
            }
            lab.add(Fault(fault))
            return Reply.json(Self.done)
        }
        router.get("/lab/faults") { _, _ in
            Reply.json(
                .array(
                    lab.faultTallies.map { fault in
                        [
                            "path": .string(fault.path), "met": .integer(Int64(fault.met)),
                            "left": .integer(Int64(fault.left)),
                        ]
                    }))
        }
        router.post("/lab/faults/clear") { _, _ in
            lab.clearFaults()
            return Reply.json(Self.done)
        }
        router.post("/lab/poison") { request, _ in
            lab.set(poison: try await body(request)?.string)
            return Reply.json(Self.done)
        }
    }

    private func addTenant(to router: Router<BasicRequestContext>) {
        router.post("/lab/roles/withhold") { request, _ in
            lab.withhold(Set((try await body(request)?.array ?? []).compactMap(\.string)))
            return Reply.json(Self.done)
        }
        router.post("/lab/exports") { request, _ in
            let settings = try await body(request)
            lab.set(sasExpiry: settings?["sasExpiry"]?.integer.map { Int($0) })
            lab.set(pendingCopies: Int(settings?["pendingCopies"]?.integer ?? 0))
            lab.set(emptyPart: settings?["emptyPart"]?.integer.map { Int($0) })
            return Reply.json(Self.done)
        }
    }

    private func addIngestion(to router: Router<BasicRequestContext>) {
        // Lower limits of the ingestion endpoint than the documented ones, as something on the way may have.
        router.post("/lab/limits") { request, _ in
            let given = try await body(request)
            var limits = CallLimits()
            if let bytes = given?["bytes"]?.integer { limits.bytes = Int(bytes) }
            if let records = given?["records"]?.integer { limits.records = Int(records) }
            lab.set(callLimits: limits)
            return Reply.json(Self.done)
        }
        // A rule's streams, `{stream: {column: type}}`; of the rule that `?rule=` names.
        router.put("/lab/dcr") { request, _ in
            guard let given = try await body(request)?.members else { return Reply.json(.null, status: 400) }
            let streams = zip(given.names, given.values).compactMap { name, columns in
                columns.members.map { members in
                    let types = zip(members.names, members.values).compactMap { column, type in
                        type.string.map { (column, $0) }
                    }
                    return (name, Dictionary(types) { _, last in last })
                }
            }
            let name = request.uri.queryParameters["rule"].map { String($0) } ?? CollectionRule.mainName
            let id = name == CollectionRule.mainName ? lab.identity.dataCollectionRule : nil
            do throws(CollectionRule.Refusal) {
                let id = try lab.declare(rule: name, id: id, Dictionary(streams) { _, last in last })
                return Reply.json(["immutableId": .string(id)])
            } catch {
                return Reply.json(
                    ["error": ["code": .string(error.code), "message": .string(error.message)]], status: 400)
            }
        }
    }

    private func addReceived(to router: Router<BasicRequestContext>) {
        router.post("/lab/received/clear") { _, _ in
            lab.forgetReceived()
            return Reply.json(Self.done)
        }
        router.get("/lab/received") { _, _ in
            let counts = Dictionary(lab.received.map { ($0.stream, $0.records.count) }, uniquingKeysWith: +)
            let sorted = counts.sorted { $0.key < $1.key }
            return Reply.json(.object(JSON.Members(sorted.map { ($0.key, .integer(Int64($0.value))) })))
        }
        router.get("/lab/received/:stream") { _, context in
            let stream = try context.parameters.require("stream")
            return Reply.json(Value.array(lab.received.filter { $0.stream == stream }.flatMap(\.records)))
        }
    }

    /// A request's body; nil when it is no JSON.
    private func body(_ request: Request) async throws -> JSON? {
        let bytes = try await request.body.collect(upTo: Self.bodyBytesMax)
        return try? JSON(parsing: Array(bytes.readableBytesView))
    }
}
