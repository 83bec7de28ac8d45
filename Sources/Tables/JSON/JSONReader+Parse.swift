/// What is wrong with a JSON text, and at which byte.
package struct JSONError: Error, Sendable, Equatable {
    package let offset: Int
    package let reason: String

    package init(offset: Int, reason: String) {
        self.offset = offset
        self.reason = reason
    }

    package var description: String { "\(reason) at byte \(offset)" }
}

extension JSONReader {
    /// Reads one whole text.
    package static func parse(_ text: some StringProtocol, keepsDigits: Bool = false) throws(JSONError) -> Value {
        var text = String(text)
        return try text.withUTF8 { whole($0, keepsDigits) }.get()
    }

    /// Reads a value that is a part of a text; errors give the place in the whole of it.
    package static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, keepsDigits: Bool
    ) throws(JSONError) -> Value {
        do throws(JSONError) {
            return try whole(UnsafeBufferPointer(rebasing: bytes[range]), keepsDigits).get()
        } catch { throw JSONError(offset: range.lowerBound + error.offset, reason: error.reason) }
    }

    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> Value {
        try bytes.withUnsafeBufferPointer { whole($0) }.get()
    }

    private static func whole(
        _ bytes: UnsafeBufferPointer<UInt8>, _ keepsDigits: Bool = false
    ) -> Result<Value, JSONError> {
        var reader = JSONReader(bytes, keepsDigits: keepsDigits)
        do throws(JSONError) {
            let value = try reader.value()
            reader.skipSpace()
            guard reader.isAtEnd else { throw reader.fail("something follows the value") }
            return .success(value)
        } catch { return .failure(error) }
    }
}
