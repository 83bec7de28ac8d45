/// Words that Kusto's grammar keeps: as names they are written `['word']`.
///
/// Found by giving every word of Microsoft's parser to it as a name.
package enum Keywords {
    /// Never a name.
    private static let kept: Set<String> = [
        "and", "anomalychart", "areachart", "asc", "bagexpansion", "barchart", "between", "bin_legacy", "boolean",
        "byte", "cachingpolicy", "callout", "cancel", "card", "char", "columnchart", "contains_cs", "containscs",
        "cycles", "dataexport", "datascope", "date", "datetime", "decimal", "decodeblocks", "desc", "double", "dynamic",
        "encodingpolicy", "endswith", "endswith_cs", "expandoutput", "extent_tags_retention", "external_data", "first",
        "flags", "float", "force_remote", "harddelete", "hardretention", "has_all", "has_any", "has_cs", "hasprefix",
        "hasprefix_cs", "hassuffix", "hassuffix_cs", "hotcache", "int", "int16", "int32", "int64", "int8", "isfuzzy",
        "journal", "ladderchart", "last", "like", "likecs", "linechart", "long", "missing", "nooptimization",
        "notcontains", "notcontainscs", "notlike", "notlikecs", "or", "others", "pathformat", "piechart", "pivotchart",
        "project", "queries", "query_results", "real", "relaxed", "restricted_view_access", "row_level_security",
        "rowstore", "rowstore_references", "rowstore_sealinfo", "rowstorepolicy", "rowstores", "scatterchart", "seal",
        "seals", "shards", "simple", "softdelete", "softretention", "stackedareachart", "startswith", "startswith_cs",
        "statistics", "string", "tablepurge", "time", "timechart", "timeline", "timepivot", "timespan", "treemap",
        "uint", "uint16", "uint32", "uint64", "uint8", "ulong", "union", "uniqueid", "unrestrictedviewers", "views",
        "with_itemindex", "with_match_id", "with_step_name", "writeaheadlog",
    ]

    /// A name where one is given (`extend title = …`), but not where one is used.
    private static let given: Set<String> = [
        "accumulate", "as", "by", "contains", "datatable", "earliest", "externaldata", "find", "has", "in", "invoke",
        "latest", "materialize", "mdm", "of", "print", "sample", "search", "set", "sql", "title", "to", "toscalar",
        "totable", "verbose", "viewers", "where",
    ]

    /// Whether a word is no name, not even of a new column.
    static func isKept(_ word: String) -> Bool { kept.contains(word) }

    /// Whether a word cannot be used as a name without brackets.
    package static func contains(_ word: String) -> Bool { kept.contains(word) || given.contains(word) }
}
