import Forensics
import Workbooks

/// Devices as lanes along one axis of time: what was done as dots, harm as squares, gaps as rings, what held as
/// triangles, movements as arrows; under each lane how protection stood. Devices of the plant lie below a line.
struct CaseLanes {
    private let story: CaseStory
    /// Ticks.
    private let start: Int64
    private let end: Int64
    /// The devices that were reached first come first, those of the plant last.
    private let devices: [CaseSummary.Device]

    /// Lanes of one picture. Further devices follow in pictures of their own, which are folded.
    static let lanesMax = 40
    private static let (left, right, laneHeight, top) = (190.0, 968.0, 32.0, 26.0)

    /// - Returns: nil when there is nothing to draw.
    init?(_ story: CaseStory) {
        let acts = story.standing.map(\.claim.time) + story.summary.devices.map(\.firstSign)
        guard let first = acts.min(), let last = acts.max(), !story.summary.devices.isEmpty else { return nil }
        let span = max(last - first, Span.hour)
        start = first - span / 10
        end = last + span / 20
        let known = story.summary.devices
        devices = known.filter { !$0.isPlant } + known.filter(\.isPlant)
        self.story = story
    }

    /// All devices: the first picture in sight, the others one click away.
    var markup: Markup {
        let parts = stride(from: 0, to: devices.count, by: Self.lanesMax).map {
            $0..<min($0 + Self.lanesMax, devices.count)
        }
        return parts.enumerated().map { i, part in
            let name = "devices \(part.lowerBound + 1) to \(part.upperBound) of \(devices.count)"
            let picture = region(name) { drawing(Array(devices[part])) }
            guard parts.count > 1 else { return picture }
            if i == 0 {
                return picture + Markup(.p, [.class: "note"]) { "Drawn: \(name), those reached first. The others:" }
            }
            return Markup(.details) {
                Markup(.summary) { name.prefix(1).uppercased() + name.dropFirst() }
                picture
            }
        }.joined() + legend
    }

    private func region(_ name: String, _ content: () -> Markup) -> Markup {
        Markup(
            .div, [.class: "lanes", .role: "region", .tabindex: "0", .ariaLabel: "Lanes of \(name)"], content: content)
    }

    private func x(_ time: Int64) -> Double {
        let share = Double(min(max(time, start), end) - start) / Double(end - start)
        return Self.left + share * (Self.right - Self.left)
    }

    private func drawing(_ shown: [CaseSummary.Device]) -> Markup {
        let firstPlant = shown.firstIndex(where: \.isPlant)
        var lanes: [String: Double] = [:]
        for (i, device) in shown.enumerated() {
            let below = firstPlant.map { i >= $0 && $0 > 0 } == true ? 14.0 : 0
            lanes[device.name] = Self.top + Double(i) * Self.laneHeight + below
        }
        let bottom = Self.top + Double(shown.count) * Self.laneHeight + (firstPlant.map { $0 > 0 } == true ? 14 : 0)
        let sentence =
            "\(shown.count) devices over time, from \(TextReport.time(start)) to \(TextReport.time(end)) UTC; the "
            + "tables on this page hold the same"
        return Markup(
            .svg, [.viewBox: "0 0 980 \(coordinate(bottom + 14))", .role: "img", .ariaLabel: sentence]
        ) {
            axis(bottom)
            if let firstPlant, firstPlant > 0 { conduit(Self.top + Double(firstPlant) * Self.laneHeight - 8) }
            for device in shown { if let y = lanes[device.name] { lane(device, y) } }
            for item in story.standing where item.claim.kind == .movement { arrow(item.claim, lanes) }
            for item in story.standing { if let y = lanes[item.claim.subject] { sign(item.claim, y) } }
        }
    }

    private func axis(_ bottom: Double) -> Markup {
        (0...4).map { i in
            let time = start + (end - start) / 4 * Int64(i)
            let place = coordinate(x(time))
            let anchor = i == 0 ? "start" : i == 4 ? "end" : "middle"
            return Markup(
                empty: .line, [.x1: place, .x2: place, .y1: "16", .y2: coordinate(bottom), .class: "tick"])
                + Markup(.text, [.x: place, .y: "11", .textAnchor: anchor, .class: "axis"]) {
                    String(TextReport.time(time).dropFirst(5).dropLast(3)) + (i == 0 ? " UTC" : "")
                }
        }.joined()
    }

    private func conduit(_ y: Double) -> Markup {
        Markup(
            empty: .line,
            [
                .x1: "4", .x2: coordinate(Self.right), .y1: coordinate(y), .y2: coordinate(y), .class: "conduit",
            ]) + Markup(.text, [.x: "4", .y: coordinate(y + 12), .class: "axis"]) { "plant" }
    }

    private func lane(_ device: CaseSummary.Device, _ y: Double) -> Markup {
        let (left, right) = (coordinate(Self.left), coordinate(Self.right))
        let name = device.name.count > 27 ? device.name.prefix(26) + "…" : device.name[...]
        return Markup(.text, [.x: "4", .y: coordinate(y + 4)]) {
            String(name)
            if name != device.name { Markup(.title) { device.name } }
        }
            + Markup(empty: .line, [.x1: left, .x2: right, .y1: coordinate(y), .y2: coordinate(y), .class: "lane"])
            + band(device, y + 10)
    }

