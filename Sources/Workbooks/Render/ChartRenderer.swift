import Foundation
import KQLEngine
import Tables

/// Charts as SVG that follows the page's theme.
struct ChartRenderer {
    let data: ChartData
    let settings: Bag
    let height: Double
    private let width = 720.0
    private let left = 44.0
    private let bottom = 26.0
    private let top = 8.0

    init(_ table: ResultTable, settings: Bag, height: Double) throws {
        data = try ChartData(table, settings: settings)
        self.settings = settings
        self.height = height
    }

    private func color(_ i: Int) -> String {
        let labels = settings["seriesLabelSettings"]?.arrayValue?.compactMap(\.bagValue) ?? []
        if i < data.series.count,
            let own = labels.first(where: { $0["seriesName"]?.stringValue == data.series[i].name })?["color"]?
                .stringValue,
            let known = Palette.color(own)
        {
            return known
        }
        return Palette.series[i % Palette.series.count]
    }

    private func name(_ i: Int) -> String {
        let labels = settings["seriesLabelSettings"]?.arrayValue?.compactMap(\.bagValue) ?? []
        return labels.first { $0["seriesName"]?.stringValue == data.series[i].name }?["label"]?.stringValue
            ?? data.series[i].name
    }

    private func legend(isSum: Bool = true) -> String {
        guard data.series.count > 1 || isSum else { return "" }
        let entries = data.series.indices.map { i -> String in
            let value = isSum ? data.series[i].total : data.series[i].points.last?.y ?? 0
            return
                "<li><i style=\"background:\(color(i))\"></i><span>\(Markup.escape(name(i)))</span><b>\(NumberText.format(value, Bag([("unit", .long(17))])))</b></li>"
        }
        return "<ul class=\"legend\">\(entries.joined())</ul>"
    }

    private struct Scale {
        let low: Double
        let high: Double
        let from: Double
        let to: Double
        func callAsFunction(_ d: Double) -> Double {
            high == low ? from : from + (d - low) / (high - low) * (to - from)
        }
    }

    /// Round steps for an axis from zero to `high`.
    static func ticks(_ high: Double) -> [Double] {
        guard high > 0 else { return [0, 1] }
        let raw = high / 4
        let power = pow(10, floor(log10(raw)))
        let step = [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= raw } ?? raw
        return (0...Int((high / step).rounded(.up))).map { Double($0) * step }
    }

    private func frame(_ y: Scale, _ ticks: [Double], _ body: String, _ xLabels: String) -> String {
        var out =
            "<svg class=\"chart\" viewBox=\"0 0 \(coordinate(width)) \(coordinate(height))\" role=\"img\" preserveAspectRatio=\"none\">"
        for t in ticks {
            let at = coordinate(y(t))
            out +=
                "<line class=\"rule\" x1=\"\(coordinate(left))\" x2=\"\(coordinate(width))\" y1=\"\(at)\" y2=\"\(at)\"/><text class=\"axis\" x=\"\(coordinate(left - 6))\" y=\"\(at)\" dy=\"4\" text-anchor=\"end\">\(NumberText.format(t, Bag([("unit", .long(17))])))</text>"
        }
        return out + body + xLabels + "</svg>"
    }

    /// Lines or stacked areas over time.
    func lines(isArea: Bool) -> String {
        var floor: [Double: Double] = [:]
        var stacks: [[(x: Double, low: Double, high: Double)]] = []
        let everyX = isArea ? Set(data.series.flatMap { $0.points.map(\.x) }).sorted() : []
        for s in data.series {
            var points = s.points
            if isArea {
                // In a stack, a series without a value at some time counts as nothing there.
                let own = Dictionary(points.map { ($0.x, $0.y) }, uniquingKeysWith: +)
                points = everyX.map { ($0, own[$0] ?? 0) }
            }
            stacks.append(
                points.map { p in
                    let low = isArea ? floor[p.x] ?? 0 : 0
                    floor[p.x] = low + p.y
                    return (p.x, low, low + p.y)
                })
        }
        let xs = stacks.flatMap { $0.map(\.x) }
        guard let first = xs.min(), let last = xs.max() else { return "" }
        let ticks = Self.ticks(stacks.flatMap { $0.map(\.high) }.max() ?? 1)
        let y = Scale(low: 0, high: ticks[ticks.count - 1], from: height - bottom, to: top)
        let x = Scale(low: first, high: last, from: left + 4, to: width - 6)
        var body = ""
        for (i, points) in stacks.enumerated() {
            let line = points.map { "\(coordinate(x($0.x))),\(coordinate(y($0.high)))" }
            if isArea {
                let base = points.reversed().map { "\(coordinate(x($0.x))),\(coordinate(y($0.low)))" }
                body +=
                    "<polygon points=\"\((line + base).joined(separator: " "))\" fill=\"\(color(i))\" opacity=\".75\"/>"
            } else {
                body +=
                    "<polyline points=\"\(line.joined(separator: " "))\" fill=\"none\" stroke=\"\(color(i))\" stroke-width=\"2\" vector-effect=\"non-scaling-stroke\"/>"
            }
            for p in points where points.count <= 60 && p.high > p.low {
                body +=
                    "<circle class=\"dot\" cx=\"\(coordinate(x(p.x)))\" cy=\"\(coordinate(y(p.high)))\" r=\"3\" fill=\"\(color(i))\"><title>\(Markup.escape(name(i))): \(NumberText.plain(p.high - p.low, 2))\n\(when(p.x))</title></circle>"
            }
        }
        return frame(y, ticks, body, timeLabels(first, last, x)) + legend(isSum: isArea)
    }

