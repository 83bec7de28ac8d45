/// One scalar, typed or inside a `dynamic`: what a cell holds when it is looked at alone.
///
/// Columns are the working form; a `Value` is for literals, `dynamic` contents and the long tail of functions.
package indirect enum Value: Sendable, Hashable {
    case null
    case bool(Bool)
    /// `int` and `long`.
    case long(Int64)
    case real(Double)
    case decimal(Decimal)
    /// Ticks since 0001-01-01.
    case datetime(Int64)
    /// Ticks.
    case timespan(Int64)
    case string(String)
    case guid(GUID)
    case array([Value])
    case bag(Bag)

    package var isNull: Bool { if case .null = self { true } else { false } }

    /// The type of this value standing alone; nil for null.
    package var type: ScalarType? {
        switch self {
        case .null: nil
        case .bool: .bool
        case .long: .long
        case .real: .real
        case .decimal: .decimal
        case .datetime: .datetime
        case .timespan: .timespan
        case .string: .string
        case .guid: .guid
        case .array, .bag: .dynamic
        }
    }

    package var stringValue: String? { if case .string(let s) = self { s } else { nil } }
    package var arrayValue: [Value]? { if case .array(let a) = self { a } else { nil } }
    package var bagValue: Bag? { if case .bag(let b) = self { b } else { nil } }
    package var boolValue: Bool? { if case .bool(let b) = self { b } else { nil } }
    package var longValue: Int64? { if case .long(let n) = self { n } else { nil } }

    /// Any number as a double.
    package var doubleValue: Double? {
        switch self {
        case .long(let n): Double(n)
        case .real(let d): d
        case .decimal(let d): d.doubleValue
        case .bool(let b): b ? 1 : 0
        default: nil
        }
    }

    /// The text that `tostring()` gives: empty for null, JSON for arrays and bags.
    package var text: String {
        switch self {
        case .null: ""
        case .bool(let b): b ? "true" : "false"
        case .long(let n): String(n)
        case .real(let d): RealText.format(d)
        case .decimal(let d): d.description
        case .datetime(let t): DateTime.format(t)
        case .timespan(let t): TimeSpan.format(t)
        case .string(let s): s
        case .guid(let g): g.description
        case .array, .bag: JSONWriter.string(self)
        }
    }
}

/// A property bag: keys in the order they were written, each once.
package struct Bag: Sendable, Hashable {
    package private(set) var keys: [String]
    package private(set) var values: [Value]
    /// Where each key is, once there are many: a bag of thousands is not searched key by key.
    private var places: [BagKey: Int]?
    private static let indexedCount = 24

    package init() {
        keys = []
        values = []
    }

    /// Later pairs replace earlier ones of the same key.
    package init(_ pairs: some Sequence<(String, Value)>) {
        self.init()
        for (key, value) in pairs { self[key] = value }
    }

    package var count: Int { keys.count }

    private func index(of key: String) -> Int? {
        if let places { return places[BagKey(text: key)] }
        return keys.firstIndex { $0.utf8.elementsEqual(key.utf8) }
    }

    package subscript(key: String) -> Value? {
        get { index(of: key).map { values[$0] } }
        set {
            if let i = index(of: key) {
                if let newValue {
                    values[i] = newValue
                } else {
                    keys.remove(at: i)
                    values.remove(at: i)
                    places = nil
                    indexIfLarge()
                }
            } else if let newValue {
                append(unchecked: key, newValue)
            }
        }
    }

    /// Appends without looking for an equal key: for builders that know there is none.
    package mutating func append(unchecked key: String, _ value: Value) {
        keys.append(key)
        values.append(value)
        if places == nil {
            indexIfLarge()
        } else if places?[BagKey(text: key)] == nil {
            places?[BagKey(text: key)] = keys.count - 1
        }
    }

    private mutating func indexIfLarge() {
        guard keys.count > Self.indexedCount else { return }
        var all: [BagKey: Int] = [:]
        all.reserveCapacity(keys.count * 2)
        // Of keys that came without being looked at, the first counts, as in a search.
        for (i, key) in keys.enumerated() where all[BagKey(text: key)] == nil { all[BagKey(text: key)] = i }
        places = all
    }

    package static func == (a: Bag, b: Bag) -> Bool {
        guard a.count == b.count else { return false }
        for (key, value) in zip(a.keys, a.values) where b[key] != value { return false }
        return true
    }

    package func hash(into hasher: inout Hasher) {
        for key in keys.sorted() {
            hasher.combine(key)
            hasher.combine(self[key])
        }
    }
}

/// A key by its bytes: letters that only look alike are different.
private struct BagKey: Hashable, Sendable {
    let text: String

    static func == (a: BagKey, b: BagKey) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    func hash(into hasher: inout Hasher) { for byte in text.utf8 { hasher.combine(byte) } }
}
