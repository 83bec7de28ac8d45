import KQL
import Tables

/// The rows that a user-analytics plugin looks at: who, when, and which combination of dimensions.
///
/// Times of every type are held as numbers of their smallest unit.
private struct Activity {
    struct Event {
        let time: Double
        let id: Value
        let dimensions: [Value]
    }

    var events: [Event] = []
    let type: ScalarType

    static func number(_ v: Value) -> Double? {
        switch v {
        case .datetime(let t), .timespan(let t): Double(t)
        default: v.doubleValue
        }
    }

    func value(_ t: Double) -> Value {
        switch type {
        case .datetime: .datetime(Int64(t.whole(in: 0...Int(DateTime.maximum))))
        case .timespan: .timespan(Int64(t.whole(in: Int.min...Int.max)))
        case .real: .real(t)
        default: .long(Int64(t.whole(in: Int.min...Int.max)))
        }
    }

    /// The combinations of dimensions in the order they come, each with its events.
    var slices: [(dimensions: [Value], events: [Event])] {
        var order: [[Value]] = []
        var groups: [[Value]: [Event]] = [:]
        for e in events {
            if groups[e.dimensions] == nil { order.append(e.dimensions) }
            groups[e.dimensions, default: []].append(e)
        }
        return order.map { ($0, groups[$0] ?? []) }
    }
}

/// Periods of equal length, or calendar ones.
private struct Periods {
    let start: Double
    let step: Double
    /// `week`, `month` or `year` instead of a length.
    let calendar: String?
    /// Whether periods are counted from `start` or from zero.
    var fromZero = false

    func floor(_ t: Double) -> Double {
        if let calendar, let ticks = t.whole, let at = ScalarFunctions.startOfPeriod(calendar, ticks) {
            return Double(at)
        }
        if fromZero { return (t / step).rounded(.down) * step }
        return start + ((t - start) / step).rounded(.down) * step
    }

    func next(_ t: Double) -> Double {
        guard let calendar else { return t + step }
        let days: Double = calendar == "week" ? 7 : calendar == "month" ? 31 : 366
        return floor(t + days * Double(DateTime.ticksPerDay))
    }

    /// The periods from the first to the one that holds `end`.
    func all(through end: Double) -> [Double] {
        var out: [Double] = []
        var t = floor(start)
        while t <= end, out.count < 100_000 {
            out.append(t)
            t = next(t)
        }
        return out
    }
}

extension Executor {
    private func events(_ input: Plan, _ arguments: PluginArguments, dimensionsFrom first: Int) throws -> Activity {
        guard let who = arguments.expression(0), let when = arguments.expression(1) else {
            throw QueryError.runtime("the plugin needs an ID column and a timeline column")
        }
        let all = try table(input)
        let ids = try evaluator.column(who, all)
        let times = try evaluator.column(when, all)
        let dimensions = try arguments.rest(from: first).map { try evaluator.column($0, all) }
        var activity = Activity(type: when.type)
        for row in 0..<all.count {
            try Interrupted.check()
            guard let t = Activity.number(times[row]), !ids[row].isNull else { continue }
            activity.events.append(.init(time: t, id: ids[row], dimensions: dimensions.map { $0[row] }))
        }
        return activity
    }

    private func number(_ arguments: PluginArguments, _ i: Int, _ what: String) throws -> Double {
        guard let v = try arguments.constant(i, evaluator).flatMap(Activity.number) else {
            throw QueryError.runtime("the plugin's argument \(i + 1), \(what), must be a constant number or time")
        }
        return v
    }

    private func periods(_ arguments: PluginArguments, start: Double, step i: Int, fromZero: Bool = false) throws
        -> Periods
    {
        if case .string(let name)? = try arguments.constant(i, evaluator) {
            return Periods(start: start, step: 1, calendar: name, fromZero: false)
        }
        let step = try number(arguments, i, "the step")
        guard step > 0 else { throw QueryError.runtime("the plugin's step must be more than zero") }
        return Periods(start: start, step: step, calendar: nil, fromZero: fromZero)
    }

    func activityPlugin(_ name: String, _ input: Plan, _ arguments: PluginArguments, _ schema: Schema) throws -> Batch {
        let rows: [[Value]] =
            switch name {
            case "activity_counts_metrics": try activityCounts(input, arguments)
            case "sliding_window_counts": try slidingCounts(input, arguments)
            case "session_count": try sessionCount(input, arguments)
            case "active_users_count": try activeUsers(input, arguments)
            case "activity_metrics": try activityMetrics(input, arguments)
            case "activity_engagement": try activityEngagement(input, arguments)
            default: try newActivityMetrics(input, arguments)
            }
        return Batch(schema: schema, rows: rows)
    }

