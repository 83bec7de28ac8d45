import KQLEngine
import Tables
import Testing

/// CVSS vectors and their scores: FIRST's equations, from version 2.0 to 4.0.
@Suite struct CVSSTests {
    /// Random vectors with what the library `cvss` 3.6 for Python makes of them: base, temporal and environmental score;
    /// of version 4.0 the score and its severity.
    private static let known = """
        AV:N/AC:M/Au:S/C:C/I:C/A:N/E:F/RC:UR/CDP:ND/TD:H/CR:M/AR:L 7.9 7.1 7.1
        AV:A/AC:M/Au:S/C:C/I:C/A:C/E:H/RL:TF/RC:UR 7.4 6.3 -
        AV:L/AC:M/Au:S/C:C/I:C/A:C 6.6 - -
        AV:L/AC:M/Au:S/C:C/I:C/A:P/RL:OF/RC:C/CR:M/IR:ND 6.2 5.4 5.4
        AV:L/AC:H/Au:M/C:N/I:N/A:C/E:H/TD:H/IR:H 3.7 3.7 3.7
        AV:A/AC:M/Au:N/C:P/I:P/A:N/TD:ND/CR:H/IR:H/AR:H 4.3 - 5.7
        AV:N/AC:H/Au:M/C:N/I:P/A:N/CDP:LM/TD:N/IR:L 1.7 - 0.0
        AV:L/AC:L/Au:M/C:P/I:C/A:P 5.5 - -
        AV:A/AC:H/Au:M/C:P/I:N/A:P/CDP:N/TD:ND/CR:L/IR:L 2.7 - 1.9
        AV:A/AC:H/Au:N/C:N/I:N/A:P 1.8 - -
        AV:N/AC:M/Au:M/C:N/I:P/A:N/CDP:N/CR:M/IR:L/AR:H 2.8 - 1.8
        AV:A/AC:M/Au:M/C:N/I:P/A:N/E:F/RL:TF/RC:C/TD:H/CR:ND/AR:ND 1.9 1.6 1.6
        AV:L/AC:M/Au:N/C:P/I:P/A:P/TD:M/CR:H/IR:ND 4.4 - 3.7
        AV:L/AC:L/Au:S/C:P/I:C/A:P 5.7 - -
        AV:L/AC:M/Au:S/C:C/I:N/A:C/RL:ND/CDP:LM/TD:ND/CR:L/AR:H 6.0 - 7.6
        AV:N/AC:H/Au:S/C:P/I:N/A:N/RC:UC/TD:H/CR:H/IR:H/AR:ND 2.1 1.9 2.8
        AV:L/AC:H/Au:N/C:P/I:P/A:C/RL:TF/RC:UC 5.2 4.2 -
        AV:N/AC:H/Au:S/C:N/I:N/A:N/E:ND/RL:U/TD:ND/IR:H 0.0 0.0 0.0
        AV:N/AC:L/Au:M/C:P/I:C/A:C/CDP:MH/TD:L/CR:M/IR:L 8.0 - 2.1
        AV:N/AC:L/Au:S/C:P/I:P/A:N/RL:ND/RC:ND 5.5 - -
        AV:N/AC:M/Au:M/C:N/I:C/A:P/RC:C/CDP:LM/TD:ND/AR:ND 6.4 6.4 7.5
        AV:N/AC:H/Au:N/C:N/I:C/A:N/E:F/RL:W/RC:C 5.4 4.9 -
        AV:A/AC:M/Au:N/C:N/I:N/A:C/RC:C/CDP:LM/CR:ND/IR:ND 5.7 5.7 7.0
        AV:L/AC:H/Au:S/C:P/I:P/A:N/E:U/RC:UC/IR:H/AR:ND 2.4 1.8 2.4
        AV:L/AC:H/Au:N/C:P/I:C/A:N 4.7 - -
        AV:L/AC:H/Au:N/C:P/I:P/A:C 5.2 - -
        AV:N/AC:L/Au:M/C:P/I:N/A:N/RC:C/TD:M/CR:L/IR:M/AR:L 3.3 3.3 1.7
        AV:N/AC:H/Au:S/C:P/I:P/A:P/E:POC/CR:M/AR:H 4.6 4.1 4.7
        AV:N/AC:L/Au:S/C:C/I:C/A:C/E:F/RL:U 9.0 8.6 -
        AV:L/AC:M/Au:N/C:N/I:P/A:P/RC:C/CDP:LM/TD:N/CR:H 3.3 3.3 0.0
        AV:N/AC:M/Au:N/C:C/I:N/A:N/CDP:N/CR:L/IR:L/AR:H 7.1 - 4.7
        AV:A/AC:L/Au:N/C:C/I:P/A:C/E:U/RL:W/RC:ND/CR:ND/IR:M/AR:L 8.0 6.5 6.0
        AV:A/AC:M/Au:M/C:N/I:N/A:C/RL:U/RC:C 4.8 4.8 -
        AV:L/AC:H/Au:N/C:C/I:P/A:C/RL:TF/CDP:L/TD:M/IR:H/AR:L 5.9 5.3 4.1
        AV:N/AC:L/Au:N/C:N/I:C/A:P/CDP:MH/TD:L/CR:L/AR:ND 8.5 - 2.3
        AV:A/AC:H/Au:S/C:P/I:N/A:P/RL:TF/RC:C 2.9 2.6 -
        AV:L/AC:H/Au:S/C:C/I:C/A:C/E:U/RC:UC/CDP:LM/TD:ND/CR:ND/AR:M 6.0 4.6 6.2
        AV:L/AC:H/Au:S/C:C/I:C/A:C/E:H/RL:W/RC:C 6.0 5.7 -
        AV:L/AC:H/Au:S/C:P/I:N/A:N/RL:W/RC:C 1.0 1.0 -
        AV:A/AC:H/Au:M/C:P/I:P/A:N/E:F/RL:W/RC:UC/AR:L 2.7 2.2 2.2
        CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:C/C:N/I:L/A:H/IR:M/AR:L/MAV:L/MPR:N/MUI:R/MS:U 7.3 7.3 4.7
        CVSS:3.0/AV:N/AC:H/PR:L/UI:N/S:C/C:H/I:H/A:N/IR:M/AR:H/MAV:P/MAC:H/MUI:N/MC:X/MI:X/MA:X 8.2 8.2 6.7
        CVSS:3.0/AV:P/AC:L/PR:N/UI:R/S:C/C:N/I:L/A:L/E:P/RL:X/RC:X 3.7 3.5 3.5
        CVSS:3.0/AV:A/AC:H/PR:N/UI:N/S:U/C:H/I:L/A:L/RL:O/RC:X 6.4 6.1 6.1
        CVSS:3.0/AV:A/AC:L/PR:L/UI:R/S:C/C:H/I:L/A:N 6.9 6.9 6.9
        CVSS:3.0/AV:N/AC:L/PR:H/UI:N/S:U/C:N/I:N/A:H/CR:X/MUI:N/MI:L/MA:N 4.9 4.9 2.7
        CVSS:3.0/AV:L/AC:H/PR:H/UI:N/S:U/C:H/I:N/A:L/E:P/RC:X 4.7 4.5 4.5
        CVSS:3.0/AV:P/AC:H/PR:N/UI:R/S:C/C:H/I:L/A:L/IR:X/MAV:L/MPR:L/MUI:N/MS:X/MA:H 6.2 6.2 7.7
        CVSS:3.0/AV:N/AC:L/PR:H/UI:N/S:U/C:N/I:L/A:H 5.5 5.5 5.5
        CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:C/C:N/I:N/A:N/E:F/RC:R 0.0 0.0 0.0
        CVSS:3.0/AV:P/AC:L/PR:N/UI:R/S:U/C:L/I:N/A:N/CR:H/IR:L/AR:M/MAV:X/MAC:L/MUI:R/MS:U/MC:L/MI:H 2.1 2.1 4.0
        CVSS:3.0/AV:P/AC:L/PR:H/UI:R/S:U/C:L/I:N/A:L/CR:L/AR:L/MAC:L/MUI:N/MS:U/MC:L/MI:X 2.8 2.8 1.7
        CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:H/E:F 8.2 8.0 8.0
        CVSS:3.0/AV:N/AC:L/PR:H/UI:R/S:U/C:H/I:H/A:H/E:H/RL:U/AR:H/MAV:X/MUI:R/MI:N 6.8 6.8 6.8
        CVSS:3.0/AV:L/AC:L/PR:H/UI:R/S:C/C:L/I:N/A:H/E:P/RC:R/MAV:L/MPR:H/MS:X/MI:N 6.3 5.7 5.7
        CVSS:3.0/AV:N/AC:L/PR:L/UI:R/S:C/C:N/I:H/A:H 8.7 8.7 8.7
        CVSS:3.0/AV:P/AC:L/PR:H/UI:R/S:C/C:L/I:H/A:L/E:U/RL:U/RC:C 6.2 5.7 5.7
        CVSS:3.0/AV:L/AC:L/PR:H/UI:R/S:U/C:N/I:N/A:L 2.0 2.0 2.0
        CVSS:3.0/AV:N/AC:L/PR:H/UI:N/S:C/C:L/I:L/A:H/E:U/RC:R/CR:L/AR:L/MUI:N/MS:X/MC:N/MI:L 8.2 7.2 5.1
        CVSS:3.0/AV:A/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:N/CR:H/MS:X/MA:L 6.1 6.1 6.8
        CVSS:3.0/AV:A/AC:L/PR:H/UI:N/S:C/C:N/I:L/A:L/IR:L/MAC:H/MUI:R/MS:X/MA:N 4.8 4.8 1.5
        CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:C/C:H/I:N/A:L/E:X/RL:O/RC:X/MAC:H/MPR:H/MC:H/MI:L/MA:X 7.3 7.0 6.4
        CVSS:3.0/AV:A/AC:L/PR:N/UI:R/S:U/C:L/I:N/A:L/RL:T/CR:M/AR:M/MAV:A/MAC:H/MUI:X/MI:X/MA:N 4.6 4.5 2.5
        CVSS:3.0/AV:A/AC:L/PR:H/UI:N/S:C/C:H/I:N/A:L 6.9 6.9 6.9
        CVSS:3.0/AV:L/AC:H/PR:N/UI:N/S:C/C:N/I:L/A:N/E:P/RL:X/IR:X/AR:M/MAC:X/MPR:H/MS:C/MC:H/MI:H/MA:X 3.2 3.1 6.8
        CVSS:3.0/AV:A/AC:L/PR:H/UI:N/S:C/C:N/I:N/A:H/E:X/RL:U/CR:X/IR:M/AR:H/MAV:A/MAC:H/MPR:N/MUI:R/MC:H 6.2 6.2 7.9
        CVSS:3.0/AV:A/AC:H/PR:L/UI:N/S:C/C:L/I:L/A:N 4.4 4.4 4.4
        CVSS:3.0/AV:A/AC:L/PR:H/UI:R/S:C/C:L/I:H/A:N/RC:X 6.5 6.5 6.5
        CVSS:3.0/AV:A/AC:H/PR:N/UI:R/S:U/C:H/I:N/A:N 4.8 4.8 4.8
        CVSS:3.0/AV:P/AC:L/PR:L/UI:R/S:U/C:L/I:L/A:N/IR:L/AR:M/MAC:H/MPR:L/MS:U 3.1 3.1 2.3
        CVSS:3.0/AV:L/AC:H/PR:H/UI:N/S:U/C:H/I:N/A:L/RC:U/CR:X/MAV:A/MAC:L/MPR:X/MC:X/MI:N 4.7 4.4 4.8
        CVSS:3.0/AV:N/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N/E:F/RL:W 2.0 1.9 1.9
        CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:H/E:U/RL:X/RC:X/CR:H/IR:X/AR:M/MAC:H/MPR:L/MC:H/MI:N/MA:N 6.4 5.9 6.1
        CVSS:3.0/AV:P/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N/E:U/RL:O/RC:R 5.7 4.8 4.8
        CVSS:3.0/AV:A/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H/E:P/RL:T/RC:U/MAV:P/MC:N/MA:X 8.0 6.7 4.9
        CVSS:3.0/AV:L/AC:H/PR:L/UI:N/S:U/C:L/I:H/A:H/CR:L/IR:H/AR:H/MAC:L/MPR:X/MI:L/MA:L 6.5 6.5 5.7
        CVSS:3.0/AV:P/AC:L/PR:L/UI:R/S:C/C:L/I:H/A:N/E:H/RC:U/MAV:X/MAC:X/MUI:X/MC:L 5.7 5.3 5.3
        CVSS:3.0/AV:A/AC:H/PR:L/UI:R/S:C/C:L/I:H/A:H/E:X/RC:U 7.5 6.9 6.9
        CVSS:3.0/AV:L/AC:H/PR:N/UI:R/S:U/C:N/I:H/A:H/RL:W/CR:H/IR:L/MAV:L/MAC:L/MC:X 6.3 6.2 6.2
        CVSS:3.1/AV:A/AC:H/PR:L/UI:R/S:U/C:N/I:H/A:N/RL:T/CR:H/AR:M/MAC:L/MUI:X/MS:C 4.5 4.4 5.9
        CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:L/I:N/A:N/RL:W/RC:X/AR:L/MAV:P/MAC:X/MPR:X/MUI:X/MS:X/MI:L 5.8 5.7 3.9
        CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:N/CR:H/IR:H/MAC:L/MPR:H/MC:H/MI:H/MA:L 5.3 5.3 7.2
        CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:N/I:N/A:L/CR:L/IR:L/AR:M/MAV:P/MPR:H/MUI:X/MC:H/MI:N/MA:H 2.3 2.3 4.7
        CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:L/RL:O 6.4 6.1 6.1
        CVSS:3.1/AV:N/AC:L/PR:H/UI:R/S:U/C:N/I:H/A:H/E:H/RC:C/CR:M/IR:X/AR:L/MUI:X/MI:N/MA:N 6.1 6.1 0.0
        CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:N/IR:X/AR:H/MAV:A/MS:C/MC:N 6.3 6.3 5.8
        CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N/E:F/RC:R 5.4 5.1 5.1
        CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:C/C:N/I:H/A:N/IR:L/MAV:X/MS:X/MC:L 5.6 5.6 4.6
        CVSS:3.1/AV:P/AC:H/PR:H/UI:N/S:U/C:L/I:L/A:H/IR:L/AR:M/MAV:A/MUI:R/MS:X/MC:N/MI:L/MA:H 4.9 4.9 4.3
        CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:L/I:L/A:H/E:P/RL:T/AR:X/MAV:P/MAC:H/MPR:X/MS:C/MC:L/MI:N/MA:H 8.1 7.4 5.2
        CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:C/C:N/I:L/A:L/RL:U/RC:C/CR:M/IR:M/AR:H/MAV:L/MAC:L/MPR:H/MS:C 5.4 5.4 5.3
        CVSS:3.1/AV:N/AC:L/PR:H/UI:R/S:C/C:N/I:N/A:N 0.0 0.0 0.0
        CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N/CR:H/IR:H/MAC:X/MI:N 3.1 3.1 3.8
        CVSS:3.1/AV:P/AC:L/PR:H/UI:N/S:U/C:H/I:L/A:H/CR:M/IR:H/AR:X/MAV:P/MAC:H/MPR:X/MUI:R/MC:N/MI:X 5.8 5.8 4.7
        CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:L/I:H/A:N/CR:X/IR:X/AR:M/MAV:A/MPR:L/MUI:N/MS:U 9.3 9.3 6.3
        CVSS:3.1/AV:N/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N 2.0 2.0 2.0
        CVSS:3.1/AV:N/AC:H/PR:H/UI:R/S:U/C:L/I:H/A:H/RL:O/CR:X/AR:H/MPR:L/MS:X/MA:N 6.0 5.7 5.2
        CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:C/C:L/I:N/A:L/CR:H/AR:L/MAC:L/MPR:N/MC:L/MI:H/MA:H 4.4 4.4 10.0
        CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:U/C:L/I:N/A:L/E:P/RL:W/CR:L/IR:H/MAC:L/MPR:X/MC:N/MI:H 3.3 3.1 6.3
        CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:C/C:N/I:H/A:H/RL:W/RC:C/CR:H/IR:L/MAV:N/MAC:X/MPR:N/MC:L 8.2 8.0 9.0
        CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:H/A:H/RL:O/RC:X 9.4 9.0 9.0
        CVSS:3.1/AV:P/AC:L/PR:L/UI:N/S:C/C:H/I:L/A:H/CR:L/IR:X/MAV:P/MAC:X/MPR:N/MI:N 7.3 7.3 6.3
        CVSS:3.1/AV:L/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:H/CR:L/IR:L/AR:H/MAC:H/MPR:L/MS:C/MC:L/MA:N 7.8 7.8 4.0
        CVSS:3.1/AV:L/AC:L/PR:H/UI:R/S:U/C:L/I:N/A:H/RC:U/CR:X/MAC:L/MPR:N/MS:X/MC:N/MI:H 4.8 4.5 6.6
        CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:U/C:L/I:L/A:N/E:F/RC:C/CR:L/IR:L/AR:X/MAV:X/MAC:H/MPR:N/MC:X/MA:X 4.6 4.5 3.0
        CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:H/A:L/RC:U 4.4 4.1 4.1
        CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:C/C:L/I:H/A:H/CR:X/IR:X/MAV:L/MAC:L/MPR:H/MUI:X/MC:H/MI:L/MA:X 9.0 9.0 8.1
        CVSS:3.1/AV:P/AC:H/PR:L/UI:R/S:C/C:L/I:L/A:N 3.3 3.3 3.3
        CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:C/C:N/I:N/A:N/E:H/CR:L/IR:L/MAV:A/MAC:X/MPR:H/MS:U/MC:X/MI:X/MA:N 0.0 0.0 0.0
        CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:C/C:N/I:L/A:L 5.0 5.0 5.0
        CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H/E:X/RC:R 9.6 9.3 9.4
        CVSS:3.1/AV:A/AC:H/PR:N/UI:N/S:C/C:L/I:H/A:L/CR:H/IR:L/AR:M/MAV:A/MAC:H/MC:N 7.5 7.5 5.1
        CVSS:3.1/AV:N/AC:L/PR:H/UI:R/S:C/C:N/I:L/A:N 3.4 3.4 3.4
        CVSS:3.1/AV:P/AC:L/PR:H/UI:N/S:U/C:N/I:H/A:L/CR:X/AR:M/MAV:X/MUI:R/MC:N/MI:L/MA:N 4.6 4.6 1.7
        CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:C/C:N/I:H/A:L/AR:X/MAV:X/MAC:L/MPR:N/MS:C/MC:L/MI:X 6.1 6.1 6.7
        CVSS:3.1/AV:N/AC:H/PR:H/UI:R/S:C/C:N/I:N/A:N/RL:O/RC:C 0.0 0.0 0.0
        CVSS:3.1/AV:A/AC:H/PR:H/UI:N/S:U/C:H/I:L/A:N 4.8 4.8 4.8
        CVSS:4.0/AV:L/AC:H/AT:P/PR:H/UI:A/VC:N/VI:H/VA:H/SC:N/SI:H/SA:N/E:A/S:P/R:I/V:C/U:Green 5.7 Medium
        CVSS:4.0/AV:P/AC:L/AT:P/PR:L/UI:N/VC:H/VI:N/VA:H/SC:H/SI:H/SA:N/CR:X/MAV:X/MVI:X/S:N/AU:Y/R:A/RE:X 5.9 Medium
        CVSS:4.0/AV:L/AC:H/AT:N/PR:H/UI:A/VC:H/VI:H/VA:L/SC:N/SI:L/SA:L/S:N/AU:X/RE:H 5.3 Medium
        CVSS:4.0/AV:A/AC:H/AT:P/PR:L/UI:A/VC:N/VI:H/VA:H/SC:L/SI:L/SA:L/AU:Y/V:C/U:Green 4.4 Medium
        CVSS:4.0/AV:A/AC:L/AT:P/PR:N/UI:N/VC:N/VI:H/VA:L/SC:H/SI:H/SA:H/E:P 5.7 Medium
        CVSS:4.0/AV:P/AC:L/AT:P/PR:L/UI:N/VC:L/VI:H/VA:H/SC:H/SI:N/SA:H/S:P/AU:X/V:D/RE:H/U:Clear 5.9 Medium
        CVSS:4.0/AV:P/AC:H/AT:N/PR:L/UI:N/VC:L/VI:H/VA:N/SC:L/SI:H/SA:L/S:X/AU:Y/V:C/RE:X/U:Red 5.8 Medium
        CVSS:4.0/AV:P/AC:H/AT:N/PR:H/UI:N/VC:N/VI:L/VA:N/SC:N/SI:L/SA:N/S:N/AU:N/R:U/RE:L/U:Red 1.0 Low
        CVSS:4.0/AV:P/AC:H/AT:P/PR:L/UI:P/VC:N/VI:N/VA:L/SC:H/SI:L/SA:H/S:X/AU:Y/V:D/RE:H/U:Red 2.3 Low
        CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:A/VC:N/VI:N/VA:L/SC:H/SI:N/SA:N/E:P/S:X/AU:Y/R:U/V:X/RE:L/U:Amber 1.8 Low
        CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:A/VC:N/VI:N/VA:H/SC:N/SI:N/SA:L/S:N/AU:X/V:C/RE:X/U:X 4.1 Medium
        CVSS:4.0/AV:P/AC:L/AT:N/PR:N/UI:A/VC:H/VI:N/VA:H/SC:H/SI:H/SA:L/S:N/AU:N/R:X/RE:M 7.1 High
        CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:L/VI:N/VA:N/SC:L/SI:N/SA:N/E:U 1.2 Low
        CVSS:4.0/AV:N/AC:H/AT:P/PR:H/UI:P/VC:N/VI:H/VA:L/SC:L/SI:L/SA:H/S:N/AU:X/R:X/V:X/RE:M/U:Green 7.0 High
        CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:P/VC:N/VI:H/VA:H/SC:L/SI:N/SA:N 5.9 Medium
        CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:L/SA:H/S:N/AU:Y/V:D/RE:X 5.1 Medium
        CVSS:4.0/AV:P/AC:H/AT:N/PR:N/UI:P/VC:H/VI:H/VA:N/SC:H/SI:N/SA:L 6.8 Medium
        CVSS:4.0/AV:A/AC:L/AT:P/PR:H/UI:N/VC:N/VI:H/VA:L/SC:H/SI:N/SA:H/E:X 7.0 High
        """

