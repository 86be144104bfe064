"""English verbs that a response may start with, and their forms, for machines without a tagger (verbs.py).

Words that are nouns more often than verbs at the start of a text (water, name, plan) are left out on purpose.

>>> "imagine" in VERB_FORMS, "tried" in VERB_FORMS, "stopping" in VERB_FORMS, "taken" in VERB_FORMS, "table" in VERB_FORMS
(True, True, True, True, False)
"""

_REGULAR = """
abandon absorb accelerate accept access accord accommodate accompany accomplish achieve acknowledge acquire act adapt add address adjust admire
admit adopt advance advise advocate agree aim align allow alter amplify analyze analyse anchor annotate announce answer anticipate apologize appear
apply appoint appreciate approach approve argue arrange arrive ask aspire assemble assert assess assign assist assume assure attach attain
attempt attend attract avoid await bake balance ban base bathe battle beg behave believe belong blend bless block boast boil book boost
borrow bounce brace brainstorm breathe brew browse brush bundle bury calculate call calm cancel capture care carry carve cast catalog
categorize cause cease celebrate challenge change chase check cherish chop choose claim clarify classify clean clear climb close coach
collaborate collect color combine comment commit communicate compare compel compete compile complete comply compose compress compute
conceive concentrate conclude conduct confirm confront confuse connect conquer conserve consider consist consolidate construct consult
consume contact contain contemplate continue contribute convert convey convince cook cooperate coordinate copy correct count cover craft
crave create criticize cross crush cultivate customize dance dare decide declare decline decorate decrease dedicate define delegate delete deliver
delve demand demonstrate deny depart depend depict deploy derive describe deserve design desire detail detect determine develop devise
devote diagnose differentiate dig direct disagree discard discover discuss display dissolve distribute dive diversify divide document
dominate double download draft drain dress drop dry earn ease educate elaborate elevate eliminate embark embody embrace emerge emphasize
employ empower emulate enable enclose encounter encourage end endeavor endure engage enhance enjoy enlist enrich ensure enter entertain
envision equip erase escape establish estimate evaluate evolve examine exceed excel exchange excite exclude excuse execute exercise exist
expand expect experience experiment explain exploit explore export expose express extend extract face facilitate fail fasten favor fear
feature fetch fill filter finalize finish fix float flourish flow focus fold follow form formulate foster fry fulfill function gain
gather gaze generate glance grab grant greet grill guarantee guard guess guide hand handle happen harness hate help hesitate highlight hike
hire honor hope hover hug identify ignite ignore illuminate illustrate imagine imitate immerse implement imply import improve include
incorporate increase indicate indulge infer influence inform inherit initialize initiate innovate input inquire insert insist inspect
inspire install integrate intend interact interpret interview introduce invent invest investigate invite invoke involve isolate iterate
join journey judge jump justify kick kill kiss knock label laugh launch layer learn lend leverage lift like limit link list
listen live load locate look loosen love lower maintain manage manifest manipulate map march mark marvel master match maximize measure
meditate melt mention merge mimic mind minimize miss mitigate mix model modify monitor motivate mount mourn move multiply narrate
navigate need neglect negotiate nest normalize note notice notify nourish nurture obey observe obtain occur offer open operate optimize opt order
organize outline overlook own pack paint participate pass pause perform permit persuade pick picture place play plead please point ponder
pour practice praise pray predict prefer prepare present preserve press pretend prevent print prioritize proceed process produce program
prohibit project promise promote prompt pronounce propose protect prove provide publish pull purchase pursue push question race raise
rank rate reach react realize recall receive recite recognize recommend reconsider record recover recycle reduce refer refine reflect
reframe refuse regard register regret regulate reject rejoice relate relax release rely remain remember remind remove render renew repair
repeat rephrase replace reply report represent request require research reserve resist resolve respect respond restart restore restrict
retain retire retrieve return reveal reverse review revise revisit revive revolutionize reward rotate row rub ruin rule rush sail sample
satisfy save savor scan scatter schedule score scrape scream search secure seek seize select serve share shift shop shout simmer simplify
simulate sketch skip slice smile smooth soar solve sort spark specify spell sprinkle squeeze stare start state stay step stir stop store
strengthen stress stretch strive struggle study submit substitute subtract succeed suffer suggest suit summarize supply support suppose
surf surprise surround survey survive suspect sustain switch synthesize tackle talk target taste tend test thank thrive tie touch tour
trace track trade trail train transcend transfer transform transition translate travel traverse treasure treat trigger trim trust try
tune turn type uncover underline unify unite unleash unlock unveil unwind update upgrade uphold upload urge use utilize validate value
vary venture verify view visit visualize voice vote wait walk wander want warm warn wash waste watch weigh welcome whip whisk whisper
wish witness wonder work worry wrap yield zoom
"""
# base, past, participle where it differs
_IRREGULAR = """
be:was:been become:became:become begin:began:begun bend:bent bind:bound bite:bit:bitten blow:blew:blown break:broke:broken
bring:brought build:built burn:burnt buy:bought catch:caught choose:chose:chosen cling:clung come:came:come cost:cost cut:cut
deal:dealt do:did:done draw:drew:drawn dream:dreamt drink:drank:drunk drive:drove:driven dwell:dwelt eat:ate:eaten fall:fell:fallen
feed:fed feel:felt fight:fought find:found fly:flew:flown forget:forgot:forgotten forgive:forgave:forgiven freeze:froze:frozen
get:got:gotten give:gave:given go:went:gone grow:grew:grown hang:hung have:had hear:heard hide:hid:hidden hit:hit hold:held
keep:kept know:knew:known lay:laid lead:led lean:leant leave:left let:let lie:lay:lain light:lit lose:lost make:made mean:meant
meet:met pay:paid put:put quit:quit read:read ride:rode:ridden rise:rose:risen run:ran:run say:said see:saw:seen seek:sought sell:sold
send:sent set:set shake:shook:shaken shed:shed shine:shone shoot:shot show:showed:shown shut:shut sing:sang:sung sink:sank:sunk
sit:sat sleep:slept slide:slid speak:spoke:spoken spend:spent spin:spun split:split spread:spread stand:stood steal:stole:stolen
stick:stuck strike:struck strive:strove:striven swear:swore:sworn sweep:swept swim:swam:swum swing:swung take:took:taken
teach:taught tear:tore:torn tell:told think:thought throw:threw:thrown understand:understood undertake:undertook:undertaken
uphold:upheld wake:woke:woken wear:wore:worn weave:wove:woven win:won write:wrote:written rewrite:rewrote:rewritten
"""
_AUXILIARIES = "am is are was were been being has does did having doing"
_VOWELS = "aeiou"
# Verbs of more than one syllable whose last letter is doubled all the same; those of one syllable double by rule.
_DOUBLING = frozenset("admit begin commit compel forget occur permit prefer refer regret submit transfer excel".split())


