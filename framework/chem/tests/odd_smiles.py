"""Odd texts that may or may not be SMILES, by kind. `LIMITS` are those that RDKit reads and this crate refuses by design."""


def nested(depth, after=""):
    return "C(" * depth + "C" + (")" + after) * depth


KINDS = {
    "empty component": [".", "..", ".C", "C.", "C..C", "C...C", ".C.", "C.C.", ".C.C", "CC..O", "[Na+]..[Cl-]", "C(C).", "C1CC1."],
    "empty branch": ["C()", "C()C", "CC()C", "C()()", "C(C)()", "C(())C", "C(()C)C", "c1ccccc1()", "N()=O", "()", "()C"],
    "branch": [
        "C(C)", "C(C)(C)", "C(C)(C)(C)C", "(C)", "(C)C", "((C))", "C((C))", "C((C)C)", "C(C", "C)", "C(C))", "C(", ")", "(",
        "C(C(C)", "CC(C)C)C", "C.(C)", "C(C).C", "C(=O)(=O)", "C(=O)C", "C(-C)C", "C(#N)C", "C(/C)=C/C", "C(.C)C", "C(C.)C",
        "C(.)C", "C(C.C)C", "C(1CC1)", "C(=1CC1)", "C(C)1CC1", "C(C)=1CC1", "C(C1)C1", "C(C1)1", "C1(C1)", "C1(CC1)",
    ],
    "dot in branch": [
        "C(O.N)C", "O.C(N)O", "c1cc(O.NCCO)ccc1", "C(O.N.S)C", "C(O.N(S.P)C)C", "C1(O.N1)C", "C1(O.N1CC1)C1", "C(C.O)(C.N)C",
        "C(=O.N)C", "F/C=C(/C.O)Cl", "C[C@](F.O)(Cl)Br", "N[C@@H](C.O)C(=O)O", "[C@H]1(O.N)CC1", "C(C(C.O)C)C", "C(O.N1CC1)C",
        "C%10(O.N%10)C", "C1(O.C1)C1CC1", "C[Pt@SP1](O.N)C", "C(O.[Na+])=O", "C(O..N)C", "C(O.N", "C(O.=N)C", "C(O.1)C",
        "C(O.(N))C", "C(.O)", "F/C=C/1.C(O.N)1",
    ],
    "bond without an atom": [
        "=C", "-C", "#N", "/C", "\\C", "~C", ":C", "$C", "->C", "C=", "C-", "C#", "C/", "C\\", "C~", "C:", "C$", "C->", "C<-",
        "C(=)", "C(=)C", "C(-)C", "C(C=)C", "C=)C", "C=(C)C", "C-(C)", "C.=C", "C=.C", "=", "-", "C(=C", "CC=(O)", "C1CC1=",
    ],
    "two bonds": ["C==C", "C=-C", "C--C", "C-=C", "C##N", "C=#C", "C//C", "C/\\C", "C~~C", "C::C", "C$$C", "C->=C", "C=->C", "C==1CC1"],
    "ring closure of one atom": ["C11", "C1C11", "C22", "C%10%10", "C%(5)%(5)", "C1(1)", "CC11C", "c11ccccc1", "C1=1", "[C]11"],
    "ring closure of bonded atoms": [
        "C1C1", "C12CC12", "C1=C1", "C12C1C2", "C1(C1)", "C1(C)(C1)", "C12.C12", "C1.C1", "C12.C1.C2", "CC1C1", "C1CC11CC1",
        "C123CC1CC2CC3", "C%10C%10",
    ],
    "ring label": [
        "C0CC0", "C1CC1", "C9CC9", "C%10CC%10", "C%99CC%99", "C%00CC%00", "C%01CC1", "C%1CC%1", "C%12CC%(12)", "C%(5)CC5",
        "C%(0)CC0", "C%(00)CC0", "C%(00001)CC1", "C%(000001)CC1", "C%(100)CC%(100)", "C%(99999)CC%(99999)", "C%(123456)CC%(123456)",
        "C%", "C%%", "C%1", "C%(", "C%()", "C%(1", "C%(a)CC%(a)", "C%(-1)C", "C%-11", "1CC1", "%11", "C.1CC1", "C12CC1CC2", "C1CC1C1CC1",
    ],
    "open ring": ["C1", "C1CC", "C1CC2", "C1CC1CC1", "c1ccccc", "C1CC%10", "C%(7)CC", "C1.C2", "C12CC1", "C(C1)C", "C1CCC%1"],
    "bond of a ring": [
        "C=1CC=1", "C=1CC1", "C1CC=1", "C=1CC-1", "C-1CC=1", "C#1CC=1", "C=1CC#1", "C-1CC-1", "C:1CC-1", "c1ccccc:1", "c-1ccccc1",
        "c-1ccccc:1", "C/1CC/1", "C/1CC\\1", "C/1CC=1", "C=1CC/1", "C~1CC1", "C1CC~1", "C~1CC=1", "C=1CC~1", "C->1CC1", "C1CC->1",
        "N->1CC[Fe]1", "N1CC[Fe]<-1", "N->1CC[Fe]->1", "F/C=C/1.C1", "F/C=C1.C/1", "F/C=C/1.C/1", "F/C=C/1.C\\1", "F/C=C\\1.C\\1",
        "F/C=C/1.C-1", "F/C=C-1.C/1", "F/C=C/1.C=1", "F/C=C~1.C/1", "C$1CC1", "C=%11CC%11", "C-%(11)CC%11", "C1CC=", "C==1CC1",
    ],
    "doubled or escaped backslash": [
        "C/C=C\\C", "C/C=C\\\\C", "C\\\\C=C/C", "F/C=C\\\\F", "C/C=C\\\\\\C", "C/C=C\\\\\\\\C", "C\\/C=C\\/C", "C\\/C=C/C", "C\\u002FC",
        "C\\nC", "C\\tC", "C\\\"", "C(\\\\C)=C/C", "C\\\\1CC1", "[C@@H](C)(\\\\C=C)N",
    ],
    "other escapes and quotation": [
        "C%23N", "C%3DC", "CC%28C%29C", "C&gt;C", "C&#61;C", "C&amp;C", "\"CC\"", "'CC'", "`CC`", "C\"C", "{CC}", "<CC>", "CC;", "CC,",
        "CC,CC", "CC;CC", "$CC$",
    ],
    "brackets": [
        "[]", "[C", "C]", "[[C]]", "[C]]", "[", "]", "[ C]", "[C H4]", "[C]", "[CH4]", "[C][C]", "[C[C]]", "[(C)]", "[C=C]", "[CC]", "[C1]",
        "[1]", "[+]", "[H", "[@]", "[:1]", "[.]", "[CH3][CH3]",
    ],
    "element": [
        "[Xx]", "[Zz]", "[A]", "[Q]", "[X]", "[M]", "[R]", "[R1]", "[D]", "[T]", "[J]", "[L]", "[SI]", "[CL]", "[cl]", "[br]", "[NA]", "[nA]",
        "[sn]", "[ge]1ccccc1", "[Uue]", "[Uuo]", "[Uun]", "['Og']", "['C']", "[#6]", "[#6H4]", "[#0]", "[#118]", "[#119]", "[#06]", "[#]",
        "[#C]", "[13#6H4]", "[Og]", "[Ts]", "[Nh]", "[Cn]", "[Lr]", "[U]", "[He]", "[Fe]", "[Na+]", "A", "D", "E", "G", "H", "Q", "R", "T", "X",
        "Na", "NA", "Si", "Se", "se1cccc1", "as1cccc1", "te1cccc1", "CL", "cl", "BR", "br", "i", "f", "h", "x", "xyz", "HCl", "NaCl", "H2O",
        "CH4", "CH3CH3", "C2H6", "benzene", "None", "nan", "NA", "null", "-", "?", "0", "12345", "Cl", "Br", "I", "F", "B", "P", "S",
    ],
    "isotope": [
        "[13CH4]", "[2H]O[2H]", "[0C]", "[01C]", "[00C]", "[999C]", "[1000C]", "[65535C]", "[65536C]", "[65537C]", "[99999C]",
        "[2147483639C]", "[2147483640C]", "[99999999999C]", "[-1C]", "[+1C]", "[1.5C]", "[C13]", "[13]", "[13*]", "13C", "[2H][2H]", "[4H]",
        "[0H]C", "[2H]C", "[2H+]",
    ],
    "charge": [
        "[C+]", "[C-]", "[C++]", "[C--]", "[C+++]", "[C---]", "[C+-]", "[C-+]", "[C+2]", "[C+0]", "[C-0]", "[C+00]", "[C+01]", "[2+]", "[C2+]",
        "[C+15]", "[C+16]", "[C-100]", "[C+100]", "[C+127]", "[C-127]", "[C+128]", "[C-128]", "[C-129]", "[C+300]", "[C+9999999999]", "[Na+99]",
        "[Fe+3]", "[Fe+++]", "[O-2]", "C+", "C-[O-]", "N+", "[+C]", "[NH4+]", "[H+]", "[H-]", "[H++]", "[OH-]", "[OH3+]", "[CH5+]",
    ],
    "hydrogens": [
        "[CH0]", "[CH1]", "[CH00]", "[CH01]", "[CH4]", "[CH5]", "[CH9]", "[CH10]", "[CH12]", "[CH99]", "[CH100]", "[CH256]", "[CH9999999999]",
        "[CHH]", "[CHHHH]", "[HH]", "[HH0]", "[HH1]", "[HH2]", "[H]", "[H2]", "[H3+]", "[H][H]", "[H]=[H]", "[HH+]", "[H]C", "C[H]",
        "[H]C([H])([H])[H]", "[H]O[H]", "[2H]C([2H])([2H])[2H]", "[H].[H]", "[NH5]", "[NH4]", "[BH4-]", "[BH4]", "[LiH2]", "[UH20]", "[FeH12]",
        "[C+H3]", "[*H]", "[*H2]", "[OH3]", "[FH2]", "[SH6]", "[PH5]", "[nH]1cccc1", "[H]n1cccc1", "[cH]1[cH][cH][cH][cH][cH]1",
    ],
    "atom map": [
        "[CH4:1]", "[C:1]", "[C:0]", "[C:]", "[C:01]", "[C:a]", "[C:-1]", "[C:99999]", "[C:2147483639]", "[C:2147483640]", "[:1]", "[C:1:2]",
        "[CH3:1][CH2:2][OH:3]", "[cH:1]1[cH:5][cH:3][cH:2][cH:4][cH:6]1", "[cH:1]1[c:2]([CH3:5])[cH:4][cH:3][cH:6][cH:7]1", "[H:1][C:2]",
        "[2H:1]C", "[*:1]C", "[C:1+]", "[CH3+:1]", "[13C@@H:7](F)(Cl)Br", "[O-:1][N+:2](=[O:3])[c:4]1[cH:5][cH:6][cH:7][cH:8][cH:9]1", "C:1",
        "[C@H:1](F)(Cl)Br", "[Na+:1].[Cl-:2]", "[CH3:1]~[CH3:2]",
    ],
    "chirality": [
        "C@", "C@@", "[C@]", "[C@@]", "[C@@@]", "[C@H]", "[CH@]", "[CH3@]", "[@C]", "[C@@H2]", "[C@?]", "N[C@H](C)O", "N[C@@H](C)O",
        "[C@](F)(Cl)(Br)I", "F[C@@](Cl)(Br)I", "[C@TH](F)(Cl)(Br)I", "[C@TH1](F)(Cl)(Br)I", "[C@TH2](F)(Cl)(Br)I", "[C@TH3]", "[C@TH0]",
        "[C@TH01]", "[C@T]", "[C@XX1]", "[C@AL1]", "[C@AL2]", "[C@AL3]", "[C@AL]", "[Pt@SP1](F)(Cl)(Br)I", "[Pt@SP2](F)(Cl)(Br)I",
        "[Pt@SP3](F)(Cl)(Br)I", "[Pt@SP4](F)(Cl)(Br)I", "[Pt@SP0]", "[Pt@SP]", "[As@TB1](F)(Cl)(Br)(N)S", "[As@TB20](F)(Cl)(Br)(N)S",
        "[As@TB21](F)(Cl)(Br)(N)S", "[Co@OH1](F)(Cl)(Br)(I)(N)S", "[Co@OH30](F)(Cl)(Br)(I)(N)S", "[Co@OH31](F)(Cl)(Br)(I)(N)S", "[H@]", "[2H@]",
        "[*@]", "[*@SP1]", "[#6@](F)(Cl)(Br)I", "[H@H]", "[P@](C)(N)O", "C[S@](=O)N", "[C@1](F)(Cl)(Br)I",
    ],
    "aromatic": [
        "c1ccccc1", "c", "n", "cc", "ccc", "cccc", "c1cc1", "c1ccc1", "c1cccc1", "c1cccccc1", "c1ccccccc1", "c1cccccccc1", "c1cc[nH]c1",
        "c1ccnc1", "n1cccc1", "[nH]1cccc1", "c1cncc1", "c1ncncn1", "o1cccc1", "o1ccccc1", "[o+]1ccccc1", "s1cccc1", "s1ccccc1", "[s+]1ccccc1",
        "p1ccccc1", "[pH]1cccc1", "b1ccccc1", "b1cccc1", "[bH]1cccc1", "[se]1cccc1", "[seH]1cccc1", "[te]1cccc1", "[as]1ccccc1", "[as]1cccc1",
        "[asH]1cccc1", "[si]1ccccc1", "[siH]1ccccc1", "[c-]1cccc1", "[cH-]1cccc1", "[cH+]1cccccc1", "c1ccccc1c", "c1ccccc1-c1ccccc1",
        "c1ccccc1c1ccccc1", "c1ccccc1=O", "O=c1cccc[nH]1", "O=c1ccccn1", "c1cc2ccccc2c1", "c1ccc2[nH]ccc2c1", "c1ccc2nccc2c1", "C:C", "C:C:C",
        "c:c", "c=c", "c1:c:c:c:c:c1", "c1=cc=cc=c1", "c1-c-c-c-c-c-1", "c1c2ccccc2ccc1", "*1ccccc1", "*1cccc1", "a1aaaaa1", "[n+]1ccccc1",
        "[nH+]1ccccc1", "c1cc(=O)cc1", "Cn1cccc1=O", "c1ccc[n+]([O-])c1", "[c]1ccccc1",
    ],
    "valence": [
        "C(C)(C)(C)(C)C", "CC(C)(C)(C)C", "C=C=C", "C=C(C)(C)C", "C#C#C", "N(C)(C)(C)C", "[N+](C)(C)(C)C", "O(C)(C)C", "[O+](C)(C)C", "O=O=O",
        "F(C)C", "FF", "F=F", "Cl(C)C", "Cl=O", "Cl(=O)(=O)(=O)O", "Br(C)C", "I(C)C", "I(=O)(=O)C", "B(C)(C)C", "B(C)(C)(C)C", "[B-](C)(C)(C)C",
        "P(C)(C)(C)(C)C", "P(C)(C)(C)(C)(C)C", "S(C)(C)(C)C", "S(F)(F)(F)(F)(F)F", "S(F)(F)(F)(F)(F)(F)F", "CN(=O)=O", "C[N+](=O)[O-]", "CN=N#N",
        "CN=[N+]=[N-]", "[C-]#[O+]", "[Na]C", "[He]C", "[Xe](F)F", "[Xe](F)(F)(F)F", "[Ne]C", "[Li](C)C", "[Mg](C)C", "[Al](C)(C)(C)C",
        "[Si](C)(C)(C)(C)C", "[Fe](C)(C)(C)(C)(C)(C)C", "[Zn](C)C", "O(=[Fe])C", "[H]=OC", "C[H]C", "[As](C)(C)(C)(C)C", "[Se](C)(C)(C)C",
    ],
    "other bonds": [
        "C$C", "C$[C]", "[Re]$[Re]", "C$C$C", "C~C", "CO~C", "C->C", "C<-C", "[NH3]->[Fe]", "[Fe]<-N", "C->[Fe]", "C<C", "C>C", "C-<C", "C->(C)",
        "C(->C)C", "C<->C", "C=>C", "C==>C", "C-C", "C@C", "C!C", "C-!@C", "C,C", "C;C", "C&C", "C^C", "C_C", "C+C", "C*C", "C|C",
    ],
    "reaction": ["C>>C", "CC>>CC", "C>O>C", "CC>>", ">>CC", ">>", ">", "C.C>>CC", "[CH3:1]>>[CH3:1]", "C>>", "CC>CC"],
    "wildcard": ["*", "**", "*C", "C*", "*C*", "[*]", "[*:1]", "[1*]", "[*+]", "[*-2]", "*1CC1", "*=*", "*#*", "C=*", "c*", "*c", "*.*", "*@", "[**]", "[R#]"],
    "blank": [
        " CC", "CC ", "  CC  ", "\tCC", "CC\t", "CC\n", "\nCC", "CC\r\n", "C C", "C\tC", "C\nC", "CC\nCC", "C\rC", "C\x0bC", "C\x0cC", "CC name",
        " CC name", "CC  two names", "[C H]", "C( C)C", "CC\tname\tmore", "CC |", "\n\nC N",
    ],
    "characters beyond ASCII": [
        "é", "Cé", "éC", "CéC", "\ufeffCC", "CC\u200b", "C\u200bC", "\u00a0CC", "C\u00a0C", "CC\u00a0", "C\u2013C", "C\u2014C", "C\u2261N", "Ｃ",
        "С", "C=С", "[Νa+]", "C\x00C", "CC\x00", "\x7fCC", "C🦀", "🦀", "[é]", "C(é)C", "C\u2212[O-]",
    ],
    "CXSMILES": [
        "CC ||", "CC | |", "CC |$a;b$|", "CC |$a;b$| name", "CC\t|$a;b$|", "CC name |$a;b$|", "CC name|", "CC |$a;b$,r|", "CC |$_AV:1;2$|",
        "CC |atomProp:0.a.b|", "CC |atomProp:0.a.b:1.c.d|", "CC |(0,0,;1,0,)|", "CC |r|", "C[C@H](O)F |a:1|", "C[C@H](O)F |o1:1|",
        "C[C@H](O)F |&1:1|", "C[C@H](O)F |o1:1,r|", "CC* |$;;_R1$|", "*C |$_AP1;$|", "CC |$a|", "CC |$a;b$", "CC |x", "CC|$a;b$|", "CC |a0|",
        "CC |^8:0|", "CC |atomProp:0|", "CC |foo:bar|",
    ],
    "long and deep": [
        "C" * 4000, "C" * 4000 + ")", "(" * 4000, "C(" * 2000, "C" + ")" * 3000, "[" * 4000, "[C" * 2000, "C1" * 2000, "." * 3000, "C." * 2000,
        "C=" * 2000, "=" * 4000, "%" * 3000, "1" * 3000, "C%10" * 1000, nested(100), nested(400), nested(501), nested(1200), nested(1600),
        nested(300, "O"), nested(490, "O"), "C()" * 1000, "C(C)" * 900, "C(C.C)" * 20, "[13CH4:1]." * 300 + "C", "C%(99999)" * 400, "c1ccccc1" * 300,
        "C" + "(C" * 450 + ".O" + ")" * 450, "[" + "1" * 4000 + "C]", "[C" + "+" * 4000 + "]", "[C:" + "9" * 4000 + "]",
    ],
}

LIMITS = {
    "bond ~ in a ring": ["C1~CC1", "c1ccc~cc1", "C1CC~CC1"],
    "bond ~ beside hydrogens or stereo": ["[H]~C", "C~[H]", "C[C@H]~C"],
    "CXSMILES that changes or may change": [
        "CC |^1:0|", "CC |^2:0|", "CC=CC |t:1|", "CC=CC |c:1|", "CC |$Q_e;$|", "CC |(0,0,0;1,0,1)|", "CC.O |C:0.1|", "CC.O |H:0.1|",
        "CC(O)F |w:1.0|", "CC |SgD:0:a:b::::|", "C* |m:0:1|", "CC |rb:0:*|", "CC |zz|",
    ],
    "nested more than 500 deep": [nested(600, "O")],
    "more than 5,000 bytes": ["C" * 5001, "CC " + "a" * 5000],
}
