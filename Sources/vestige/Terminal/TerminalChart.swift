import KQL
import KQLEngine
import Tables

/// A chart that a terminal can show: bars for categories, a line of Braille dots for time.
struct TerminalChart {
    private struct Series {
        let name: String
        var points: [(x: Double, y: Double)] = []
    }

    private let table: ResultTable
    private let render: RenderSpec
    private let width: Int
    private let hasColor: Bool
    private let isLine: Bool
    private let isScatter: Bool
    private let x: Int
    private let ys: [Int]
    private let split: Int?
    /// Bars, and lines of a line chart, at most.
    private static let barsMax = 40
    private static let lineRows = 12
    private static let colors = [36, 33, 35, 32, 34, 31]
    private static let marks = ["█", "▓", "▒", "░", "▚", "▞"]

    /// - Parameter width: the terminal's columns.
    /// - Returns: nil when the result is better read as a table.
    init?(_ table: ResultTable, _ render: RenderSpec?, width: Int?, hasColor: Bool) {
        guard let render, let width, width >= 40, table.count > 0 else { return nil }
        guard let kind = ChartKind(named: render.kind), kind.shape == .categories || kind.shape == .series else {
            return nil
        }
        self.table = table
        self.render = render
        self.width = min(width, 160)
        self.hasColor = hasColor
        isLine = kind.shape == .series
        isScatter = kind == .scatter
        let columns = table.schema.columns
        func named(_ property: String) -> [Int] {
            (render[property] ?? "").split(separator: ",").compactMap { name in
                columns.firstIndex { $0.name == name.drop { $0 == " " } }
            }
        }
        let isTime = isLine
        guard
            let x = named("xcolumn").first
                ?? (isTime
                    ? columns.firstIndex { $0.type == .datetime } ?? columns.firstIndex { $0.type.isNumeric }
                    : columns.indices.first)
        else { return nil }
        if isTime, columns[x].type != .datetime, !columns[x].type.isNumeric { return nil }
        self.x = x
        let chosen = named("ycolumns")
        ys = (chosen.isEmpty ? columns.indices.filter { $0 != x && columns[$0].type.isNumeric } : chosen).filter {
            $0 != x
        }
        split = named("series").first ?? columns.indices.first { $0 != x && columns[$0].type == .string }
        if ys.isEmpty { return nil }
    }

    func text() throws -> TerminalText {
        let title: TerminalText = render["title"].map { "\($0)\n" } ?? ""
        return title + (isLine ? try lines() : try bars())
    }

    private func paint(_ text: String, _ i: Int) -> TerminalText {
        TerminalText(line: text).styled(hasColor ? Self.colors[i % Self.colors.count] : nil)
    }

    private static func number(_ d: Double) -> String {
        if d == d.rounded(), d.magnitude < 1e15 { return Human.count(Int(d)) }
        let hundredths = (d.magnitude * 100).rounded()
        guard hundredths < 1e15 else { return RealText.format(d) }
        let fraction = Int(hundredths) % 100
        let digits = fraction % 10 == 0 ? "\(fraction / 10)" : fraction < 10 ? "0\(fraction)" : "\(fraction)"
        return (d < 0 ? "-" : "") + Human.count(Int(hundredths) / 100) + "." + digits
    }

    private static func real(_ value: Value) -> Double? {
        guard case .real(let d) = value.converted(to: .real), d.isFinite else { return nil }
        return d
    }

    // MARK: Bars

    private func bars() throws -> TerminalText {
        let rows = try table.rows()
        let shown = rows.prefix(Self.barsMax)
        let values = shown.map { row in ys.map { Self.real(row[$0]) ?? 0 } }
        let top = values.joined().max() ?? 0
        let labels = shown.map { row in
            SteeringCharacters.replaced(
                in: split.map { $0 == x ? row[x].text : "\(row[x].text) \(row[$0].text)" } ?? row[x].text)
        }
        let labelWidth = min(labels.map(\.count).max() ?? 0, width / 3)
        let numbers = values.map { $0.map(Self.number) }
        let numberWidth = numbers.joined().map(\.count).max() ?? 0
        let room = max(10, width - labelWidth - numberWidth - 4)
        var out: TerminalText = ""
        for (r, label) in labels.enumerated() {
            let cut = label.count > labelWidth ? label.prefix(max(labelWidth - 1, 0)) + "…" : label[...]
            for c in ys.indices {
                let left =
                    c == 0
                    ? cut + String(repeating: " ", count: labelWidth - cut.count)
                    : String(repeating: " ", count: labelWidth)[...]
                let pad = String(repeating: " ", count: numberWidth - numbers[r][c].count)
                out += "\(left)  \(pad)\(numbers[r][c])  \(paint(Self.bar(values[r][c], top, room, c), c))\n"
            }
        }
        if rows.count > shown.count { out += "… and \(Human.count(rows.count - shown.count)) more\n" }
        if ys.count > 1 { out += legend(ys.map { table.schema[$0].name }) }
        return out
    }

    /// A bar to the eighth of a cell; of several columns, each has a pattern of its own.
    private static func bar(_ value: Double, _ top: Double, _ room: Int, _ c: Int) -> String {
        guard top > 0, value > 0 else { return "" }
        let eighths = Int((value / top * Double(room * 8)).rounded())
        let whole = String(repeating: marks[c % marks.count], count: eighths / 8)
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        return c == 0 ? whole + (whole.isEmpty && eighths == 0 ? "▏" : parts[eighths % 8]) : whole
    }