    /// Bars stacked over time or category.
    func bars(isStacked: Bool) -> String {
        let places =
            data.isTime
            ? Array(Set(data.series.flatMap { $0.points.map(\.x) })).sorted() : data.categories.indices.map(Double.init)
        guard !places.isEmpty else { return "" }
        let index = Dictionary(places.enumerated().map { ($1, $0) }) { first, _ in first }
        var sums = [Double](repeating: 0, count: places.count)
        for s in data.series {
            for p in s.points { if let i = index[p.x] { sums[i] = isStacked ? sums[i] + p.y : max(sums[i], p.y) } }
        }
        let ticks = Self.ticks(sums.max() ?? 1)
        let y = Scale(low: 0, high: ticks[ticks.count - 1], from: height - bottom, to: top)
        let slot = (width - left - 6) / Double(places.count)
        let bar = min(slot * 0.72, 46)
        var floor = [Double](repeating: 0, count: places.count)
        var body = ""
        for (s, series) in data.series.enumerated() {
            for p in series.points {
                guard let i = index[p.x] else { continue }
                let lanes = isStacked ? 1 : Double(data.series.count)
                let x = left + 4 + slot * Double(i) + (slot - bar) / 2 + (isStacked ? 0 : bar / lanes * Double(s))
                let low = isStacked ? floor[i] : 0
                floor[i] = low + p.y
                body +=
                    "<rect x=\"\(coordinate(x))\" y=\"\(coordinate(y(low + p.y)))\" width=\"\(coordinate(bar / lanes))\" height=\"\(coordinate(max(0, y(low) - y(low + p.y))))\" fill=\"\(color(s))\"><title>\(Markup.escape(name(s))): \(NumberText.plain(p.y, 2))\n\(data.isTime ? when(p.x) : Markup.escape(data.categories[i]))</title></rect>"
            }
        }
        var labels = ""
        if data.isTime {
            let x = Scale(
                low: 0, high: Double(max(places.count - 1, 1)), from: left + 4 + slot / 2, to: width - 6 - slot / 2)
            let step = max(1, places.count / 7)
            for i in stride(from: 0, to: places.count, by: step) {
                labels += label(x(Double(i)), day(places[i], span: places[places.count - 1] - places[0]), "middle")
            }
        } else {
            for (i, name) in data.categories.enumerated() where data.categories.count <= 16 {
                labels += label(
                    left + 4 + slot * (Double(i) + 0.5), String(name.prefix(max(4, Int(slot / 7)))), "middle")
            }
        }
        return frame(y, ticks, body, labels) + legend()
    }

    private func label(_ x: Double, _ text: String, _ anchor: String) -> String {
        "<text class=\"axis\" x=\"\(coordinate(x))\" y=\"\(coordinate(height - 8))\" text-anchor=\"\(anchor)\">\(Markup.escape(text))</text>"
    }

    private func timeLabels(_ first: Double, _ last: Double, _ x: Scale) -> String {
        guard last > first else { return label(x(first), day(first, span: .infinity), "start") }
        let count = 6
        return (0...count).map { i in
            let at = first + (last - first) * Double(i) / Double(count)
            return label(x(at), day(at, span: last - first), i == 0 ? "start" : i == count ? "end" : "middle")
        }.joined()
    }

    private func when(_ x: Double) -> String {
        data.isTime
            ? NumberText.time(Int64(x)) + " UTC"
            : data.categories.indices.contains(Int(x)) ? Markup.escape(data.categories[Int(x)]) : ""
    }

    private func day(_ x: Double, span: Double) -> String {
        let text = DateTime.format(Int64(x))
        // A time that is a day's beginning is told as that day.
        return span > 3 * Double(DateTime.ticksPerDay) || Int64(x) % DateTime.ticksPerDay == 0
            ? String(text.dropFirst(5).prefix(5)) : String(text.dropFirst(11).prefix(5))
    }

