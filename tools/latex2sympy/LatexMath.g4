// LaTeX mathematics as answers write it. Rules run from loose to tight: answer, relation, set expression, sum, product,
// implicit product, factor, primary. What LaTeX only says about layout (\left, \, \displaystyle, $) the lexer skips, so
// error positions are offsets in the text as given. tools/latex2sympy/reader.py turns the parse into an expression tree.
//
// Regenerate the parser with `python -m tools.latex2sympy.generate`.
grammar LatexMath;

answer : items EOF ;
items : relation (separator relation)* ;
separator : (COMMA | SEMICOLON | AND | OR)+ ;

relation : RELATION? sets (relationSign sets)* modulus? ;
relationSign : RELATION | NOT RELATION ;
modulus : PMOD argument | LPAREN MOD sets RPAREN ;

sets : sum (setOperator sum)* ;
setOperator : CUP | CAP | SETMINUS ;
sum : signed (sign signed)* ;
sign : PLUS | MINUS | PLUSMINUS | MINUSPLUS ;
signed : sign* product ;
product : implicit (productSign sign* implicit)* ;
productSign : TIMES | OVER | MOD ;
implicit : factor+ ;

factor : primary postfix* ;
postfix
    : CARET exponent
    | UNDERSCORE subscript
    | FACTORIAL
    | PERCENT
    | PRIMES
    | DEGREE
    ;
exponent : sign* (LBRACE mark+ RBRACE | mark | primary) ;
mark : ASTERISK_MARK | TIMES | PRIMES | PRIME_MARK | CIRC ;
subscript : rawGroup | (LETTER | NUMBER | GREEK | TEXT) ;
rawGroup : LBRACE raw* RBRACE ;
raw : rawGroup | ~(LBRACE | RBRACE) ;

primary
    : NUMBER                                             # number
    | REPEATING                                          # repeating
    | symbol                                             # name
    | CONSTANT                                           # constant
    | NUMBER_SET                                         # numberSet
    | EMPTY_SET                                          # emptySet
    | DIFFERENTIAL                                       # differential
    | CURRENCY factor                                    # currency
    | bracket                                            # group
    | FRAC upper=argument lower=argument                 # fraction
    | ROOT (LBRACKET items RBRACKET)? argument           # root
    | BINOM argument argument                            # binomial
    | function                                           # call
    | integral                                           # anIntegral
    | BIG_OPERATOR operatorRange implicitSigned          # bigOperator
    | LIMIT UNDERSCORE LBRACE relationLimit RBRACE implicitSigned # limit
    | OVERLINE argument                                  # conjugate
    | ACCENT argument                                    # accent
    | BOXED argument                                     # boxed
    | VARIABLE                                           # variable
    | matrix                                             # aMatrix
    | CASES_BEGIN caseRow (NEWLINE caseRow)* NEWLINE? CASES_END # cases
    ;
symbol : LETTER | GREEK | TEXT ;
implicitSigned : sign* product ;

// One braced group or one sign, as after \frac and \sqrt; the reader cuts a NUMBER after its first digit there.
argument : LBRACE items RBRACE | primary ;

bracket
    : LPAREN items RPAREN
    | LPAREN items RBRACKET
    | LBRACKET items RBRACKET
    | LBRACKET items RPAREN
    | LBRACE items (CHOOSE items)? RBRACE
    | LSET items (SUCH_THAT items | BAR items | COLON items)? RSET
    | LSET RSET
    | LANGLE items RANGLE
    | LANGLE items (BAR | SUCH_THAT) (items RANGLE)?
    | BAR items RANGLE
    | LFLOOR sets RFLOOR
    | LCEIL sets RCEIL
    | BAR sets BAR
    | LABS sets RABS
    | NORM sets NORM
    ;

function : FUNCTION functionMark* functionArgument ;
functionMark : UNDERSCORE subscriptValue | CARET exponent ;
subscriptValue : LBRACE items RBRACE | primary ;
// A differential ends an argument, and the builder says whether a function does: \sin x \cos x dx is three factors.
functionArgument
    : argumentBracket
    | sign* ((functionFactor | differentialArgument) functionFactor* function? | function)
    ;
differentialArgument : DIFFERENTIAL postfix* ;
argumentBracket : LPAREN items RPAREN | LBRACE items RBRACE | LBRACKET items RBRACKET | LSET items RSET ;
functionFactor : functionPrimary postfix* ;
functionPrimary
    : NUMBER                                             # plainNumber
    | symbol                                             # plainName
    | CONSTANT                                           # plainConstant
    | FRAC upper=argument lower=argument                 # plainFraction
    | ROOT (LBRACKET items RBRACKET)? argument           # plainRoot
    | VARIABLE                                           # plainVariable
    | BAR sets BAR                                       # plainAbsolute
    | LABS sets RABS                                     # plainAbsolute
    | BINOM argument argument                            # plainBinomial
    | matrix                                             # plainMatrix
    | OVERLINE argument                                  # plainConjugate
    | ACCENT argument                                    # plainAccent
    ;