    private func activityCounts(_ input: Plan, _ arguments: PluginArguments) throws -> [[Value]] {
        let (start, end) = (try number(arguments, 2, "the start"), try number(arguments, 3, "the end"))
        let periods = try periods(arguments, start: start, step: 4)
        let activity = try events(input, arguments, dimensionsFrom: 5)
        var rows: [[Value]] = []
        for slice in activity.slices {
            var seen = Set<Value>()
            let windows = Dictionary(grouping: slice.events.filter { $0.time >= start && $0.time <= end }) {
                periods.floor($0.time)
            }
            for at in windows.keys.sorted() {
                let ids = Set((windows[at] ?? []).map(\.id))
                let fresh = ids.subtracting(seen).count
                seen.formUnion(ids)
                rows.append(
                    [activity.value(at)] + slice.dimensions
                        + [windows[at]?.count ?? 0, ids.count, fresh, seen.count].map { .long(Int64($0)) })
            }
        }
        return rows
    }

    private func slidingCounts(_ input: Plan, _ arguments: PluginArguments) throws -> [[Value]] {
        let (start, end) = (try number(arguments, 2, "the start"), try number(arguments, 3, "the end"))
        let lookback = try number(arguments, 4, "the lookback window")
        let periods = try periods(arguments, start: start, step: 5)
        let activity = try events(input, arguments, dimensionsFrom: 6)
        let width = periods.calendar == nil ? max(1, (lookback / periods.step).rounded(.down)) * periods.step : lookback
        var rows: [[Value]] = []
        for slice in activity.slices {
            for at in periods.all(through: end) {
                try Interrupted.check()
                let until = periods.next(at)
                let inside = slice.events.filter { $0.time < until && $0.time >= until - width }
                if inside.isEmpty { continue }
                rows.append(
                    [activity.value(at)] + slice.dimensions
                        + [inside.count, Set(inside.map(\.id)).count].map { .long(Int64($0)) })
            }
        }
        return rows
    }

    /// A session starts when an ID was not seen for the lookback window.
    private func sessionCount(_ input: Plan, _ arguments: PluginArguments) throws -> [[Value]] {
        let (start, end) = (try number(arguments, 2, "the start"), try number(arguments, 3, "the end"))
        let periods = try periods(arguments, start: start, step: 4, fromZero: true)
        let lookback = try number(arguments, 5, "the lookback window")
        let activity = try events(input, arguments, dimensionsFrom: 6)
        var rows: [[Value]] = []
        for slice in activity.slices {
            var counts: [Double: Int] = [:]
            var last: [Value: Double] = [:]
            for e in slice.events.sorted(by: { $0.time < $1.time }) {
                let isNew = last[e.id].map { e.time - $0 >= lookback } ?? true
                last[e.id] = e.time
                if isNew, e.time >= start, e.time <= end { counts[periods.floor(e.time), default: 0] += 1 }
            }
            rows += counts.keys.sorted().map {
                [activity.value($0)] + slice.dimensions + [.long(Int64(counts[$0] ?? 0))]
            }
        }
        return rows
    }

    private func activeUsers(_ input: Plan, _ arguments: PluginArguments) throws -> [[Value]] {
        let (start, end) = (try number(arguments, 2, "the start"), try number(arguments, 3, "the end"))
        let lookback = try number(arguments, 4, "the lookback window")
        let period = try number(arguments, 5, "the period")
        let least = try number(arguments, 6, "the number of active periods").whole(in: 0...Int(Int32.max))
        let periods = try periods(arguments, start: start, step: 7)
        let activity = try events(input, arguments, dimensionsFrom: 8)
        guard period > 0 else { throw QueryError.runtime("the plugin's period must be more than zero") }
        var rows: [[Value]] = []
        for slice in activity.slices {
            var fans: [Double: Set<Value>] = [:]
            let byID = Dictionary(grouping: slice.events, by: \.id)
            for (id, own) in byID {
                for e in own where e.time >= start && e.time <= end {
                    try Interrupted.check()
                    let window = own.filter { $0.time > e.time - lookback && $0.time <= e.time }
                    if Set(window.map { ($0.time / period).rounded(.down) }).count >= least {
                        fans[periods.floor(e.time), default: []].insert(id)
                    }
                }
            }
            rows += fans.keys.sorted().map {
                [activity.value($0)] + slice.dimensions + [.long(Int64(fans[$0]?.count ?? 0))]
            }
        }
        return rows
    }

