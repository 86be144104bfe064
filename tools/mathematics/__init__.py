"""What lies under the math grader: reading answers, exact arithmetic, comparison by kind, and the symbolic ladder.

limits      named bounds on everything, checked before any parse
numbers     text that is a number or a simple fraction, without a parser
(further storeys: reading expressions, normal forms, rules by kind, worker processes)
"""