    @Test func scoresAreExact() throws {
        var versions: [CVSS.Version: Int] = [:]
        for line in Self.known.split(separator: "\n") {
            let parts = line.split(separator: " ").map(String.init)
            let vector = try CVSS(parts[0])
            versions[vector.version, default: 0] += 1
            if vector.version == .v40 {
                #expect(vector.score == Double(parts[1]), "\(line)")
                #expect(vector.severity == parts[2], "\(line)")
            } else {
                #expect(vector.base == Double(parts[1]), "\(line)")
                #expect(vector.score == vector.base, "\(line)")
                #expect(vector.temporal == Double(parts[2]), "\(line)")
                #expect(vector.environmental == Double(parts[3]), "\(line)")
            }
        }
        #expect(versions.count == 4 && versions.values.allSatisfy { $0 >= 10 })
    }

    /// Rounding differs between 3.0 and 3.1, and so does the modified impact when the scope changes.
    @Test func versionsDifferWhereTheyShould() throws {
        let rest = "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O/RC:U"
        #expect(try CVSS("CVSS:3.1/" + rest).base == 9.8)
        let changed = "AV:P/AC:H/PR:L/UI:R/S:C/C:L/I:H/A:H/CR:H/IR:H/AR:H"
        let (old, new) = (try CVSS("CVSS:3.0/" + changed), try CVSS("CVSS:3.1/" + changed))
        #expect(old.base == new.base)
        #expect(old.environmental != new.environmental)
    }

