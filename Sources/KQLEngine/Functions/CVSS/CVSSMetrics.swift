/// The metrics of the four versions of CVSS with the values that each may have.
///
/// FIRST's specifications: https://www.first.org/cvss/v2/guide, https://www.first.org/cvss/v3-0/specification-document,
/// https://www.first.org/cvss/v3-1/specification-document, https://www.first.org/cvss/v4-0/specification-document.
enum CVSSMetrics {
    /// What a metric says of: whether it must be there, and which score it changes.
    enum Group { case base, threat, environmental, supplemental }

    struct Metric {
        let name: String
        let values: [String]
        let group: Group
    }

    static func of(_ version: CVSS.Version) -> [Metric] {
        switch version {
        case .v2: v2
        case .v30, .v31: v3
        case .v40: v4
        }
    }

    private static func list(_ group: Group, _ text: String) -> [Metric] {
        text.split(separator: " ").map { entry in
            let parts = entry.split(separator: ":")
            return Metric(
                name: String(parts[0]), values: parts[1].split(separator: ",").map(String.init), group: group)
        }
    }

    private static let v2: [Metric] =
        list(.base, "AV:L,A,N AC:H,M,L Au:M,S,N C:N,P,C I:N,P,C A:N,P,C")
        + list(.threat, "E:U,POC,F,H,ND RL:OF,TF,W,U,ND RC:UC,UR,C,ND")
        + list(.environmental, "CDP:N,L,LM,MH,H,ND TD:N,L,M,H,ND CR:L,M,H,ND IR:L,M,H,ND AR:L,M,H,ND")

    private static let v3: [Metric] =
        list(.base, "AV:N,A,L,P AC:L,H PR:N,L,H UI:N,R S:U,C C:N,L,H I:N,L,H A:N,L,H")
        + list(.threat, "E:X,U,P,F,H RL:X,O,T,W,U RC:X,U,R,C")
        + list(
            .environmental,
            "CR:X,L,M,H IR:X,L,M,H AR:X,L,M,H MAV:X,N,A,L,P MAC:X,L,H MPR:X,N,L,H MUI:X,N,R MS:X,U,C MC:X,N,L,H "
                + "MI:X,N,L,H MA:X,N,L,H")

    private static let v4: [Metric] =
        list(
            .base,
            "AV:N,A,L,P AC:L,H AT:N,P PR:N,L,H UI:N,P,A VC:H,L,N VI:H,L,N VA:H,L,N SC:H,L,N SI:H,L,N SA:H,L,N")
        + list(.threat, "E:X,A,P,U")
        + list(
            .environmental,
            "CR:X,H,M,L IR:X,H,M,L AR:X,H,M,L MAV:X,N,A,L,P MAC:X,L,H MAT:X,N,P MPR:X,N,L,H MUI:X,N,P,A MVC:X,H,L,N "
                + "MVI:X,H,L,N MVA:X,H,L,N MSC:X,H,L,N MSI:X,S,H,L,N MSA:X,S,H,L,N")
        + list(
            .supplemental,
            "S:X,N,P AU:X,N,Y R:X,A,U,I V:X,D,C RE:X,L,M,H U:X,Clear,Green,Amber,Red")
}
