import Foundation
import KQLEngine
import Tables

/// A query's rows as an HTML table with the workbook's column formatters.
struct GridRenderer {
    let settings: GridSettings
    let query: WorkbookQuery

    func html(_ table: ResultTable) throws -> String {
        let schema = table.schema
        let columns = try schema.columns.indices.map { try table.batch.column($0) }
        let formatters = schema.names.map { name in settings.formatters.first { $0.matches(name) } }
        let visible = schema.columns.indices.filter { formatters[$0]?.kind != 5 }
        let rows = try order(columns, schema)
        let shown = rows.prefix(settings.rowLimit)
        var scales: [Int: (Double, Double)] = [:]
        for c in visible {
            if let f = formatters[c], [3, 4, 8, 20].contains(f.kind) { scales[c] = scale(f, schema, columns) }
        }
        var out =
            settings.hasFilter
            ? "<input class=\"filter\" type=\"search\" placeholder=\"Filter rows\" aria-label=\"Filter rows\">" : ""
        out += "<div class=\"scroll\"><table class=\"grid\"><thead><tr>"
        for c in visible {
            let label = settings.labels[schema[c].name] ?? Self.spaced(schema[c].name)
            out += "<th\(schema[c].type.isNumeric ? " class=\"num\"" : "") tabindex=\"0\">\(Markup.escape(label))</th>"
        }
        out += "</tr></thead><tbody>"
        for row in shown {
            out += "<tr>"
            for c in visible { out += cell(columns[c][row], c, row, schema, columns, formatters[c], scales[c]) }
            out += "</tr>"
        }
        out += "</tbody></table></div>"
        if rows.count > shown.count {
            out += "<p class=\"cut\">The first \(shown.count) of \(NumberText.grouped(Int64(rows.count))) rows.</p>"
        }
        return out
    }

    /// `SignatureAgeDays` as `Signature age days`.
    static func spaced(_ name: String) -> String {
        var out = ""
        var previous: Character = " "
        for c in name {
            if c == "_" {
                out += " "
            } else {
                if c.isUppercase, previous.isLowercase { out += " " + c.lowercased() } else { out.append(c) }
            }
            previous = c
        }
        return out
    }

    private func order(_ columns: [Column], _ schema: Schema) throws -> [Int] {
        var rows = Array(0..<(columns.first?.count ?? 0))
        for key in settings.sort.reversed() {
            guard let c = schema.index(of: key.column) else { continue }
            let values = rows.map { columns[c][$0] }
            let order = rows.indices.sorted { a, b in
                let isLess = Self.less(values[a], values[b])
                let isMore = Self.less(values[b], values[a])
                return isLess == isMore ? a < b : key.isAscending ? isLess : isMore
            }
            rows = order.map { rows[$0] }
        }
        return rows
    }

    private static func less(_ a: Value, _ b: Value) -> Bool {
        if let x = a.doubleValue, let y = b.doubleValue { return x < y }
        if case .datetime(let x) = a, case .datetime(let y) = b { return x < y }
        return a.text < b.text
    }

    /// Lowest and highest value of all columns that share a formatter.
    private func scale(_ f: ColumnFormatter, _ schema: Schema, _ columns: [Column]) -> (Double, Double) {
        var low = f.options["min"]?.doubleValue ?? .infinity
        var high = f.options["max"]?.doubleValue ?? -.infinity
        let isOpen = (f.options["min"]?.doubleValue == nil, f.options["max"]?.doubleValue == nil)
        for (c, spec) in schema.columns.enumerated() where f.matches(spec.name) {
            for row in 0..<columns[c].count {
                guard let d = columns[c][row].doubleValue else { continue }
                if isOpen.0 { low = min(low, d) }
                if isOpen.1 { high = max(high, d) }
            }
        }
        if f.kind != 8, isOpen.0 { low = min(low, 0) }
        return low.isFinite && high > low ? (low, high) : (0, max(high, 1))
    }

    private func cell(
        _ value: Value, _ c: Int, _ row: Int, _ schema: Schema, _ columns: [Column], _ formatter: ColumnFormatter?,
        _ scale: (Double, Double)?
    ) -> String {
        let number: Double? = value.boolValue == nil ? value.doubleValue : nil
        let text =
            number.map { d in formatter.map { NumberText.format(d, $0.numberFormat) } ?? NumberText.cell(value) }
            ?? NumberText.cell(value)
        let shown = Markup.escape(text)
        let align = schema[c].type.isNumeric ? " class=\"num\"" : ""
        guard let f = formatter else { return "<td\(align)>\(shown)</td>" }
        switch f.kind {
        case 18: return threshold(f, value, shown, schema, columns, row)
        case 8, 20:
            guard let d = number, let scale else { return "<td>\(shown)</td>" }
            let color =
                d == 0 && scale.0 >= 0
                ? "transparent"
                : Palette.heat(f.options["palette"]?.text ?? "blue", (d - scale.0) / (scale.1 - scale.0))
            return "<td class=\"heat\" style=\"--fill:\(color)\"><span>\(shown)</span></td>"
        case 3, 4:
            guard let d = number, let scale else { return "<td>\(shown)</td>" }
            let share = max(0, min(100, 100 * (d - scale.0) / (scale.1 - scale.0)))
            let color = Palette.color(f.options["palette"]?.text ?? "blue") ?? "var(--info)"
            return
                "<td class=\"bar\"><span>\(shown)</span><i style=\"width:\(coordinate(share))%;background:\(color)\"></i></td>"
        case 7:
            let label =
                f.options["linkLabel"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }.map { Markup.escape($0) } ?? shown
            guard let address = link(f, value, schema, columns, row) else { return "<td>\(label)</td>" }
            return "<td><a href=\"\(Markup.escape(address))\">\(label)</a></td>"
        case 9, 10, 21:
            let points = (value.arrayValue ?? []).compactMap(\.doubleValue)
            return "<td class=\"spark\">\(ChartRenderer.spark(points, isArea: f.kind == 21))</td>"
        case 22: return composite(f, schema, columns, row)
        default: return "<td\(align)>\(shown)</td>"
        }
    }

    private func threshold(
        _ f: ColumnFormatter, _ value: Value, _ shown: String, _ schema: Schema, _ columns: [Column], _ row: Int
    ) -> String {
        for rule in f.options["thresholdsGrid"]?.arrayValue?.compactMap(\.bagValue) ?? [] where Self.meets(rule, value)
        {
            let name = rule["representation"]?.text ?? ""
            let text = (rule["text"]?.stringValue ?? "{0}{1}").replacing("{0}", with: shown).replacing("{1}", with: "")
            if f.options["thresholdsOptions"]?.stringValue == "colors" {
                return "<td><span class=\"tag \(Palette.tone(name))\">\(text)</span></td>"
            }
            return "<td class=\"icon\">\(Icons.svg(name))<span>\(text)</span></td>"
        }
        return "<td>\(shown)</td>"
    }

    static func meets(_ rule: Bag, _ value: Value) -> Bool {
        let wanted = rule["thresholdValue"]?.text ?? ""
        let text = value.text
        switch rule["operator"]?.text ?? "Default" {
        case "==": return text == wanted
        case "!=": return text != wanted
        case "contains": return text.localizedCaseInsensitiveContains(wanted)
        case "startsWith": return text.lowercased().hasPrefix(wanted.lowercased())
        case "is Empty": return text.isEmpty
        case ">", ">=", "<", "<=":
            guard let a = value.doubleValue ?? Double(text), let b = Double(wanted) else { return false }
            switch rule["operator"]?.text {
            case ">": return a > b
            case ">=": return a >= b
            case "<": return a < b
            default: return a <= b
            }
        default: return true
        }
    }

    /// Where a link formatter leads: an address, or another workbook with a parameter taken from a column.
    private func link(_ f: ColumnFormatter, _ value: Value, _ schema: Schema, _ columns: [Column], _ row: Int)
        -> String?
    {
        let target = f.options["linkTarget"]?.text.lowercased() ?? ""
        if target == "workbooktemplate", let context = f.options["workbookContext"]?.bagValue,
            let id = context["templateId"]?.stringValue
        {
            var asked: [String: [String]] = [:]
            for p in context["templateParameters"]?.arrayValue?.compactMap(\.bagValue) ?? [] {
                guard let name = p["name"]?.stringValue, let source = p["value"]?.stringValue else { continue }
                let isColumn = p["source"]?.text == "column"
                asked[name] = [isColumn ? schema.index(of: source).map { columns[$0][row].text } ?? "" : source]
            }
            return WorkbookAddress.make(String(id.trimmingPrefix("sentinel-").trimmingPrefix("vestige-")), asked)
        }
        let column = f.options["linkColumn"]?.stringValue.flatMap { schema.index(of: $0) }
        let address = column.map { columns[$0][row].text } ?? value.text
        return Markup.isSafe(address: address) ? address : nil
    }

    private func composite(_ f: ColumnFormatter, _ schema: Schema, _ columns: [Column], _ row: Int) -> String {
        let settings = f.options["compositeBarSettings"]?.bagValue ?? Bag()
        let parts = (settings["columnSettings"]?.arrayValue ?? []).compactMap { part -> (Double, String, String)? in
            guard let bag = part.bagValue, let name = bag["columnName"]?.stringValue, let c = schema.index(of: name)
            else { return nil }
            return (columns[c][row].doubleValue ?? 0, Palette.color(bag["color"]?.text ?? "") ?? "var(--info)", name)
        }
        let total = max(parts.reduce(0) { $0 + $1.0 }, 1e-9)
        var label = settings["labelText"]?.text ?? ""
        for (c, spec) in schema.columns.enumerated() {
            label = label.replacing("[\"\(spec.name)\"]", with: NumberText.cell(columns[c][row]))
        }
        let bars = parts.map {
            "<i style=\"width:\(coordinate(100 * $0.0 / total))%;background:\($0.1)\" title=\"\(Markup.escape($0.2)): \(NumberText.plain($0.0, 1))\"></i>"
        }.joined()
        return "<td class=\"composite\"><span>\(Markup.escape(label))</span><div>\(bars)</div></td>"
    }
}

/// Small signs beside text, as inline SVG.
enum Icons {
    static func svg(_ name: String) -> String {
        let (tone, path): (String, String) =
            switch name {
            case "success", "Available", "Check", "1": ("good", "M4 8.5 7 11.5 12 5")
            case "error", "failed", "critical", "Sev0", "Sev1", "Unavailable", "4": ("bad", "M5 5l6 6M11 5l-6 6")
            case "warning", "Sev2", "Degraded", "2", "3": ("warn", "M8 4v5M8 11.5v.5")
            case "up", "trendup": ("bad", "M8 12V4M4.5 7.5 8 4l3.5 3.5")
            case "down", "trenddown": ("good", "M8 4v8M4.5 8.5 8 12l3.5-3.5")
            case "info", "Sev3": ("info", "M8 7v5M8 4.5v.5")
            default: ("none", "M5 8h6")
            }
        return
            "<svg class=\"sign \(tone)\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><circle cx=\"8\" cy=\"8\" r=\"7\"/><path d=\"\(path)\"/></svg>"
    }
}
