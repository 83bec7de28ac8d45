import Forensics
import Workbooks

/// Devices as lanes along one axis of time: harm as filled marks, causes as rings, movements as lines.
enum DeviceLanes {
    /// Lanes that a picture has at most; the devices that were reached first.
    private static let lanesMax = 40
    private static let (left, right, laneHeight) = (180.0, 960.0, 26.0)
    private static let (alarm, link, faint) = ("#d03b3b", "#2a78d6", "#8886")

    static func drawing(_ result: Investigation) -> Markup {
        let devices = result.devices.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key).prefix(lanesMax)
        let times =
            result.marks.map(\.row.time) + result.harm.map(\.time) + result.movements.map(\.time)
            + result.devices.values
        guard let first = times.min(), let last = times.max() else { return Markup() }
        let span = Double(max(last - first, Span.minute))
        func x(_ time: Int64) -> Double { left + Double(time - first) / span * (right - left) }
        let lanes = Dictionary(
            uniqueKeysWithValues: devices.enumerated().map { ($1, 24 + Double($0) * laneHeight) })
        let bottom = 24 + Double(devices.count) * laneHeight
        let box = "0 0 980 \(coordinate(bottom + 16))"
        return Markup(
            .svg, [.viewBox: box, .role: "img", .ariaLabel: "What happened on each device over time"]
        ) {
            for device in devices { if let y = lanes[device] { lane(result.name(device), y) } }
            for move in result.movements {
                if let from = lanes[move.from], let to = lanes[move.to] { movement(x(move.time), from, to) }
            }
            for mark in result.marks {
                if let y = lanes[mark.row.device] {
                    Markup(
                        empty: .circle,
                        [.cx: coordinate(x(mark.row.time)), .cy: coordinate(y), .r: "2.5", .fill: "#888"])
                }
            }
            for harm in result.harm {
                if let y = lanes[harm.device] {
                    Markup(
                        .rect,
                        [
                            .x: coordinate(x(harm.time) - 4), .y: coordinate(y - 4), .width: "8", .height: "8",
                            .fill: alarm,
                        ]
                    ) { Markup(.title) { "\(harm.what) \(TextReport.time(harm.time))" } }
                }
            }
            for cause in result.causes {
                if let y = lanes[cause.device] {
                    Markup(
                        .circle,
                        [.cx: coordinate(x(cause.time)), .cy: coordinate(y), .r: "6", .fill: "none", .stroke: alarm]
                    ) { Markup(.title) { "\(cause.control) \(TextReport.time(cause.time))" } }
                }
            }
            Markup(.text, [.x: coordinate(left), .y: coordinate(bottom + 6)]) { TextReport.time(first) }
            Markup(.text, [.x: coordinate(right), .y: coordinate(bottom + 6), .textAnchor: "end"]) {
                TextReport.time(last)
            }
        }
    }

    private static func lane(_ name: String, _ y: Double) -> Markup {
        Markup(
            empty: .line,
            [.x1: coordinate(left), .x2: coordinate(right), .y1: coordinate(y), .y2: coordinate(y), .stroke: faint])
            + Markup(.text, [.x: "4", .y: coordinate(y + 4)]) { String(name.prefix(26)) }
    }

    private static func movement(_ x: Double, _ from: Double, _ to: Double) -> Markup {
        Markup(
            empty: .line,
            [
                .x1: coordinate(x), .x2: coordinate(x), .y1: coordinate(from), .y2: coordinate(to), .stroke: link,
                .strokeWidth: "1.5",
            ])
    }
}
