"""Reasoning formats, the registry: how each family of models marks off its reasoning from its answer.

A format is one entry below and its rows in tests/golden/reasoning_formats.jsonl. Prompts, engines, the alarm of a run
and every grader read it from here; nothing else in the toolkit spells a mark. A mark inside a string of a program, in a
fenced block, is text: some programs are about tags. Marks are found by one pass over the text, so hostile text costs no
more than its length. docs/add_a_reasoning_format.md shows how to add a format.

>>> FORMATS["think"].split("3 + 4 is 7</think>It is 7.")
SplitResponse(reasoning='3 + 4 is 7', answer='It is 7.', is_closed=True)
>>> FORMATS["mistral"].wrap("3 + 4 is 7", "It is 7.")
'[THINK]3 + 4 is 7[/THINK]It is 7.'
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import re
from collections import deque

FENCE = "```"  # before and after a program
# A string on one line, or a comment.
STRING = re.compile(
    r"(?<![\w\\])[A-Za-z]{0,2}(\"[^\"\n\\]*(?:\\.[^\"\n\\]*)*\"|'[^'\n\\]*(?:\\.[^'\n\\]*)*')(?!\w)|#.*"
)
LONG_QUOTES = ('"""', "'''")
MAX_LINE = 10_000  # a program's line that is longer is not looked at


class Marks(enum.Enum):
    """What the marks of a format are made of, which says where they may be taken for marks."""

    TOKENS = "tokens"  # special tokens: text has them for no other reason
    TAGS = "tags"  # like XML, so a program may hold them: they open only at the start of a line
    WORDS = "words"  # ordinary words: they open only at the start of the response


@dataclasses.dataclass(frozen=True)
class SplitResponse:
    """`is_closed` is None when nothing says that the response holds reasoning at all: then the whole text is answer."""

    reasoning: str
    answer: str
    is_closed: bool | None