    @Test func nothingAtAllIsZeroWithoutASign() throws {
        for text in [
            "AV:L/AC:H/Au:M/C:N/I:N/A:N", "CVSS:3.0/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N",
            "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:C/C:N/I:N/A:N",
            "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N",
        ] {
            let score = try CVSS(text).score
            #expect(score == 0 && score.sign == .plus, "\(text)")
        }
    }

    @Test(arguments: [
        ("", "empty"), ("CVSS:3.1", "ends behind its version"), ("CVSS:3.1/", "empty field"),
        ("CVSS:9.9/AV:N", "no version 9.9"), ("AV:N/AC:L/Au:N/C:P/I:P", "A is missing"),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P/A:C", "A stands twice"), ("AV:N/AC:L/Au:N/C:P/I:P/A:Z", "not \"Z\""),
        ("(AV:N/AC:L/Au:N/C:P/I:P/A:P", "no metric \"(AV\""),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H ", "not \"H \""),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:X/I:H/A:H", "C is N, L, H"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:S/SA:N", "SI is H, L, N"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA", "\"SA\", which has no value"),
    ])
    func badVectorsAreRefusedByName(_ text: String, _ reason: String) {
        do {
            _ = try CVSS(text)
            Issue.record("\(text) was taken")
        } catch { #expect(error.message.contains(reason), "\(error.message)") }
    }

    @Test func publishersHabitsAreTaken() throws {
        let plain = try CVSS("AV:N/AC:L/Au:N/C:C/I:C/A:N")
        #expect(try CVSS("CVSS:2.0/AV:N/AC:L/Au:N/C:C/I:C/A:N") == plain)
        #expect(try CVSS("(AV:N/AC:L/Au:N/C:C/I:C/A:N)") == plain)
        #expect(plain.isAutomatable && plain.isTotal && !plain.isLocal)
        let order = "AC:L/AV:N/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
        #expect(try CVSS("CVSS:4.0/" + order).score == 9.3)
    }

    @Test func automatableFollowsTheVectorAndVersionFoursOwnWord() throws {
        let four = "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N"
        #expect(try !CVSS(four).isAutomatable)
        #expect(try CVSS(four + "/AU:Y").isAutomatable)
        #expect(try !CVSS(four).isTotal)
        #expect(try CVSS("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N").isAutomatable)
        #expect(try !CVSS("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N").isAutomatable)
        #expect(try CVSS("CVSS:3.1/AV:P/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N").isLocal)
    }

    @Test func queriesScoreVectors() throws {
        let result = try Engine(provider: MemoryTables()).run(
            """
            datatable(v:string)["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV:N/AC:L/Au:N/C:P/I:P", ""]
            | extend p = cvss_parse(v)
            | project cvss_score(v), tostring(p.version), tobool(p.valid), tostring(p.problem), todouble(p.temporal)
            """)
        let rows = try result.primary.rows()
        #expect(rows[0] == [.real(9.8), .string("3.1"), .bool(true), .string(""), .real(9.8)])
        #expect(rows[1] == [.null, .string(""), .bool(false), .string("the metric A is missing"), .null])
        #expect(rows[2][0] == .null)
    }
}
