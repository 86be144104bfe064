"""What lies under the math grader: reading answers, exact arithmetic, comparison by kind, and the symbolic ladder.

limits                          named bounds on everything, checked before any parse
numbers                         text that is a number or a simple fraction, without a parser
tree                            the expression tree: plain nested tuples
tokens, cursor, brackets,
commands, reader                the quick reader: plain text and everyday LaTeX to trees
sums, exact                     exact normal forms of polynomials, radicals and powers
fields, approx, agreement       values of trees, and what values may conclude
values, matrices                equality of two single values, with units and marks
sets, relations, compare        one rule per kind of answer
answers                         two texts in, one Comparison out
symbolic                        asks processes that can be killed, in which SymPy and the LaTeX grammar are
                                (tools/grading/math/symbolic_worker.py)
"""