    /// One horizontal bar for each category, the largest first.
    func categories() -> String {
        let labelled = data.categories.enumerated().map { i, name in
            (
                name,
                data.series.enumerated().map { s, series in
                    (s, series.points.filter { Int($0.x) == i }.reduce(0) { $0 + $1.y })
                }
            )
        }
        let high = labelled.map { $0.1.reduce(0) { $0 + $1.1 } }.max() ?? 1
        let rows = labelled.prefix(20).map { name, parts -> String in
            let bars = parts.filter { $0.1 > 0 }.map { s, v in
                "<i style=\"width:\(coordinate(100 * v / max(high, 1e-9)))%;background:\(color(s))\" title=\"\(Markup.escape(self.name(s))): \(NumberText.plain(v, 1))\"></i>"
            }.joined()
            return
                "<li><span title=\"\(Markup.escape(name))\">\(Markup.escape(name))</span><div>\(bars)</div><b>\(NumberText.format(parts.reduce(0) { $0 + $1.1 }, Bag([("unit", .long(17))])))</b></li>"
        }
        return "<ol class=\"hbars\">\(rows.joined())</ol>" + (data.series.count > 1 ? legend() : "")
    }

    /// A ring of shares with the total inside.
    func donut() -> String {
        var parts: [(name: String, value: Double)] = []
        if data.categories.isEmpty || data.isTime {
            parts = data.series.map { ($0.name, $0.total) }
        } else {
            for (i, name) in data.categories.enumerated() {
                parts.append(
                    (name, data.series.reduce(0) { $0 + $1.points.filter { Int($0.x) == i }.reduce(0) { $0 + $1.y } }))
            }
        }
        parts.sort { $0.value > $1.value }
        if parts.count > 8 { parts = parts.prefix(7) + [("Other", parts.dropFirst(7).reduce(0) { $0 + $1.value })] }
        let total = parts.reduce(0) { $0 + $1.value }
        let labels = settings["seriesLabelSettings"]?.arrayValue?.compactMap(\.bagValue) ?? []
        func tone(_ i: Int) -> String {
            labels.first { $0["seriesName"]?.stringValue == parts[i].name }?["color"]?.stringValue.flatMap(
                Palette.color)
                ?? Palette.series[i % Palette.series.count]
        }
        let around = 2 * Double.pi * 42
        var start = 0.0
        var rings = ""
        for (i, part) in parts.enumerated() where part.value > 0 {
            let length = around * part.value / max(total, 1e-9)
            rings +=
                "<circle cx=\"60\" cy=\"60\" r=\"42\" fill=\"none\" stroke=\"\(tone(i))\" stroke-width=\"16\" stroke-dasharray=\"\(coordinate(max(length - 1, 0.5))) \(coordinate(around))\" stroke-dashoffset=\"\(coordinate(-start))\" transform=\"rotate(-90 60 60)\"><title>\(Markup.escape(part.name)): \(NumberText.plain(part.value, 1))</title></circle>"
            start += length
        }
        let legend = parts.indices.map { i in
            "<li><i style=\"background:\(tone(i))\"></i><span>\(Markup.escape(parts[i].name.isEmpty ? "(none)" : parts[i].name))</span><b>\(NumberText.format(parts[i].value, Bag([("unit", .long(17))])))</b></li>"
        }
        return
            "<div class=\"donut\"><svg viewBox=\"0 0 120 120\" role=\"img\">\(rings)<text x=\"60\" y=\"65\" text-anchor=\"middle\">\(NumberText.format(total, Bag([("unit", .long(17))])))</text></svg><ul class=\"legend\">\(legend.joined())</ul></div>"
    }

    /// A line or area without axes.
    static func spark(_ points: [Double], isArea: Bool) -> String {
        guard points.count > 1, let low = points.min(), let high = points.max() else { return "" }
        let x = Scale(low: 0, high: Double(points.count - 1), from: 1, to: 99)
        let y = Scale(low: min(low, 0), high: max(high, 1e-9), from: 22, to: 2)
        let line = points.enumerated().map { "\(coordinate(x(Double($0)))),\(coordinate(y($1)))" }.joined(
            separator: " ")
        let area = isArea ? "<polygon points=\"1,23 \(line) 99,23\" fill=\"var(--s1)\" opacity=\".25\"/>" : ""
        return
            "<svg class=\"sparkline\" viewBox=\"0 0 100 24\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\(area)<polyline points=\"\(line)\" fill=\"none\" stroke=\"var(--s1)\" stroke-width=\"1.5\" vector-effect=\"non-scaling-stroke\"/></svg>"
    }
}