integral : INTEGRAL (UNDERSCORE bound | CARET bound)* sum ;
operatorRange : UNDERSCORE LBRACE relation RBRACE (CARET bound)? | CARET bound UNDERSCORE LBRACE relation RBRACE ;
bound : LBRACE RBRACE | LBRACE items RBRACE | sign? primary ;
relationLimit : sets TO sets (CARET (sign | LBRACE sign RBRACE))? ;

matrix : MATRIX_BEGIN row (NEWLINE row)* NEWLINE? MATRIX_END ;
row : relation (AMPERSAND relation)* ;
caseRow : items (AMPERSAND items)? ;

// Layout.
WHITESPACE : ([ \t\r\n\f] | '~')+ -> skip ;
SPACING : ('\\,' | '\\;' | '\\:' | '\\!' | '\\>' | '\\ ' | '\\quad' | '\\qquad' | '\\thinspace' | '\\medspace' | '\\thickspace'
    | '\\negthinspace' | '\\negmedspace' | '\\negthickspace' | '\\enspace') -> skip ;
SIZING : ('\\left.' | '\\right.' | '\\left' | '\\right' | '\\mleft' | '\\mright' | '\\middle' | '\\big' | '\\Big' | '\\bigg' | '\\Bigg'
    | '\\bigl' | '\\bigr' | '\\Bigl' | '\\Bigr' | '\\biggl' | '\\biggr' | '\\displaystyle' | '\\textstyle' | '\\limits' | '\\nolimits'
    | '\\hline') -> skip ;
DELIMITER : ('$' | '\\(' | '\\)' | '\\[' | '\\]') -> skip ;

// Operators and signs.
PLUS : '+' ;
MINUS : '-' | '\u2212' ;
PLUSMINUS : '\\pm' | '\u00b1' ;
MINUSPLUS : '\\mp' ;
TIMES : '*' | '\\cdot' | '\\times' | '\\cdotp' | '\u00d7' | '\u00b7' ;
ASTERISK_MARK : '\\ast' | '\\star' ;
OVER : '/' | '\\div' | '\u00f7' ;
MOD : '\\mod' | '\\bmod' | 'mod' ;
PMOD : '\\pmod' ;
CARET : '^' ;
UNDERSCORE : '_' ;
FACTORIAL : '!' ;
PERCENT : '\\%' | '%' ;
PRIMES : '\''+ ;
PRIME_MARK : '\\prime' ;
CIRC : '\\circ' ;
DEGREE : '\\degree' | '\u00b0' ;
CURRENCY : '\\$' ;
COMMA : ',' ;
SEMICOLON : ';' ;
COLON : ':' ;
AND : 'and' | '\\land' | '\\wedge' | '\\text' [ ]? '{' [ ,]* 'and' [ ]* '}' ;
OR : 'or' | '\\lor' | '\\vee' | '\\text' [ ]? '{' [ ,]* 'or' [ ]* '}' ;
NOT : '\\not' ;
RELATION
    : '=' | '<' | '>' | '<=' | '>=' | '!=' | '==' | '\\lt' | '\\gt' | '\\le' | '\\leq' | '\\leqslant' | '\\ge' | '\\geq' | '\\geqslant' | '\\ne'
    | '\\neq' | '\\in' | '\\notin' | '\\approx' | '\\equiv' | '\\subset' | '\\subseteq' | '\\supset' | '\\supseteq' | '\\leqq' | '\\geqq'
    | '\u2264' | '\u2265' | '\u2260' | '\u2208' | '\u2209' | '\u2286' | '\u2287' | '\u2282' | '\u2283' | '\u2248'
    ;
CUP : '\\cup' | '\u222a' | '\\bigcup' ;
CAP : '\\cap' | '\u2229' | '\\bigcap' ;
SETMINUS : '\\setminus' | '\\backslash' | '\u2216' ;
TO : '\\to' | '\\rightarrow' | '\\Rightarrow' | '\\longrightarrow' | '\\Longrightarrow' | '\u2192' ;
SUCH_THAT : '\\mid' ;

// Brackets.
LPAREN : '(' | '\\lgroup' ;
RPAREN : ')' | '\\rgroup' ;
LBRACKET : '[' | '\\lbrack' ;
RBRACKET : ']' | '\\rbrack' ;
LBRACE : '{' ;
RBRACE : '}' ;
LSET : '\\{' | '\\lbrace' ;
RSET : '\\}' | '\\rbrace' ;
LANGLE : '\\langle' ;
RANGLE : '\\rangle' ;
LFLOOR : '\\lfloor' | '\\llcorner' ;
RFLOOR : '\\rfloor' | '\\lrcorner' ;
LCEIL : '\\lceil' | '\\ulcorner' ;
RCEIL : '\\rceil' | '\\urcorner' ;
BAR : '|' | '\\vert' ;
LABS : '\\lvert' ;
RABS : '\\rvert' ;
NORM : '\\|' | '\\Vert' | '\\lVert' | '\\rVert' ;

