import Content
import KQL

/// A source that the configuration names.
struct NamedSource: Sendable {
    /// The setting that names it: `feeds`, `schedules`, …
    let setting: String
    let id: String
    /// File, line and column.
    let place: String
}

/// What a configuration says of content that is not there.
extension Configuration {
    /// Names of sources and tables that nothing bears: most often a slip of the pen, and then something else happens
    /// than was wanted, without a word.
    package func mistakes(in library: ContentLibrary) -> [OperatorError] {
        var mistakes: [OperatorError] = []
        let ids = library.sources.map(\.id)
        let lists = library.sources.filter { $0.service == .web }.map(\.id)
        // A name may be that of a file that could not be read, which is told of already.
        for named in namedSources where library.isWhole {
            let source = library.sources.first { $0.id == named.id }
            let isList = named.setting == "feeds"
            if let source, !isList || source.service == .web { continue }
            let what = isList ? "public list" : "source"
            let hint = NearMiss.find(named.id, in: isList ? lists : ids).map { "did you mean \($0)? " } ?? ""
            mistakes.append(
                OperatorError(
                    "the configuration cannot be used",
                    got: "\(named.place): '\(named.setting)' names the \(what) \"\(named.id.prefix(80))\", "
                        + "which is not there",
                    next: "\(hint)vestige collect --list names them all", isConfiguration: true))
        }
        for sink in sinks { do { _ = try sink.kind.plan(library) } catch { mistakes.append(error) } }
        return mistakes
    }
}
