import Content
import Testing

/// Which columns of `source` reach the table.
@Suite struct TransformUseTests {
    @Test(arguments: [
        ("source", "A B C D"),
        ("source | where A > 1 | project B, X = C", "B C"),
        ("source | extend X = strcat(A, B) | project X", "A B"),
        ("source | extend A = C | project A", "C"),
        ("source | project X = D.part.inner[0]", "D"),
        ("source | project Y = C, X = A", "A"),
        ("source | project-away B", "A C D"),
        ("source | project-away A*, C", "B D"),
        ("source | project-keep B, D", "B D"),
        ("source | project-rename X = A, Y = B | project X", "A"),
        ("source | mv-expand X = D | project X", "D"),
        ("source | mv-expand D | project D", "D"),
        ("source | summarize X = count() by B", "B"),
        ("source | summarize arg_max(A, *) by B", "A B C D"),
        ("source | distinct B", "B"),
        ("source | parse A with * 'x' X:long *", "A B C D"),
        ("source | extend X = pack_all() | project X", "A B C D"),
        ("source | project X = iff(A == 'x', B, C)", "A B C"),
        ("let kept = source | where A == 1; kept | project B", "B"),
        ("let limit = 5; source | where A > limit | project B", "B"),
        ("source | join kind=inner (source) on A | project B", "A B C D"),
        ("source | evaluate bag_unpack(D)", "A B C D"),
        ("source | where (", "A B C D"),
        ("source | top 3 by A | sort by C asc | take 1 | project B", "B"),
        ("source | project X = case(A in ('x', B), 1, 2)", "A B"),
        ("source | project X = A between (B .. C)", "A B C"),
    ]) func columnsThatAreCarried(_ transform: String, _ carried: String) {
        let use = TransformUse(of: transform, source: ["A", "B", "C", "D"], table: ["A", "B", "C", "D", "X"])
        #expect(use.carried.sorted().joined(separator: " ") == carried)
    }
}
