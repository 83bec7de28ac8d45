import Tables

/// What a source's file says of the call, each service with what it needs and nothing else.
package enum SourceRequest: Sendable {
    case hunting(HuntingRequest)
    case rest(RestRequest)
    case graph(GraphRequest)
    case sensor(ApplianceRequest)
    case manager(ApplianceRequest)
    case web(WebRequest)
}

/// A query of advanced hunting, whose answers have limits and no pages
/// (https://learn.microsoft.com/graph/api/security-security-runhuntingquery).
package struct HuntingRequest: Sendable {
    /// How an answer is kept within the limits.
    package enum Reading: Sendable {
        /// By a hash of a column.
        case division(Division)
        /// By the time in which things happened.
        case windows(Window)
    }

    /// Parts of a table by the hash of a column, as many as the answers' limits ask for.
    package struct Division: Sendable {
        /// The column whose hash decides. Where the file names none it is the device, or the key of the source's table;
        /// nil only while that table is not known.
        package var column: String?
        /// Parts of the first run; what a run finds out is remembered.
        package let start: Int
        /// Parts above which a query counts as one that cannot be divided.
        package let most: Int
    }

    /// Rows of what happened are asked for by time.
    package struct Window: Sendable {
        /// Seconds that the first run looks back.
        package let first: Int
        /// Seconds before the last run's end that are read again: events arrive late.
        package let overlap: Int
    }

    package let query: String
    package internal(set) var reading: Reading
    /// Rows of an answer that is full, and may be cut without a word.
    package let rowsMax: Int
}

/// A GET of the Defender for Endpoint API (https://learn.microsoft.com/defender-endpoint/api/exposed-apis-list).
package struct RestRequest: Sendable {
    package enum Paging: String, Sendable, CaseIterable {
        case none
        /// `@odata.nextLink`.
        case nextLink = "next-link"
        /// `$top` and `$skip`, until a page is short.
        case skip
    }

    /// Below the API's host; `{device}` in it stands for a chosen device.
    package let path: String
    package let parameters: [(String, String)]
    package let paging: Paging
    package let pageSize: Int
    /// The call that gives the same rows as files, for large tenants; nil where there is none.
    package let files: String?

    /// Whether it is called for each device that is chosen.
    package var isPerDevice: Bool { path.contains("{device}") }
}

/// A query of Azure Resource Graph.
package struct GraphRequest: Sendable {
    package let query: String
}

/// A GET of an OT sensor or of a management console
/// (https://learn.microsoft.com/azure/defender-for-iot/organizations/references-work-with-defender-for-iot-apis).
package struct ApplianceRequest: Sendable {
    package enum Paging: String, Sendable, CaseIterable {
        case none
        /// `page`, from 0, and `size`, until a page is short.
        case page
    }

    package let path: String
    package let parameters: [(String, String)]
    package let paging: Paging
    package let pageSize: Int
    /// Parameters with which the call is repeated, for an answer that holds the latest rows only: all kinds first, then
    /// each by itself.
    package let variants: (name: String, values: [String])?
    /// Rows that an answer holds at most, the latest ones: when it is full and all of it is news, something may be
    /// missing.
    package let cap: Int?
    /// Minutes of a parameter that differs at every call, against a cache of the server's.
    package let varyMinutes: Int?
}

/// A public list, without sign-in.
package struct WebRequest: Sendable {
    /// How a list is written.
    package enum Format: String, Sendable, CaseIterable {
        case json, csv
        /// Statements on who is affected: CSAF 2.0, OpenVEX or CycloneDX documents.
        case vex
    }

    /// Its address; `{month}` in it stands for a month such as `2026-Nov`.
    package let address: String
    package let format: Format
    /// Names of the files to read in a folder or an archive, with `*` and `?`; nil for all of the format.
    package let match: String?
    /// Values that stand once for the whole list: pairs in a comment line of CSV, members beside the records of JSON.
    package let document: [ColumnSpec]
    /// Columns that hold one value in the whole answer, of which a new one is told.
    package let announced: [String]
    /// Members that mark an answer of this list: with one of them, an answer without records is an empty list.
    package let emptyWith: [String]
    /// The member that says how many records the whole list has; an answer with fewer is a part of it.
    package let total: String?
}

/// From when on a call asks for what is new, with `{since}` in one of its parameters.
package struct SinceRule: Sendable {
    /// How the time is written.
    package enum Form: String, Sendable, CaseIterable {
        /// `2026-11-01T12:00:00Z`.
        case datetime
        /// Since 1970.
        case milliseconds
    }

    package let form: Form
    /// Seconds before the last run that are asked for again: rows arrive late.
    package let overlap: Int
    /// Seconds that the first run asks for, where the call needs a time; nil where it can be left out, and then the
    /// first run, and every keyframe, reads everything.
    package let first: Int?
    /// Seconds after which everything is read again though no keyframe is due; nil for keyframes only.
    package let full: Int?
    /// The payload's column whose latest time is where the next run goes on, if that is earlier than the last run;
    /// nil for the last run's time.
    package let column: String?
}
