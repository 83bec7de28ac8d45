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
            let told = "\(diagnostic.message)\(hint) [line:position=\(line):\(column)]"
            return response(
                isSyntax ? "BadRequest_SyntaxError" : "General_BadRequest",
                isSyntax ? "SyntaxException" : "SemanticException",
                "\(kind): \(code): \(told)", asked,
                inner: (QueryErrorText.serviceCode(diagnostic, isSyntax: isSyntax), told))
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
        _ asked: KustoRequest, isPermanent: Bool = true, inner: (code: String, message: String)? = nil
    ) -> Response {
        var error = object(code, type, message, asked, isPermanent: isPermanent)
        if let inner, case .object(var members) = error {
            members["innererror"] = self.inner(inner.code, type, inner.message, message, asked)
            error = .object(members)
        }
        let body: JSON = ["error": error]
        return Answer.bytes(
            body.bytes, type: "application/json; charset=utf-8", status: status,
            headers: KustoHeader.answer(asked.activity))
    }

    /// What was wrong, with the service's own code
    /// (https://learn.microsoft.com/kusto/api/rest/response-http-v2#http-response-body-on-request-failure).
    private static func inner(
        _ code: String, _ type: String, _ message: String, _ whole: String, _ asked: KustoRequest
    ) -> JSON {
        [
            "code": .string(code), "message": .string(message), "@type": "Kusto.Data.Exceptions.\(type)",
            "@message": .string(whole), "@context": context(asked), "@permanent": true, "@errorCode": .string(code),
            "@errorMessage": .string(message),
        ]
    }

    private static func context(_ asked: KustoRequest) -> JSON {
        [
            "timestamp": .string(DateTime.format(SystemClock.now())), "serviceAlias": "VESTIGE",
            "clientRequestId": .string(asked.activity), "activityId": .string(UUID().uuidString.lowercased()),
        ]
    }

    /// One error as the "OneApi" form has it
    /// (https://learn.microsoft.com/kusto/api/rest/response-http-v2#the-meaning-of-oneapierrors).
    static func object(_ code: String, _ type: String, _ message: String, _ asked: KustoRequest, isPermanent: Bool)
        -> JSON
    {
        let context = context(asked)
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

    /// The code of the service's engine: `SYN…` and `SEM…`. Where it has one of its own for a finding is known for
    /// names and
    /// for operators.
    static func serviceCode(_ diagnostic: Diagnostic, isSyntax: Bool) -> String {
        if isSyntax { return "SYN0002" }
        switch diagnostic.code {
        case "KS142", "KS204", "KS208": return "SEM0100"
        case "KS211": return "SEM0260"
        case "KS106": return "SEM0064"
        default: return "SEM0001"
        }
    }

    /// The services' own code where it is known
    /// (https://learn.microsoft.com/azure/azure-monitor/logs/api/errors), else the finding's.
    static func code(_ diagnostic: Diagnostic, isSyntax: Bool) -> String {
        if isSyntax { return "SYN0002" }
        return ["KS142", "KS204", "KS211", "KS208"].contains(diagnostic.code) ? "SEM0100" : diagnostic.code
    }
}
