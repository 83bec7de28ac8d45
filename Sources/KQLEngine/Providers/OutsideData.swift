/// What queries may reach beyond the tables: nothing, unless the operator allows it.
package struct OutsideData: Sendable {
    /// Whether `externaldata` may read files of this machine.
    package var allowsFiles = false
    /// Fetches what `externaldata` names over the network; nil where no address is allowed.
    ///
    /// Called on a query's thread, which waits for it; the closure that it is given throws when the query should stop.
    package var download: (@Sendable (String, () throws -> Void) throws -> [UInt8])?
    /// Where addresses are, for `geo_info_from_ip_address`.
    package var locations: LocationDatabase?

    package init() {}
}
