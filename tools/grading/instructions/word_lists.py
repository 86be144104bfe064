"""Lists of words that IFBench's checks compare with.

The names and the capitals are what its prompts ask for. Stop words are those of NLTK's English list that a run of letters
can equal (no apostrophe), in groups. Pronouns are the authors' own selection.

>>> len(NAMES), len(NORTHERN_CAPITALS), "the" in STOP_WORDS, "whoever" in PRONOUNS
(50, 27, True, True)
"""

CONJUNCTIONS = frozenset("and but for nor or so yet".split())

NAMES = tuple(
    """Emma Liam Sophia Jackson Olivia Noah Ava Lucas Isabella Mason Mia Ethan Charlotte Alexander Amelia Benjamin Harper
    Leo Zoe Daniel Chloe Samuel Lily Matthew Grace Owen Abigail Gabriel Ella Jacob Scarlett Nathan Victoria Elijah Layla
    Nicholas Audrey David Hannah Christopher Penelope Thomas Nora Andrew Aria Joseph Claire Ryan Stella Jonathan""".split()
)

# Of Europe, north of 45 degrees, from north to south.
NORTHERN_CAPITALS = tuple(
    """Reykjavik Helsinki Oslo Tallinn Stockholm Riga Moscow Copenhagen Vilnius Minsk Dublin Berlin Amsterdam Warsaw London
    Brussels Prague Luxembourg Paris Vienna Bratislava Budapest Vaduz Chisinau Bern Ljubljana Zagreb""".split()
)

_PERSONAL = "i me we us you he him she her it they them"
_REFLEXIVE = "myself ourselves yourself yourselves himself herself itself themselves"

_POSSESSIVE = "my mine our ours your yours his hers its their theirs"

FEWER_PRONOUNS = frozenset(f"{_PERSONAL} {_POSSESSIVE} {_REFLEXIVE}".split())

PRONOUNS = FEWER_PRONOUNS | frozenset(
    """this that these those
    who whom whose which what whoever whomever whatever whichever
    anybody anyone anything everybody everyone everything nobody nothing somebody someone something
    each either neither both all some any none""".split()
)

STOP_WORDS = frozenset(
    f"""{_PERSONAL.replace(" us ", " ")} {_REFLEXIVE}
    my our ours your yours his hers its their theirs
    what which who whom this that these those
    am is are was were be been being have has had having do does did doing can will should
    a an the and but if or because as until while
    of at by for with about against between into through during before after above below to from up down in out on off over under
    again further then once here there when where why how
    all any both each few more most other some such no nor not only own same so than too very just now
    s t d ll m o re ve y
    don ain aren couldn didn doesn hadn hasn haven isn ma mightn mustn needn shan shouldn wasn weren won wouldn""".split()
)