    /// How protection stood: a thick band where a gap was open, a thin one where none was, dots where nobody knows.
    private func band(_ device: CaseSummary.Device, _ y: Double) -> Markup {
        let states = story.summary.posture.filter { $0.device == device.id }.sorted { $0.from < $1.from }
        var out = Markup()
        let known = states.first.map { max($0.from, start) } ?? end
        if known > start {
            out += Markup(
                .line,
                [
                    .x1: coordinate(x(start)), .x2: coordinate(x(known)), .y1: coordinate(y), .y2: coordinate(y),
                    .class: "unknown",
                ]
            ) { Markup(.title) { "\(device.name): no row tells how protection stood" } }
        }
        for (i, state) in states.enumerated() {
            let until = i + 1 < states.count ? states[i + 1].from : end
            guard until > start, state.from < end else { continue }
            let (from, to) = (x(max(state.from, start)), x(until))
            let isOff = !state.off.isEmpty
            let isKnown = isOff || !state.on.isEmpty
            let said = isOff ? "off or open: \(state.off.joined(separator: ", "))" : isKnown ? "on" : "not known"
            let height = isOff ? 6.0 : 3.0
            out += Markup(
                .rect,
                [
                    .x: coordinate(from), .y: coordinate(y - height / 2), .width: coordinate(max(to - from, 1)),
                    .height: coordinate(height), .class: isOff ? "off" : isKnown ? "on" : "unknown",
                ]
            ) { Markup(.title) { "\(device.name) from \(TextReport.time(state.from)): \(said)" } }
        }
        return out
    }

    private func arrow(_ claim: Claim, _ lanes: [String: Double]) -> Markup {
        guard let from = lanes[claim.subject], let to = lanes[claim.object] else { return Markup() }
        let place = x(claim.time)
        let back = to > from ? -7.0 : 7.0
        let head = [(place, to), (place - 4, to + back), (place + 4, to + back)]
        return Markup(
            .line,
            [
                .x1: coordinate(place), .x2: coordinate(place), .y1: coordinate(from), .y2: coordinate(to),
                .class: "move",
            ]
        ) { Markup(.title) { "\(claim.subject) to \(claim.object) \(TextReport.time(claim.time))" } }
            + Markup(empty: .polygon, [.points: Self.points(head), .class: "head"])
    }

    private static func points(_ points: [(Double, Double)]) -> String {
        points.map { "\(coordinate($0.0)),\(coordinate($0.1))" }.joined(separator: " ")
    }

    private func sign(_ claim: Claim, _ y: Double) -> Markup {
        let place = x(claim.time)
        let told = Markup(.title) {
            "\(claim.facts[.title] ?? claim.object) on \(claim.subject) \(TextReport.time(claim.time))"
        }
        switch claim.kind {
        case .technique, .entry:
            return Markup(.circle, [.cx: coordinate(place), .cy: coordinate(y), .r: "2.5", .class: "act"]) { told }
        case .harm: return Self.square(place, y, told)
        case .cause:
            return Markup(.circle, [.cx: coordinate(place), .cy: coordinate(y), .r: "6", .class: "gap"]) { told }
        case .prevented: return Self.triangle(place, y, told)
        case .movement: return Markup()
        }
    }

    private static func square(_ x: Double, _ y: Double, _ content: Markup) -> Markup {
        Markup(.rect, [.x: coordinate(x - 4), .y: coordinate(y - 4), .width: "8", .height: "8", .class: "harm"]) {
            content
        }
    }

    private static func triangle(_ x: Double, _ y: Double, _ content: Markup) -> Markup {
        let corners = [(x, y - 5), (x + 5, y + 4), (x - 5, y + 4)]
        return Markup(.polygon, [.points: points(corners), .class: "held"]) { content }
    }

    private var legend: Markup {
        func entry(_ text: String, _ sign: Markup) -> Markup {
            Markup(.li) {
                Markup(.svg, [.viewBox: "0 0 16 12", .ariaHidden: "true"]) { sign }
                text
            }
        }
        func bar(_ height: Double, _ name: String) -> Markup {
            Markup(
                empty: .rect,
                [.x: "0", .y: coordinate(6 - height / 2), .width: "16", .height: coordinate(height), .class: name])
        }
        return Markup(.ul, [.class: "legend"]) {
            entry("done", Markup(empty: .circle, [.cx: "8", .cy: "6", .r: "2.5", .class: "act"]))
            entry("harm", Self.square(8, 6, Markup()))
            entry("a gap that mattered", Markup(empty: .circle, [.cx: "8", .cy: "6", .r: "5", .class: "gap"]))
            entry("held", Self.triangle(8, 6, Markup()))
            entry("moved", Markup(empty: .line, [.x1: "8", .x2: "8", .y1: "0", .y2: "12", .class: "move"]))
            entry("protection off or flaw open", bar(6, "off"))
            entry("protection on", bar(3, "on"))
            entry(
                "not known", Markup(empty: .line, [.x1: "0", .x2: "16", .y1: "6", .y2: "6", .class: "unknown"]))
        }
    }
}
