import Tables

/// Shortens a value that is longer than a service keeps.
///
/// A service cuts bytes, in the middle of whatever stands there; here the cut is at the end of a value: whole items of
/// an array, whole members of a bag, whole characters of a text, so that what arrives can still be read.
enum FieldCutter {
    /// - Parameter bytesMax: of the text in UTF-8, of an array or a bag as JSON.
    /// - Returns: nil for a value that is short enough.
    static func cut(_ value: Value, to bytesMax: Int) -> Value? {
        switch value {
        case .string(let text): text.utf8.count > bytesMax ? .string(prefix(text, bytesMax)) : nil
        case .array, .bag: size(value) > bytesMax ? part(value, bytesMax) : nil
        default: nil
        }
    }

    /// Bytes as JSON.
    private static func size(_ value: Value) -> Int {
        var bytes: [UInt8] = []
        JSONWriter.append(value, to: &bytes)
        return bytes.count
    }

    /// As much of a value as has room as JSON.
    private static func part(_ value: Value, _ room: Int) -> Value {
        switch value {
        case .string(let text): .string(quoted(text, room))
        case .array(let items): .array(part(of: items, room))
        case .bag(let bag): .bag(part(of: bag, room))
        default: size(value) <= room ? value : .null
        }
    }

    private static func part(of items: [Value], _ room: Int) -> [Value] {
        var left = room - 2
        var kept: [Value] = []
        for item in items {
            let bytes = size(item) + (kept.isEmpty ? 0 : 1)
            guard bytes <= left else { break }
            kept.append(item)
            left -= bytes
        }
        // Not even the first: its beginning says more than nothing.
        if kept.isEmpty, let first = items.first, isDivisible(first), left > 8 { kept = [part(first, left)] }
        return kept
    }

    /// The members that have room, in their order: a long one keeps no short one out.
    private static func part(of bag: Bag, _ room: Int) -> Bag {
        var left = room - 2
        var kept = Bag()
        for (key, value) in zip(bag.keys, bag.values) {
            let bytes = size(.string(key)) + 1 + size(value) + (kept.count == 0 ? 0 : 1)
            guard bytes <= left else { continue }
            kept.append(unchecked: key, value)
            left -= bytes
        }
        if kept.count == 0, let first = bag.keys.indices.first(where: { isDivisible(bag.values[$0]) }) {
            let rest = left - size(.string(bag.keys[first])) - 1
            if rest > 8 { kept.append(unchecked: bag.keys[first], part(bag.values[first], rest)) }
        }
        return kept
    }

    private static func isDivisible(_ value: Value) -> Bool {
        switch value {
        case .string, .array, .bag: true
        default: false
        }
    }

    /// The beginning of a text that has room as JSON, where some characters take more bytes.
    private static func quoted(_ text: String, _ room: Int) -> String {
        var limit = room - 2
        while limit > 0 {
            let part = prefix(text, limit)
            let over = size(.string(part)) - room
            guard over > 0 else { return part }
            // Each byte that is left out saves one to six.
            limit = min(limit, part.utf8.count) - max(1, over / 6)
        }
        return ""
    }

    /// The whole characters at the beginning that are no more than so many bytes.
    static func prefix(_ text: String, _ bytesMax: Int) -> String {
        let utf8 = text.utf8
        guard utf8.count > bytesMax else { return text }
        var end = utf8.index(utf8.startIndex, offsetBy: bytesMax)
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil { end = utf8.index(before: end) }
        let scalarEnd = end
        // A character is a few scalars; one without end, such as a letter under a thousand accents, is cut inside.
        var steps = 0
        while end > text.startIndex, end.samePosition(in: text) == nil, steps < 64 {
            end = text.unicodeScalars.index(before: end)
            steps += 1
        }
        let isWhole = end > text.startIndex && end.samePosition(in: text) != nil
        return String(text[..<(isWhole ? end : scalarEnd)])
    }
}
