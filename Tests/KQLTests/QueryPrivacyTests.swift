import KQL
import Testing

/// What Kusto keeps out of logs stays out of them.
@Suite struct QueryPrivacyTests {
    @Test func whatIsHiddenInAQueryStaysHidden() {
        for (query, shown) in [
            ("print 1", "print 1"), ("print h'secret'", "print h'****'"),
            ("print H\"a\\\"b\", 'c'", "print H\"****\", 'c'"),
            ("print h@'a''b'", "print h@'****'"), ("print h```a'b```", "print h```****```"),
            ("print 'h', \"h'x'\"", "print 'h', \"h'x'\""), ("print path'x'", "print path'x'"),
            ("// h'a'\nprint h'b'", "// h'****'\nprint h'****'"), ("print h'never ends", "print h'****"),
            ("print 'it''s' , h'x'", "print 'it''s' , h'****'"), ("h'x'", "h'****'"),
            ("print @'\\', h'x'", "print @'\\', h'****'"),
            ("print h", "print h"), ("", ""),
        ] {
            #expect(QueryPrivacy.hidden(query) == shown)
        }
    }
}
