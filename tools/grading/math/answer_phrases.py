r"""How answers are announced, in the languages that models answer in: "the answer is", `#### `, "答案是", "Ответ:".

`last_announced` gives what stands behind the last announcement, for tools/grading/math/extraction.py. A heading ("**Final Answer**")
announces the next line that is not empty. Linear in the text.

>>> last_announced("We add.\n\n**Final Answer:** $42$").text
'$42$'
>>> last_announced("所以答案是 42。").text
'42。'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

VERBS = r"is|are|was|equals|would\s+be|will\s+be|must\s+be|should\s+be|becomes|comes\s+out\s+to(?:\s+be)?"
# Between the word and its verb: "the answer to this question is".
TAIL = r"(?:\s+(?:to|of|for|in)(?:\s+[A-Za-z'-]+){1,6}?)?"
ANNOUNCEMENTS = re.compile(
    rf"""\#\#\#\#
    |^A:
    |(?<![A-Za-z])answers?{TAIL}(?:\s+(?:{VERBS})(?![A-Za-z])(?:\s*:)?|\s*[:=](?!=))
    |(?<![A-Za-z])answers?(?=\s*(?:\$|\\[(\[]))
    |(?<![A-Za-z])answer\s+[A-Z]\)?:                           # a choice
    |(?:最终|最後|最后|正确|正解)?(?:的)?(?:答案|答え|解答|答|정답|답)[ \t]*(?:应?該?该?[ \t]*(?:是|为|為|は|은|는)[ \t]*[:：]?|[:：])
    |(?:Правильный\s+)?Ответ(?:ом)?[ \t]*(?:[:：—–-]|равен|является|есть|это)
    |(?<![^\W\d_])(?:La\s+)?(?:respuesta|soluci[oó]n)(?:\s+(?:final|correcta))?[ \t]*(?:es(?![^\W\d_])[ \t]*:?|:)
    |(?<![^\W\d_])(?:Die\s+)?(?:(?:End)?Antwort|L[oö]sung|Ergebnis)(?:\s+(?:lautet|ist|betr[aä]gt)(?![^\W\d_])[ \t]*:?|[ \t]*:)
    |(?<![^\W\d_])(?:La\s+)?(?:r[eé]ponse|solution)(?:\s+finale)?(?:\s+est(?![^\W\d_])[ \t]*:?|[ \t]*:)
    |(?<![^\W\d_])(?:A\s+|La\s+)?(?:resposta|risposta)(?:\s+final[e]?)?[ \t]*(?:[eé]|è)?(?![^\W\d_])[ \t]*:?
    |(?:الجواب|الإجابة)(?:[ \t]+(?:هو|هي))?[ \t]*:?
    |उत्तर[ \t]*(?:है|:)""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
# A short line that is nothing but these words, with marks of a heading: the answer follows below.
SHORT_LINE = re.compile(r"^[^\n]{4,60}$", re.MULTILINE)
HEADING_MARKS = " \t\r#*_>:："
HEADINGS = frozenset(
    ["answer", "final answer", "the answer", "the final answer", "result", "final result", "respuesta", "respuesta final", "réponse",
     "reponse", "réponse finale", "antwort", "ответ", "答案", "最终答案", "最後答案", "答え", "정답"]
)  # fmt: skip
MAX_ANNOUNCED_CHARS = 1_000
DENIED = re.compile(r"(?:\bnot|n't|\bnever|\bfalse|\bwrong|\bincorrect)\b[^.\n]{0,40}$", re.IGNORECASE)
POLITE_ENDS = ("입니다", "이다", "です", "である", "だ", "となる", "になります")
LEADING_MARKS = "} \t\r\n*_:：`=>"
DISPLAY_MARKS = ("$$", r"\[")
ANSWER_TAG = re.compile(r"</?answer>", re.IGNORECASE)
PREFIX = re.compile(
    r"\s*(?:(?:so|thus|hence|therefore),?\s+)?(?:the\s+)?(?:final\s+|correct\s+)?answer\s*(?:is\s*:?|:)\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Announced:
    """Where the announcement begins, and the text behind it: one line, or a displayed formula."""

    start: int
    text: str


def last_announced(text: str) -> Announced | None:
    """The last announcement that anything follows."""
    starts = [(match.start(), match.end()) for match in ANNOUNCEMENTS.finditer(text)]
    starts += [
        (match.start(), match.end())
        for match in SHORT_LINE.finditer(text)
        if match.group().strip(HEADING_MARKS).lower() in HEADINGS
    ]
    for start, end in sorted(starts, key=lambda pair: pair[1], reverse=True)[:20]:
        line = _line_after(text, end)
        if line and not DENIED.search(text[max(0, start - 60) : start]):
            return Announced(start, line)
    return None


def _line_after(text: str, end: int) -> str:
    """The rest of the line, or the first line below that is not empty; a displayed formula whole."""
    position = end
    text = text[: end + MAX_ANNOUNCED_CHARS]
    while position < len(text) and text[position] in LEADING_MARKS:
        position += 1
    for opening, closing in zip(DISPLAY_MARKS, ("$$", r"\]"), strict=True):
        if text.startswith(opening, position):
            close = text.find(closing, position + 2)
            if close >= 0:
                return text[position : close + 2]
    line_end = text.find("\n", position)
    line = text[position:] if line_end < 0 else text[position:line_end]
    bare = line.rstrip(" .。")
    for ending in POLITE_ENDS if not bare.isascii() else ():
        if bare.endswith(ending):
            return bare.removesuffix(ending).strip()
    return PREFIX.sub("", line, count=1).strip() if PREFIX.match(line) else line.strip()


def last_tagged(text: str) -> str | None:
    """The content of the last `<answer>...</answer>`."""
    tags = list(ANSWER_TAG.finditer(text))
    for opening, closing in zip(reversed(tags[:-1]), reversed(tags[1:]), strict=True):
        if closing.group().startswith("</") and not opening.group().startswith("</"):
            return text[opening.end() : closing.start()].strip()
    return None


def without_prefix(text: str) -> str:
    """`The answer is 5` as `5`."""
    match = PREFIX.match(text)
    return text[match.end() :].strip() if match else text.strip()