// Commands with arguments.
FRAC : '\\frac' | '\\dfrac' | '\\tfrac' | '\\cfrac' ;
ROOT : '\\sqrt' ;
BINOM : '\\binom' | '\\dbinom' | '\\tbinom' ;
CHOOSE : '\\choose' ;
INTEGRAL : '\\int' | '\u222b' ;
BIG_OPERATOR : '\\sum' | '\\prod' ;
LIMIT : '\\lim' ;
OVERLINE : '\\overline' ;
ACCENT : '\\bar' | '\\vec' | '\\hat' | '\\tilde' | '\\dot' ;
BOXED : '\\boxed' | '\\mathbf' | '\\boldsymbol' | '\\underline' ;
VARIABLE : '\\variable{' [A-Za-z0-9]+ '}' ;
FUNCTION
    : '\\' FUNCTION_NAME
    | '\\operatorname' '*'? [ ]? '{' [ ]* (FUNCTION_NAME | 'floor' | 'ceil' | 'trace' | 'tr' | 'rank' | 'diag' | 'adj') [ ]* '}'
    ;
fragment FUNCTION_NAME
    : 'sin' | 'cos' | 'tan' | 'cot' | 'sec' | 'csc' | 'arcsin' | 'arccos' | 'arctan' | 'arccot' | 'arcsec' | 'arccsc'
    | 'sinh' | 'cosh' | 'tanh' | 'coth' | 'sech' | 'csch'
    | 'arcsinh' | 'arccosh' | 'arctanh' | 'arsinh' | 'arcosh' | 'artanh'
    | 'log' | 'ln' | 'lg' | 'exp' | 'gcd' | 'lcm' | 'max' | 'min' | 'floor' | 'ceil' | 'det' | 'trace' | 'adjugate' | 'Re' | 'Im'
    | 'tg' | 'ctg' | 'arctg' | 'sgn' | 'sign' | 'deg' | 'arg' | 'Gamma' [ ]* '('?
    ;
MATRIX_BEGIN : '\\begin' [ ]? '{' MATRIX_NAME '}' ('{' [lcr| ]* '}')? ;
MATRIX_END : '\\end' [ ]? '{' MATRIX_NAME '}' ;
fragment MATRIX_NAME : [pbvVB]? 'matrix' | 'smallmatrix' | 'array' ;
CASES_BEGIN : '\\begin' [ ]? '{cases}' ;
CASES_END : '\\end' [ ]? '{cases}' ;
NEWLINE : '\\\\' ([ ]* '[' [ ]* '-'? [0-9.]+ [ ]* ('pt' | 'em' | 'ex' | 'mm' | 'cm') [ ]* ']')? | '\\cr' ;
AMPERSAND : '&' ;

// Values.
NUMBER_SET : '\\mathbb' [ ]? ('{' [ ]* [RZNQC] [ ]* '}' | [RZNQC]) | '\u211d' | '\u2124' | '\u2115' | '\u211a' | '\u2102' ;
EMPTY_SET : '\\emptyset' | '\\varnothing' | '\u2205' ;
CONSTANT : '\\pi' | '\\infty' | '\u221e' | '\\imaginaryunit' | '\\exponentialE' | '\u03c0' ;
GREEK
    : '\\' ('alpha' | 'beta' | 'gamma' | 'delta' | 'epsilon' | 'varepsilon' | 'zeta' | 'eta' | 'theta' | 'vartheta' | 'iota' | 'kappa'
    | 'lambda' | 'mu' | 'nu' | 'xi' | 'omicron' | 'rho' | 'varrho' | 'sigma' | 'varsigma' | 'tau' | 'upsilon' | 'phi' | 'varphi' | 'chi'
    | 'psi' | 'omega' | 'Gamma' | 'Delta' | 'Theta' | 'Lambda' | 'Xi' | 'Pi' | 'Sigma' | 'Upsilon' | 'Phi' | 'Psi' | 'Omega' | 'hbar'
    | 'ell' | 'triangle' | 'angle')
    ;
// dx, d\theta: a differential inside an integral or a derivative, else the product of its letters.
DIFFERENTIAL : ('d' | '\\mathrm{d}' | '\\partial') [ ]* ([A-Za-z] | GREEK) ;
NUMBER : DIGITS ('.' DIGITS)? ([eE] [+-]? DIGITS)? | '.' DIGITS | DIGITS '.' ;
REPEATING : DIGITS? '.' DIGITS? '\\overline' [ ]? '{' DIGITS '}' ;
fragment DIGITS : [0-9]+ ;
LETTER : [A-Za-z] | '\\partial' ;
TEXT
    : '\\' ('text' | 'textbf' | 'textit' | 'textrm' | 'textnormal' | 'mathrm' | 'mathit' | 'mathsf' | 'mbox' | 'operatorname') [ ]?
      '{' ~[{}]+ '}'
    ;
ELLIPSIS : '\\cdots' | '\\ldots' | '\\dots' | '\\vdots' | '\\ddots' | '...' | '\u2026' ;
UNKNOWN : . ;
