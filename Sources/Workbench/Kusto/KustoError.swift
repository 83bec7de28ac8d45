import Foundation
import Hummingbird
import KQL
import KQLEngine
import Tables

/// Kusto's error body, with what its clients read: `@message`, `@permanent` and the `Semantic error:` prefix.
enum KustoError {
    static func response(_ error: QueryError, _ asked: KustoRequest) -> Response {
        switch error {
        case .invalid(let diagnostic, let text):
            let (line, column) = diagnostic.position(in: text)
            let isSyntax = QueryErrorText.isSyntax(text)
            let hint = diagnostic.suggestion.map { "; did you mean '\($0)'?" } ?? ""
            let kind = isSyntax ? "Syntax error" : "Semantic error"
            let code = QueryErrorText.code(diagnostic, isSyntax: isSyntax)
            return response(
                isSyntax ? "BadRequest_SyntaxError" : "General_BadRequest",
                isSyntax ? "SyntaxException" : "SemanticException",
                "\(kind): \(code): \(diagnostic.message)\(hint) [line:position=\(line):\(column)]",
                asked)
        case .limit(let text, .time):
            return response(
                status: .gatewayTimeout, "RequestExecutionTimeout", "KustoServiceTimeoutException", text, asked,
                isPermanent: false)
        case .limit(let text, .busy):
            // https://learn.microsoft.com/kusto/management/request-rate-limit-policy
            return tooMany(
                response(
                    status: .tooManyRequests, "TooManyRequests", "KustoRequestThrottledException", text, asked,
                    isPermanent: false))
        case .limit(let text, .shutdown):
            return tooMany(
                response(
                    status: .serviceUnavailable, "ServiceNotAvailable", "KustoServiceUnavailableException", text, asked,
                    isPermanent: false))
        case .limit(let text, _):
            return response("LimitsExceeded", "KustoQueryRunawayException", text, asked, isPermanent: false)
        case .cancelled: return response("General_BadRequest", "KustoBadRequestException", error.message, asked)
        case .runtime, .notSupported:
            return response("General_BadRequest", "KustoBadRequestException", error.message, asked)
        }
    }

    /// With the seconds after which asking again may help.
    static func tooMany(_ response: Response) -> Response {
        var response = response
        response.headers[.retryAfter] = "5"
        return response
    }

    static func malformed(_ message: String, _ asked: KustoRequest) -> Response {
        response("BadRequest", "KustoBadRequestException", message, asked)
    }

    static func response(
        status: HTTPResponse.Status = .badRequest, _ code: String, _ type: String, _ message: String,
        _ asked: KustoRequest, isPermanent: Bool = true
    ) -> Response {
        let body: JSON = ["error": object(code, type, message, asked, isPermanent: isPermanent)]
        return Answer.bytes(
            body.bytes, type: "application/json; charset=utf-8", status: status,
            headers: KustoHeader.answer(asked.activity))
    }

    /// One error as the "OneApi" form has it
    /// (https://learn.microsoft.com/kusto/api/rest/response-http-v2#the-meaning-of-oneapierrors).
    static func object(_ code: String, _ type: String, _ message: String, _ asked: KustoRequest, isPermanent: Bool)
        -> JSON
    {
        let context: JSON = [
            "timestamp": .string(DateTime.format(SystemClock.now())), "serviceAlias": "VESTIGE",
            "clientRequestId": .string(asked.activity), "activityId": .string(UUID().uuidString.lowercased()),
        ]
        let summary =
            code == "LimitsExceeded" ? "Request has exceeded a limit." : "Request is invalid and cannot be executed."
        return [
            "code": .string(code), "message": .string(summary), "@type": "Kusto.Data.Exceptions.\(type)",
            "@message": .string(message), "@context": context, "@permanent": .bool(isPermanent),
            "@text": .string(asked.text), "@database": .string(KustoRoutes.database),
        ]
    }

    /// The error that tells of a cut result.
    static func truncation(_ message: String, _ asked: KustoRequest) -> JSON {
        [
            "error": object(
                "LimitsExceeded", "KustoServicePartialQueryFailureLimitsExceededException", message, asked,
                isPermanent: false)
        ]
    }
}

/// How an invalid query is told to clients of either interface.
enum QueryErrorText {
    static func isSyntax(_ text: String) -> Bool {
        if ManagementCommands.isCommand(text) { return false }
        return (try? Parser.parse(text)) == nil
    }

    /// The services' own code where it is known
    /// (https://learn.microsoft.com/azure/azure-monitor/logs/api/errors), else the finding's.
    static func code(_ diagnostic: Diagnostic, isSyntax: Bool) -> String {
        if isSyntax { return "SYN0002" }
        return ["KS142", "KS204", "KS211", "KS208"].contains(diagnostic.code) ? "SEM0100" : diagnostic.code
    }
}