@dataclasses.dataclass(frozen=True)
class ReasoningFormat:
    """The marks of one format. The first opening and closing are what `wrap` writes, with `glue` beside them.

    `dropped` are marks that belong to neither part. The patterns, which must not backtrack, are for marks with parts
    that vary. A format is told from a text by its opening and closing marks, or by `tell` where that stands in every
    response; `starts` is a pattern that tells it at the start of a response, where that is more than an opening mark.
    `bare` names the same format after a server has stripped special tokens.
    """

    name: str
    opening: tuple[str, ...]
    closing: tuple[str, ...]
    dropped: tuple[str, ...] = ()
    marks: Marks = Marks.TOKENS
    glue: str = ""
    opening_pattern: str = ""
    closing_pattern: str = ""
    dropped_pattern: str = ""
    tell: str = ""
    starts: str = ""
    bare: str | None = None

    def split(self, text: str, is_opened: bool | None = None) -> SplitResponse:
        """Splits one response. `is_opened`: whether the prompt ended in an opening mark; None when unknown.

        Text before a closing mark that nothing opened is reasoning too: the prompt must have opened it.
        """
        found = _without_quoted(text, [(match.lastgroup, *match.span()) for match in self.pattern.finditer(text)])
        first = next((kind for kind, _, _ in found if kind != "dropped"), None)
        if first is None and not is_opened:
            return SplitResponse("", text, None)
        is_open = bool(is_opened) or first == "closing"
        inside: list[str] = []
        outside: list[str] = []
        position, fence = 0, text.find(FENCE) if self.marks is not Marks.TOKENS else -1
        for kind, start, end in found:
            if self.marks is not Marks.TOKENS and not is_open:  # the answer may use these words, and its programs tags
                if 0 <= fence < position:
                    fence = text.find(FENCE, position)
                if kind == "closing" or 0 <= fence < start:
                    continue
            (inside if is_open else outside).append(text[position:start])
            position = end
            is_open = kind == "opening" or (is_open and kind != "closing")
        (inside if is_open else outside).append(text[position:])
        return SplitResponse("".join(inside), "".join(outside), not is_open)

    def is_closed(self, text: str, is_opened: bool | None = None) -> bool | None:
        """Whether the reasoning ends in the text; None when there is none."""
        return self.split(text, is_opened).is_closed

    def is_opened_by(self, prompt: str) -> bool:
        """Whether a prompt ends in an opening mark, so that the response begins with reasoning."""
        end = prompt[-200:].rstrip()
        return end.endswith(self.opening) or bool(self.opening_pattern and self._ends_opening.search(end))

    def is_in(self, text: str) -> bool:
        """Whether any opening or closing mark stands in the text."""
        if self._is_simple:
            return self.opening[0] in text or self.closing[0] in text
        return any(match.lastgroup != "dropped" for match in self.pattern.finditer(text))

    def wrap(self, reasoning: str, answer: str) -> str:
        """The two parts as one text in this format; without an answer the reasoning stays open."""
        opened = f"{self.opening[0]}{self.glue}{reasoning}"
        return f"{opened}{self.glue}{self.closing[0]}{self.glue * 2}{answer}" if answer else opened

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        """Every mark, in the groups opening, closing and dropped."""
        before = r"(?:^[ \t]{0,8})" if self.marks is Marks.TAGS else r"\A\s{0,200}" if self.marks is Marks.WORDS else ""
        groups = (
            ("closing", self.closing, self.closing_pattern, ""),
            ("opening", self.opening, self.opening_pattern, before),
            ("dropped", self.dropped, self.dropped_pattern, ""),
        )
        parts = []
        for name, literals, pattern, prefix in groups:
            words = [re.escape(word) for word in sorted(literals, key=len, reverse=True)] + [pattern] * bool(pattern)
            if words:
                parts.append(f"(?P<{name}>{prefix}(?:{'|'.join(words)}))")
        return re.compile("|".join(parts), re.MULTILINE)

    @functools.cached_property
    def _ends_opening(self) -> re.Pattern[str]:
        return re.compile(rf"(?:{self.opening_pattern})\Z")

    @functools.cached_property
    def _is_simple(self) -> bool:
        has_more = self.dropped or self.opening_pattern or self.closing_pattern or self.marks is not Marks.TOKENS
        return len(self.opening) == len(self.closing) == 1 and not has_more


def _without_quoted(text: str, marks: list[tuple[str | None, int, int]]) -> list[tuple[str | None, int, int]]:
    """The marks that are none of a program's strings and comments: in an open fence, within quotes or behind a `#` on one
    line, or between three quotes. A mark that counts ends the programs before it. Looks at each line once."""
    kept = []
    fences = counted_until = line_end = 0
    is_between = is_docstring = False  # three quotes
    strings: deque[tuple[int, int]] = deque()
    for kind, start, end in marks:
        if start >= line_end:
            line_start = text.rfind("\n", 0, start) + 1
            line_end = text.find("\n", end)
            line_end = len(text) if line_end < 0 else line_end
            block_start = text.rfind(FENCE, counted_until, line_start)
            if block_start >= 0:
                fences, is_between = fences + text.count(FENCE, counted_until, line_start), False
            since = max(counted_until, block_start)
            is_between ^= sum(text.count(quotes, since, line_start) for quotes in LONG_QUOTES) % 2 == 1
            counted_until = max(counted_until, line_start)
            is_program = fences % 2 == 1 and line_end - line_start <= MAX_LINE
            is_docstring = is_program and is_between and _ends_in_block(text, line_end)
            found = STRING.finditer(text, line_start, line_end) if is_program else ()
            strings = deque(match.span() for match in found)
        while strings and strings[0][1] < end:
            strings.popleft()
        if not is_docstring and (not strings or strings[0][0] > start):
            kept.append((kind, start, end))
            fences, is_between, counted_until = 0, False, end
    return kept


def _ends_in_block(text: str, start: int) -> bool:
    """Whether what stands between three quotes ends before the block in which it began."""
    fence = text.find(FENCE, start)
    end = len(text) if fence < 0 else fence
    return any(text.find(quotes, start, end) >= 0 for quotes in LONG_QUOTES)


