import Tables

/// Arguments that must be known before a row is read.
extension Binder {
    /// The places of an aggregation function's arguments that are sizes, percentiles and accuracies: the same for all
    /// rows. Source: the functions' reference pages.
    func constantPlaces(_ name: String, _ count: Int) -> Range<Int> {
        let first: Int
        switch name {
        case "make_set", "makeset", "make_list", "makelist", "make_bag", "make_dictionary", "percentile",
            "percentiles", "percentiles_array", "hll", "dcount":
            first = 1
        case "make_set_if", "make_list_if", "make_bag_if", "percentilew", "percentilesw", "percentilesw_array",
            "hll_if", "dcountif":
            first = 2
        default: first = count
        }
        return min(first, count)..<count
    }

    func mustBeConstant(_ function: String, _ range: Range<Int>) -> Diagnostic {
        Diagnostic("KS112", "The argument of '\(function)' must be a constant.", range)
    }
}
