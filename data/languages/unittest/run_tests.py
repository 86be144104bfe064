"""Runs the tests in program.py, beside it: exit status 0 and the word that it is given when there are some and all pass.

The program is imported, as BigCodeBench imports it: what it guards by `if __name__ == "__main__":` does not run.
"""

import os
import sys
import unittest

mark, write = sys.argv.pop(), os.write  # the program may put other things into their place
import program  # noqa: E402

result = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(program.TestCases).run(result)
failed = result.errors + result.failures + [(test, "unexpected success") for test in result.unexpectedSuccesses]
if failed or result.testsRun == len(result.skipped):
    first = failed[0] if failed else (None, "no test was run")
    print(
        f"{len(failed)} of {result.testsRun} tests failed; {first[0]}: {first[1].strip().splitlines()[-1]}",
        file=sys.stderr,
    )
    sys.exit(1)
write(1, f"{mark}\n".encode())