    /// Whether the optional start and end stand before the window: they do when the third argument is of the timeline's
    /// type.
    private func span(_ arguments: PluginArguments, _ activity: (Int) throws -> Activity, windows: Int) throws
        -> (activity: Activity, start: Double, end: Double, first: Int)
    {
        let timeline = arguments.expression(1)?.type
        if arguments.expression(2)?.type == timeline, arguments.expression(3)?.type == timeline,
            arguments.count >= 4 + windows
        {
            return (
                try activity(4 + windows), try number(arguments, 2, "the start"), try number(arguments, 3, "the end"), 4
            )
        }
        let all = try activity(2 + windows)
        return (all, all.events.map(\.time).min() ?? 0, all.events.map(\.time).max() ?? 0, 2)
    }

    private func activityMetrics(_ input: Plan, _ arguments: PluginArguments) throws -> [[Value]] {
        let (activity, start, end, first) = try span(
            arguments, { try self.events(input, arguments, dimensionsFrom: $0) }, windows: 1)
        let periods = try periods(arguments, start: start, step: first)
        var rows: [[Value]] = []
        for slice in activity.slices {
            let windows = Dictionary(grouping: slice.events.filter { $0.time >= start && $0.time <= end }) {
                periods.floor($0.time)
            }
            var before: Set<Value>?
            for at in windows.keys.sorted() {
                let ids = Set((windows[at] ?? []).map(\.id))
                let kept = before.map { Double($0.intersection(ids).count) / Double($0.count) } ?? .nan
                let fresh = before.map { ids.subtracting($0).count } ?? ids.count
                rows.append(
                    [activity.value(at), .long(Int64(ids.count)), .long(Int64(fresh)), .real(kept), .real(1 - kept)]
                        + slice.dimensions)
                before = ids
            }
        }
        return rows
    }

    private func activityEngagement(_ input: Plan, _ arguments: PluginArguments) throws -> [[Value]] {
        let (activity, start, end, first) = try span(
            arguments, { try self.events(input, arguments, dimensionsFrom: $0) }, windows: 2)
        let periods = try periods(arguments, start: start, step: first)
        let outer = try number(arguments, first + 1, "the outer window")
        var rows: [[Value]] = []
        for slice in activity.slices {
            for at in periods.all(through: end) {
                let until = periods.next(at)
                let inner = Set(slice.events.filter { $0.time >= at && $0.time < until }.map(\.id)).count
                let wide = Set(slice.events.filter { $0.time >= until - outer && $0.time < until }.map(\.id)).count
                if wide == 0 { continue }
                rows.append(
                    [activity.value(at), .long(Int64(inner)), .long(Int64(wide)), .real(Double(inner) / Double(wide))]
                        + slice.dimensions)
            }
        }
        return rows
    }

    private func newActivityMetrics(_ input: Plan, _ arguments: PluginArguments) throws -> [[Value]] {
        let (start, end) = (try number(arguments, 2, "the start"), try number(arguments, 3, "the end"))
        let periods = try periods(arguments, start: start, step: 4)
        let hasCohort = arguments.expression(5).map { $0.isConstant } ?? false
        let cohort = hasCohort ? try number(arguments, 5, "the cohort") : nil
        let activity = try events(input, arguments, dimensionsFrom: hasCohort ? 6 : 5)
        var rows: [[Value]] = []
        for slice in activity.slices {
            let inside = slice.events.filter { $0.time >= start && $0.time <= end }
            let windows = Dictionary(grouping: inside) { periods.floor($0.time) }.mapValues { Set($0.map(\.id)) }
            let times = periods.all(through: end)
            var seen = Set<Value>()
            for (i, from) in times.enumerated() {
                let fresh = (windows[from] ?? []).subtracting(seen)
                seen.formUnion(windows[from] ?? [])
                if fresh.isEmpty || (cohort.map { periods.floor($0) != from } ?? false) { continue }
                for (j, to) in times.enumerated() where j >= i {
                    try Interrupted.check()
                    let there = windows[to] ?? []
                    let kept = there.intersection(fresh).count
                    let new = i == j ? fresh.count : there.subtracting(seen).count
                    let rate = Double(kept) / Double(fresh.count)
                    rows.append(
                        [
                            activity.value(from), activity.value(to), .long(Int64(new)), .long(Int64(kept)),
                            .long(Int64(fresh.count - kept)),
                            .real(rate), .real(1 - rate),
                        ] + slice.dimensions)
                }
            }
        }
        return rows
    }
}
