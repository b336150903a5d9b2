// The syntax of .bp scripts, complete. Every decision needs one token of lookahead, but for the commas between generators.
//
// Three things are settled by position before the parser sees the tokens (frontend/syntax/parse_layout.cpp), so that the rules stay plain:
//   - EOS ends every statement. It stands for a newline that ends a statement, for `;`, for the `}` that closes a block and for the end of
//     the file; other newlines are dropped.
//   - A declaration's word (`dim`, `seed`, …), `from`, `by` and `of` keep their kind only where they are keywords; elsewhere they are a NAME.
//     `fn` is one before `(…) =`, too.
//   - A comma right before a closing bracket is dropped.
grammar Bp;

file : statement* EOF ;

statement
  : ( importDecl | dimDecl | constDecl | inputDecl | paramDecl | lossDecl | fnDecl | seedDecl | realDecl | trainDecl | adjointDecl
    | ifStatement | forStatement | whileStatement | breakStatement | continueStatement | returnStatement | printStatement | assertStatement
    | assignment ) EOS
  ;

block : '{' statement* '}' ;

// ---- declarations ----

importDecl  : 'import' STRING ;
dimDecl     : 'dim' dimItem (',' dimItem)* ;
dimItem     : NAME ('=' expr)? ;
constDecl   : 'const' constItem (',' constItem)* ;
constItem   : NAME (':' type)? '=' expr ;
inputDecl   : 'input' inputItem (',' inputItem)* ;
inputItem   : NAME (':' type ('of' expr)?)? ('=' expr)? fromClause? ;
fromClause  : 'from' STRING ('[' indexItem ']')? ;
paramDecl   : 'param' paramItem (',' paramItem)* ;
paramItem   : NAME (':' type)? ('=' expr)? fromClause? ;
lossDecl    : 'loss' NAME? '=' expr ;
fnDecl      : 'fn' NAME '(' (parameter (',' parameter)*)? ')' ('->' types)? ('=' expr | block) ;
parameter   : NAME (':' type)? ('=' expr)? ;
seedDecl    : 'seed' expr ;
realDecl    : 'real' NAME ;
trainDecl   : 'train' '{' setting* '}' ;
setting     : (NAME | 'loss') '=' expr EOS ;
adjointDecl : 'adjoint' NAME '(' names? ')' '->' names block ;
names       : NAME (',' NAME)* ;

// ---- types ----

types : type (',' type)* ;
type  : NAME sizes? | sizes ;
sizes : '[' exprs ']' ;

// ---- statements ----

ifStatement       : 'if' expr block ('else' ('if' expr)? block)* ;
forStatement      : 'for' NAME 'in' expr block ;
whileStatement    : 'while' expr block ;
breakStatement    : 'break' ;
continueStatement : 'continue' ;
returnStatement   : 'return' exprs? ;
printStatement    : 'print' exprs? ;
assertStatement   : 'assert' expr (',' STRING)? ;
assignment        : target (',' target)* (('=' | '+=' | '-=' | '*=' | '/=') exprs)? ;
target            : expr (':' type)? ;

// ---- expressions, loosest first ----

exprs       : expr (',' expr)* ;
expr        : conditional ('..' conditional ('by' conditional)?)? ;
conditional : disjunction ('if' disjunction 'else' disjunction)* ;
disjunction : conjunction ('or' conjunction)* ;
conjunction : negation ('and' negation)* ;
negation    : 'not'* comparison ;
comparison  : sum (('<' | '<=' | '>' | '>=' | '==' | '!=') sum)* ;
sum         : product (('+' | '-') product)* ;
product     : unary (('*' | '/' | '//' | '%' | '@') unary)* ;
unary       : '-'* power ;
power       : postfix ('^' '-'* postfix)* ;
postfix     : atom trailer* ;
trailer     : '(' (argument (',' argument)*)? ')' | '[' indexItem (',' indexItem)* ']' | '.' NAME ;
argument    : expr ('=' expr | generators)? ;
indexItem   : ':' | '..' conditional? ('by' conditional)? | conditional ('..' conditional? ('by' conditional)?)? ;
atom        : NUMBER | STRING | 'true' | 'false' | NAME | '(' expr ')' | '[' listItems? ']' | 'fn' '(' names? ')' '=' expr ;
listItems   : expr (generators | (',' expr)*) ;
generators  : 'for' generator (',' generator)* ;
generator   : NAME 'in' expr ;

// ---- words ----

// Those that are keywords only where a declaration starts, or in their clause; elsewhere each is a NAME. No rule uses this one.
softWord
  : 'import' | 'dim' | 'const' | 'input' | 'param' | 'loss' | 'fn' | 'seed' | 'real' | 'train' | 'adjoint' | 'print' | 'assert' | 'from' | 'by'
  | 'of'
  ;

// ---- tokens ----

IMPORT : 'import' ;  DIM : 'dim' ;  CONST : 'const' ;  INPUT : 'input' ;  PARAM : 'param' ;  LOSS : 'loss' ;  FN : 'fn' ;
SEED : 'seed' ;  REAL : 'real' ;  TRAIN : 'train' ;  ADJOINT : 'adjoint' ;  PRINT : 'print' ;  ASSERT : 'assert' ;  FROM : 'from' ;  BY : 'by' ;  OF : 'of' ;
IF : 'if' ;  ELSE : 'else' ;  FOR : 'for' ;  IN : 'in' ;  WHILE : 'while' ;  BREAK : 'break' ;  CONTINUE : 'continue' ;  RETURN : 'return' ;
AND : 'and' ;  OR : 'or' ;  NOT : 'not' ;  TRUE : 'true' ;  FALSE : 'false' ;

LPAREN : '(' ;  RPAREN : ')' ;  LBRACKET : '[' ;  RBRACKET : ']' ;  LBRACE : '{' ;  RBRACE : '}' ;
COMMA : ',' ;  COLON : ':' ;  DOT : '.' ;  RANGE : '..' ;  ARROW : '->' ;
ASSIGN : '=' ;  PLUS_ASSIGN : '+=' ;  MINUS_ASSIGN : '-=' ;  TIMES_ASSIGN : '*=' ;  DIVIDE_ASSIGN : '/=' ;
LT : '<' ;  LE : '<=' ;  GT : '>' ;  GE : '>=' ;  EQ : '==' ;  NE : '!=' ;
PLUS : '+' ;  MINUS : '-' ;  TIMES : '*' ;  DIVIDE : '/' ;  FLOORDIV : '//' ;  MOD : '%' ;  MATMUL : '@' ;  POWER : '^' ;

NAME    : (LETTER | '_') WORD* ;
NUMBER  : (DIGITS ('.' DIGITS)? | '.' DIGITS) ([eE] [+-]? DIGITS)? ;
STRING  : '"' CHAR* '"' ;
COMMENT : '#' ~[\r\n]* ;
NEWLINE : '\n' ;
EOS     : ';' ;
SPACE   : [ \t\r\u00A0\uFEFF]+ -> skip ;

// What cannot be part of a script, recognised so that the message can say why.
BAD_NUMBER : [0-9] (WORD | '.' [0-9] | [eE] [+-] [0-9])* ;
BAD_STRING : '"' CHAR* ;
FOREIGN    : '**' | '&&' | '||' | '!' ;
BAD        : . ;

fragment LETTER : [\p{L}] ;
fragment WORD   : LETTER | [0-9_] | [\u2080-\u2089] ;
fragment DIGITS : [0-9]+ ('_' [0-9]+)* ;
fragment CHAR   : '\\' ~[\r\n] | ~["\\\r\n] ;
