import Tables

/// A call to a service that did not give what was asked for, in the words that an operator needs.
package struct ServiceError: Error, Sendable {
    /// Method and path of the call, without secrets.
    package var tried: String
    /// Status, vendor code, message and request id; or what the network did.
    package var got: String
    package var means: String?
    package var next: String
    /// Whether another try may help.
    package var isRetryable: Bool
    package var status: Int?
    /// Whether less must be asked for at once.
    package var isTooLarge: Bool

    package init(
        tried: String, got: String, means: String? = nil, next: String, isRetryable: Bool = false, status: Int? = nil,
        isTooLarge: Bool = false
    ) {
        self.tried = Secret.hidden(in: tried)
        self.got = Secret.hidden(in: got)
        self.means = means.map { Secret.hidden(in: $0) }
        self.next = Secret.hidden(in: next)
        self.isRetryable = isRetryable
        self.status = status
        self.isTooLarge = isTooLarge
    }
}

extension ServiceResponse {
    /// Bytes of an error's answer that are looked at; what is behind them explains nothing.
    private static let errorBytesMax = 65_536

    /// The answer without what it repeats of secrets: of any that are known where it reports an error, and of those
    /// that the call carried
    /// in each. It is done before anything is cut out of the answer, so that no half of a secret stays.
    func withoutSecrets(carried: [Secret]) -> ServiceResponse {
        let isError = !(200..<300).contains(status)
        let body = isError && body.count > Self.errorBytesMax ? Array(body.prefix(Self.errorBytesMax)) : body
        func clean(_ bytes: [UInt8]) -> [UInt8]? {
            isError
                ? Secret.hidden(in: bytes, carried: carried) : Secret.hidden(in: bytes, onlyCarried: carried)
        }
        let headers = headers.mapValues { value in
            clean(Array(value.utf8)).map { String(decoding: $0, as: UTF8.self) } ?? value
        }
        return ServiceResponse(status: status, headers: headers, body: clean(body) ?? body)
    }
}

/// An answer of a service.
package struct ServiceResponse: Sendable {
    package let status: Int
    package let headers: [String: String]
    package let body: [UInt8]

    /// The vendor's code and message, as far as the body is an error body.
    var vendorError: (code: String, message: String)? {
        guard case .bag(let bag)? = try? JSONReader.parse(body), let error = bag["error"] else { return nil }
        switch error {
        case .bag(let inner): return (inner["code"]?.text ?? "", inner["message"]?.text ?? "")
        case .string(let text): return ("", text)
        default: return nil
        }
    }

    /// Whether success comes with a page for people, as no service that is called here gives it.
    var isWebPage: Bool {
        (200..<300).contains(status) && headers["content-type"]?.lowercased().hasPrefix("text/html") == true
    }

    var requestID: String? { headers["x-ms-request-id"] ?? headers["request-id"] }

    /// One line for an error: status, code, the start of the message, request id.
    var summary: String {
        var parts = ["\(status)"]
        if let error = vendorError {
            if !error.code.isEmpty { parts.append("code \(error.code)") }
            if !error.message.isEmpty { parts.append("\"\(error.message.prefix(200))\"") }
        }
        if let id = requestID { parts.append("request \(id)") }
        return parts.joined(separator: ", ")
    }

    /// Seconds that the service asks to wait.
    var retryAfterSeconds: Int? { headers["retry-after"].flatMap { Int($0) } }
}
