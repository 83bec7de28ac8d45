import CMaxMindDB
import Foundation
import Synchronization
import Tables

/// Where addresses are, by a database in MaxMind's format (GeoLite2-City, or another with the same members).
///
/// Kusto answers from GeoLite2-City too
/// (https://learn.microsoft.com/kusto/query/geo-info-from-ip-address-function); here the operator supplies the file.
package final class LocationDatabase: Sendable {
    /// The library's handle. It is written once, before anybody else sees it; look-ups only read.
    private struct Handle: @unchecked Sendable {
        let pointer: UnsafeMutablePointer<MMDB_s>
    }

    private let handle: Handle

    /// Why a database cannot be used.
    package struct Problem: Error, Sendable {
        package let message: String
    }

    package init(file: String) throws(Problem) {
        let pointer = UnsafeMutablePointer<MMDB_s>.allocate(capacity: 1)
        pointer.initialize(to: MMDB_s())
        let status = MMDB_open(file, UInt32(MMDB_MODE_MMAP), pointer)
        guard status == MMDB_SUCCESS else {
            pointer.deallocate()
            throw Problem(message: String(cString: MMDB_strerror(status)))
        }
        handle = Handle(pointer: pointer)
    }

    deinit {
        MMDB_close(handle.pointer)
        handle.pointer.deallocate()
    }

    /// `country`, `state`, `city`, `latitude` and `longitude`, as far as the database has them; nil for an address that
    /// it does not know.
    package func location(of address: String) -> Bag? {
        var resolution: Int32 = 0
        var status: Int32 = MMDB_SUCCESS
        var found = MMDB_lookup_string(handle.pointer, address, &resolution, &status)
        guard resolution == 0, status == MMDB_SUCCESS, found.found_entry else { return nil }
        let members: [(String, [String])] = [
            ("country", ["country", "names", "en"]), ("state", ["subdivisions", "0", "names", "en"]),
            ("city", ["city", "names", "en"]),
            ("latitude", ["location", "latitude"]), ("longitude", ["location", "longitude"]),
        ]
        let known = members.compactMap { name, path in Self.value(&found.entry, path).map { (name, $0) } }
        return known.isEmpty ? nil : Bag(known)
    }

    private static func value(_ entry: inout MMDB_entry_s, _ path: [String]) -> Value? {
        let names = path.map { name in name.withCString { strdup($0) } }
        defer { for name in names { free(name) } }
        var pointers = names.map { $0.map { UnsafePointer<CChar>($0) } } + [nil]
        var data = MMDB_entry_data_s()
        let status = pointers.withUnsafeMutableBufferPointer { MMDB_aget_value(&entry, &data, $0.baseAddress) }
        guard status == MMDB_SUCCESS, data.has_data else { return nil }
        switch Int32(data.type) {
        case MMDB_DATA_TYPE_UTF8_STRING:
            let bytes = UnsafeRawBufferPointer(start: data.utf8_string, count: Int(data.data_size))
            return .string(String(decoding: bytes, as: UTF8.self))
        case MMDB_DATA_TYPE_DOUBLE: return .real(data.double_value)
        case MMDB_DATA_TYPE_FLOAT: return .real(Double(data.float_value))
        default: return nil
        }
    }
}
