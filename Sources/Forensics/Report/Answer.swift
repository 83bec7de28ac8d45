import Tables

/// The neutral form of an investigation's answer.
package enum Answer {
    package static func json(_ result: Investigation) -> JSON {
        func rows(_ rows: [RowReference]) -> JSON {
            .array(
                rows.sorted().prefix(20).map { row in
                    [
                        "table": .string(row.table), "deviceId": .string(row.device),
                        "timestamp": .string(DateTime.format(row.time)), "reportId": .integer(row.report),
                    ]
                })
        }
        func texts(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }
        var answer = JSON.Members()
        answer["verdict"] = .string(result.verdict.rawValue)
        answer["rootCauses"] = .array(
            result.causes.map { cause in
                [
                    "device": .string(result.name(cause.device)), "technique": texts(cause.techniques),
                    "control": .string(cause.control), "class": .string(cause.kind.rawValue),
                    "proof": .string(cause.proof.rawValue), "because": .string(cause.because),
                    "state": cause.state.map {
                        [
                            "shown": .string($0.shown), "observed": .string(DateTime.format($0.observed)),
                            "table": .string($0.table),
                        ]
                    } ?? .null, "evidence": rows(cause.rows),
                ]
            })
        if let entry = result.entry {
            answer["entry"] = [
                "device": .string(result.name(entry.device)), "time": .string(DateTime.format(entry.time)),
                "technique": texts(entry.techniques), "vector": .string(entry.vector), "evidence": rows(entry.rows),
            ]
        }
        answer["chain"] = .array(
            result.movements.map { movement in
                [
                    "from": .string(result.name(movement.from)), "to": .string(result.name(movement.to)),
                    "time": .string(DateTime.format(movement.time)), "technique": .string(movement.technique),
                    "account": .string(movement.account), "how": .string(movement.how),
                    "evidence": rows(movement.rows.map(\.reference)),
                ]
            })
        answer["havoc"] = .array(
            result.harm.map { harm in
                [
                    "device": .string(result.name(harm.device)), "technique": texts(harm.techniques),
                    "time": .string(DateTime.format(harm.time)), "what": .string(harm.what),
                    "evidence": rows(harm.rows),
                ]
            })
        answer["prevented"] = .array(
            result.held.map { held in
                [
                    "device": .string(result.name(held.device)), "technique": .string(held.technique),
                    "control": .string(held.control), "time": .string(DateTime.format(held.time)),
                    "evidence": rows([held.row]),
                ]
            })
        answer["marks"] = .array(
            result.marks.map { mark in
                [
                    "hunt": .string(mark.hunt.slug), "device": .string(result.name(mark.row.device)),
                    "time": .string(DateTime.format(mark.row.time)), "evidence": rows([mark.row.reference]),
                ]
            })
        answer["setAside"] = .object(
            JSON.Members(result.setAside.sorted { $0.key < $1.key }.map { ($0.key, .integer(Int64($0.value))) }))
        answer["unknowns"] = texts(result.unknowns)
        return .object(answer)
    }
}