def _forms(base: str) -> tuple[str, str, str, str]:
    """Do it, he does it, doing it, did it."""
    sibilant = base.endswith(("s", "x", "z", "ch", "sh"))
    to_y = base.endswith("y") and base[-2] not in _VOWELS
    third = f"{base[:-1]}ies" if to_y else f"{base}es" if sibilant or base.endswith("o") else f"{base}s"
    stem = base + base[-1] if _doubles(base) else base
    mute = base.endswith("e") and not base.endswith(("ee", "oe", "ye"))
    ing = f"{base[:-2]}ying" if base.endswith("ie") else f"{base[:-1] if mute else stem}ing"
    past = f"{base[:-1]}ied" if to_y else f"{base}d" if base.endswith("e") else f"{stem}ed"
    return base, third, ing, past


def _doubles(base: str) -> bool:
    if base in _DOUBLING:
        return True
    ends = len(base) > 2 and base[-1] not in "aeiouwxy" and base[-2] in _VOWELS and base[-3] not in _VOWELS
    return ends and sum(letter in _VOWELS for letter in base) == 1


def _irregular_forms(line: str) -> list[str]:
    base, *others = line.split(":")
    return [*_forms(base)[:3], *others]


VERB_FORMS = frozenset().union(
    _AUXILIARIES.split(), *map(_forms, _REGULAR.split()), *map(_irregular_forms, _IRREGULAR.split())
)
