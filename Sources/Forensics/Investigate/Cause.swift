import Content
import Tables

/// A control whose absence let a step work.
package struct Cause: Sendable {
    package enum Proof: String, Sendable, Comparable {
        case unknown
        case wouldOnlyHaveDetected = "would-only-have-detected"
        case wouldHaveLimited = "would-have-limited"
        case wouldHaveBlocked = "would-have-blocked"

        private var rank: Int {
            switch self {
            case .unknown: 0
            case .wouldOnlyHaveDetected: 1
            case .wouldHaveLimited: 2
            case .wouldHaveBlocked: 3
            }
        }
        package static func < (a: Proof, b: Proof) -> Bool { a.rank < b.rank }
    }

    package let device: String
    package var techniques: [String]
    package let control: String
    package let kind: ControlDefinition.Class
    package var proof: Proof
    /// Higher ranks first.
    package var score: Int
    /// Ticks; when the step happened.
    package let time: Int64
    package let state: ControlState?
    package let because: String
    package var rows: [RowReference]
}

/// An attempt that a control stopped.
package struct Held: Sendable {
    package let device: String
    package let technique: String
    package let control: String
    package let time: Int64
    package let row: RowReference
    /// Whether nobody's ordinary work meets it: the attempt is proved by this alone.
    package var isSure = false
    /// The device that it came from, where the row tells.
    package var source: String?
    /// The hunt that found it.
    package var hunt = ""
}

/// One category of harm on one device.
package struct Harm: Sendable {
    package let device: String
    package let what: String
    package let techniques: [String]
    package let time: Int64
    package var rows: [RowReference]
}

/// How and where somebody came in.
package struct Entry: Sendable {
    package let device: String
    package let time: Int64
    package let techniques: [String]
    package let vector: String
    package let rows: [RowReference]
}
