"""Were a prompt's instructions followed: IFEval's 25 kinds and IFBench's 58, each a pure function of the text.

    registry.py     an instruction's name -> its check, and what the check has to be told
    ifeval_*.py, ifbench_*.py       the checks
    text.py, verbs.py, languages.py     words, tokens, sentences, parts of speech, languages: what the checks see
    following.py    one response and all its instructions, strictly and loosely
    plug.py         the grader

The checks decide as the authors' own programs do, quirks included, because a published figure means what those
programs say. They are written anew here: linear in the text, with nothing fetched, and wrong data is an error of the
data instead of a random instruction. Sources: google-research/instruction_following_eval (Zhou et al. 2023,
arXiv:2311.07911) and allenai/IFBench (Pyatkin et al. 2025, arXiv:2507.02833); both Apache-2.0.
"""

VERSION = "1"
# The authors of IFBench mend their checks from time to time; these are commits of allenai/IFBench, from the oldest to the
# newest. Few kinds differ (ifbench_earlier.py and ifbench_later.py have them). The default is of the test file's commit.
IFBENCH_RULES = ("6fffd61", "db69a6f", "1d62c1d")
DEFAULT_RULES = "db69a6f"
