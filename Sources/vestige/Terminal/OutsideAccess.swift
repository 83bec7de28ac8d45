import Azure
import KQLEngine
import Pipeline

extension Configuration {
    /// What queries may reach beyond the workspace, as the configuration allows it.
    ///
    /// - Parameter withFiles: whether queries are this user's own, so that files may be allowed.
    func outsideData(withFiles: Bool = false) throws -> OutsideData {
        var outside = OutsideData()
        outside.allowsFiles = withFiles && allowsExternalFiles
        if !externalHosts.isEmpty {
            let downloader = Downloader(hosts: externalHosts)
            outside.download = { address, check in
                do { return try downloader.bytes(of: address, check: check) } catch let problem as Downloader.Problem {
                    throw QueryError.runtime("externaldata: \(problem.message)")
                }
            }
        }
        if let locations {
            do throws(LocationDatabase.Problem) { outside.locations = try LocationDatabase(file: locations) } catch {
                throw OperatorError(
                    "the database of locations cannot be used", tried: "opening \(locations)", got: error.message,
                    next:
                        "name a file in MaxMind's format, such as GeoLite2-City.mmdb, with 'locations' in the configuration",
                    isConfiguration: true)
            }
        }
        return outside
    }
}