    private func legend(_ names: [String]) -> TerminalText {
        names.prefix(12).enumerated().map { paint("\(isLine ? "●" : Self.marks[$0 % Self.marks.count]) \($1)", $0) }
            .joined(separator: "   ") + "\n"
    }

    // MARK: Lines

    private func series() throws -> [Series] {
        var all: [Series] = []
        var places: [String: Int] = [:]
        for row in try table.rows() {
            let at: Double
            if case .datetime(let ticks) = row[x] {
                at = Double(ticks)
            } else if let d = Self.real(row[x]) {
                at = d
            } else {
                continue
            }
            for y in ys {
                guard let value = Self.real(row[y]) else { continue }
                let name =
                    split.map { ys.count > 1 ? "\(row[$0].text):\(table.schema[y].name)" : row[$0].text }
                    ?? table.schema[y].name
                if places[name] == nil {
                    places[name] = all.count
                    all.append(Series(name: name))
                }
                all[places[name] ?? 0].points.append((at, value))
            }
        }
        return all.map { one in
            var one = one
            one.points.sort { $0.x < $1.x }
            return one
        }
    }

    private func lines() throws -> TerminalText {
        let all = try series()
        let points = all.flatMap(\.points)
        guard let firstX = points.map(\.x).min(), let lastX = points.map(\.x).max(), let maxY = points.map(\.y).max(),
            let minY = points.map(\.y).min()
        else { return "nothing to draw\n" }
        let low = min(0, minY)
        let high = maxY > low ? maxY : low + 1
        let axis = [Self.number(high), Self.number((high + low) / 2), Self.number(low)]
        let margin = axis.map(\.count).max() ?? 1
        var canvas = BrailleCanvas(columns: width - margin - 3, rows: Self.lineRows)
        func place(_ p: (x: Double, y: Double)) -> (Int, Int) {
            let fx = lastX > firstX ? (p.x - firstX) / (lastX - firstX) : 0.5
            return (
                Int((fx * Double(canvas.dotsWide - 1)).rounded()),
                Int(((high - p.y) / (high - low) * Double(canvas.dotsHigh - 1)).rounded())
            )
        }
        for (i, one) in all.enumerated() {
            var before: (Int, Int)?
            for p in one.points {
                let now = place(p)
                canvas.line(from: isScatter ? now : before ?? now, to: now, series: i)
                before = now
            }
        }
        var out: TerminalText = ""
        for r in 0..<Self.lineRows {
            let label = r == 0 ? axis[0] : r == Self.lineRows / 2 ? axis[1] : r == Self.lineRows - 1 ? axis[2] : ""
            let pad = String(repeating: " ", count: margin - label.count)
            out += "\(pad)\(label) ┤\(canvas.row(r, paint: paint))\n"
        }
        let isTime = table.schema[x].type == .datetime
        func end(_ d: Double) -> String {
            isTime ? String(DateTime.format(Int64(d)).prefix(16)).replacing("T", with: " ") : Self.number(d)
        }
        let gap = max(1, width - margin - 3 - end(firstX).count - end(lastX).count)
        let (lead, between) = (String(repeating: " ", count: margin + 2), String(repeating: " ", count: gap))
        out += "\(lead)\(end(firstX))\(between)\(end(lastX))\n"
        out += legend(all.map(\.name))
        if all.count > 12 { out += "… and \(all.count - 12) more series\n" }
        return out
    }
}

/// Dots of two by four in every cell (Unicode's Braille patterns).
struct BrailleCanvas {
    let columns: Int
    let rows: Int
    private var dots: [UInt8]
    private var owner: [Int]

    init(columns: Int, rows: Int) {
        self.columns = max(columns, 4)
        self.rows = rows
        dots = Array(repeating: 0, count: self.columns * rows)
        owner = Array(repeating: 0, count: self.columns * rows)
    }

    var dotsWide: Int { columns * 2 }
    var dotsHigh: Int { rows * 4 }

    private mutating func dot(_ x: Int, _ y: Int, _ series: Int) {
        guard x >= 0, y >= 0, x < dotsWide, y < dotsHigh else { return }
        let cell = y / 4 * columns + x / 2
        let bits: [[UInt8]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]
        dots[cell] |= bits[x % 2][y % 4]
        owner[cell] = series
    }

    /// A straight line of dots.
    mutating func line(from a: (Int, Int), to b: (Int, Int), series: Int) {
        let steps = max(abs(b.0 - a.0), abs(b.1 - a.1), 1)
        for s in 0...steps {
            dot(a.0 + (b.0 - a.0) * s / steps, a.1 + (b.1 - a.1) * s / steps, series)
        }
    }

    func row(_ r: Int, paint: (String, Int) -> TerminalText) -> TerminalText {
        var out: TerminalText = ""
        for c in 0..<columns {
            let cell = r * columns + c
            guard dots[cell] != 0, let scalar = Unicode.Scalar(0x2800 + UInt32(dots[cell])) else {
                out += " "
                continue
            }
            out += paint(String(Character(scalar)), owner[cell])
        }
        return out
    }
}