# The header of a gpt-oss message: a recipient ("to=functions.f") and a content type may follow the channel's name.
_HEADER = r"[^<]{0,200}(?:<\|constrain\|>[^<]{0,100})?<\|message\|>"


def _plain_and_bold(words: str) -> list[str]:
    """The words after "Here is" in the spellings in use, as they are and in bold."""
    plain = [f"Here{spelling} {words}" for spelling in (" is", "'s", "’s")]
    return [*plain, *(f"**{text}**" for text in plain)]


_ENTRIES = (
    # DeepSeek-R1, Qwen, AceReason, Nemotron, GLM, Phi-4-reasoning, EXAONE 4, Hunyuan, Olmo, ... : the usual one.
    ReasoningFormat("think", ("<think>",), ("</think>",), glue="\n"),
    # gpt-oss: a message a channel. Tool calls and preambles (commentary) are no answer either.
    ReasoningFormat(
        "harmony",
        ("<|channel|>analysis<|message|>",),
        ("<|end|><|start|>assistant<|channel|>final<|message|>",),
        dropped=("<|end|>", "<|return|>", "<|call|>"),
        opening_pattern=rf"<\|channel\|>\s{{0,4}}(?:analysis|commentary)(?:{_HEADER})?",
        closing_pattern=rf"<\|channel\|>\s{{0,4}}final{_HEADER}|<\|start\|>assistant<\|message\|>",
        dropped_pattern=r"<\|start\|>[^<]{0,100}(?=<\|channel\|>)",
        tell="<|channel|>",
        starts=r"(?:<\|start\|>assistant)?<\|channel\|>",
        bare="harmony_bare",
    ),
    # The same, after a server has stripped its special tokens: only the words of the headers are left.
    ReasoningFormat(
        "harmony_bare",
        ("assistantanalysis",),
        ("assistantfinal",),
        opening_pattern=r"assistantcommentary|\A\s{0,200}analysis",
        starts=r"(?:assistant)?analysis(?:(?=[^\s.,:;!?'’)-])|(?=[\s\S]*?assistantfinal))",
    ),
    # Magistral.
    ReasoningFormat("mistral", ("[THINK]",), ("[/THINK]",)),
    # Sky-T1, OpenThinker, Bespoke-Stratos.
    ReasoningFormat(
        "begin_of_thought",
        ("<|begin_of_thought|>",),
        ("<|end_of_thought|>",),
        dropped=("<|begin_of_solution|>", "<|end_of_solution|>"),
        glue="\n",
    ),
    # Seed-OSS; it tells its budget between marks of their own, within the reasoning.
    ReasoningFormat(
        "seed",
        ("<seed:think>",),
        ("</seed:think>",),
        dropped=("<seed:cot_budget_reflect>", "</seed:cot_budget_reflect>"),
    ),
    # Cohere Command A Reasoning.
    ReasoningFormat(
        "cohere",
        ("<|START_THINKING|>",),
        ("<|END_THINKING|>",),
        dropped=("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"),
    ),
    # Kimi 1.5, Kimi-VL-Thinking.
    ReasoningFormat("kimi", ("◁think▷",), ("◁/think▷",)),
    # Gemma 4.
    ReasoningFormat("gemma", ("<|channel>thought",), ("<channel|>",), glue="\n"),
    # Apertus.
    ReasoningFormat("apertus", ("<|inner_prefix|>",), ("<|inner_suffix|>",)),
    # Solar Open.
    ReasoningFormat(
        "solar",
        ("<|think|>",),
        ("<|end|><|begin|>assistant<|content|>", "<|content|>"),
        dropped=("<|end|>", "<|begin|>assistant"),
    ),
    # LongCat-Flash-Thinking.
    ReasoningFormat("longcat", ("<longcat_think>",), ("</longcat_think>",), glue="\n"),
    # openPangu-Embedded.
    ReasoningFormat("pangu", ("[unused16]",), ("[unused17]",)),
    # MiniMax M3.
    ReasoningFormat("minimax", ("<mm:think>",), ("</mm:think>",)),
    # Hunyuan 3 and 4: each checkpoint may have a suffix of its own in its marks.
    ReasoningFormat(
        "hunyuan",
        ("<think:opensource>",),
        ("</think:opensource>",),
        opening_pattern=r"<think:[\w.-]{1,40}>",
        closing_pattern=r"</think:[\w.-]{1,40}>",
        tell="</think:",
        starts=r"<think:[\w.-]{1,40}>",
    ),
    # Kimi K3: elements for the reasoning and for the response.
    ReasoningFormat(
        "kimi_k3",
        ("<|open|>think<|sep|>",),
        ("<|close|>think<|sep|>",),
        dropped=("<|open|>response<|sep|>", "<|close|>response<|sep|>"),
    ),
    # Inkling: a block for the reasoning, and one for the text.
    ReasoningFormat(
        "inkling",
        ("<|content_thinking|>",),
        ("<|end_message|><|message_model|><|content_text|>", "<|content_text|>"),
        dropped=("<|message_model|>", "<|end_message|>"),
    ),
    # Muse Glimmer: messages to itself are its reasoning, the one to the user is its answer.
    ReasoningFormat(
        "muse",
        ("to=self<|message|>",),
        ("<|eom|><|start|>assistant to=user<|message|>",),
        dropped=("<|eom|>",),
        opening_pattern=r"(?:<\|start\|>assistant)?[ ]{0,4}to=self<\|message\|>",
        closing_pattern=r"(?:<\|start\|>assistant)?[ ]{0,4}to=user<\|message\|>",
        tell="to=self<|message|>",
        starts=r"(?:<\|start\|>assistant)?[ ]{0,4}to=(?:self|user)<\|message\|>",
    ),
    # K2 Horizon: marks for each effort.
    ReasoningFormat(
        "k2_horizon",
        ("<ifm|think>", "<ifm|think_fast>", "<ifm|think_faster>"),
        ("</ifm|think>", "</ifm|think_fast>", "</ifm|think_faster>"),
    ),
    # PLaMo 3.
    ReasoningFormat("plamo", ("<|plamo:begin_think:plamo|>",), ("<|plamo:end_think:plamo|>",)),
    # Apriel: the prompt ends in the words that open it.
    ReasoningFormat(
        "apriel",
        ("Here are my reasoning steps:",),
        ("[BEGIN FINAL RESPONSE]",),
        dropped=("[END FINAL RESPONSE]",),
        marks=Marks.WORDS,
        glue="\n",
        tell="[BEGIN FINAL RESPONSE]",
    ),
    # EXAONE Deep; Marco-o1 with a capital.
    ReasoningFormat("thought", ("<thought>", "<Thought>"), ("</thought>", "</Thought>"), marks=Marks.TAGS, glue="\n"),
    ReasoningFormat(
        "thinking", ("<thinking>", "<Thinking>"), ("</thinking>", "</Thinking>"), marks=Marks.TAGS, glue="\n"
    ),
    # Models that were told to write the usual tags with a capital.
    ReasoningFormat("think_capitals", ("<Think>", "<THINK>"), ("</Think>", "</THINK>"), marks=Marks.TAGS, glue="\n"),
    # Models trained on the "reasoning, then answer" templates of GRPO examples.
    ReasoningFormat("reasoning", ("<reasoning>",), ("</reasoning>",), marks=Marks.TAGS, glue="\n"),
    ReasoningFormat("working_out", ("<start_working_out>",), ("<end_working_out>",), marks=Marks.TAGS, glue="\n"),
    ReasoningFormat("scratchpad", ("<scratchpad>",), ("</scratchpad>",), marks=Marks.TAGS, glue="\n"),
    # Granite 3.2; later ones use think.
    ReasoningFormat(
        "granite",
        tuple(_plain_and_bold("my thought process:")),
        tuple(_plain_and_bold("my response:")),
        marks=Marks.WORDS,
        glue="\n",
    ),
)
FORMATS = {entry.name: entry for entry in _ENTRIES}
