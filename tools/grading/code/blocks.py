r"""Finds the fenced blocks of a model's answer, in one pass, however the fences are damaged.

For `code_extraction.py`. Models write fences in ways that no standard knows: text or an end mark behind the closing
fence, an opening fence in the middle of a line or twice, a whole program on one line. Two facts decide. A fence that
stands in a string of the program is text. A fence that names Python always begins a block. Everything here is linear:
fences are found once, strings are read once, and both are capped.

>>> [(block.kind.name, block.text) for block in find_blocks("So:\n```python=\nprint(1)\n```<|im_end|>")]
[('PYTHON', 'print(1)\n')]
"""

from __future__ import annotations

import ast
import enum
import re
import sys
from dataclasses import dataclass
from typing import NamedTuple

MAX_CHARS = 1_000_000  # of an answer, from its end: the program comes last
MAX_FENCES = 30_000
MAX_PARSED_CHARS = 100_000
MAX_SECOND_LOOKS = 8  # blocks whose strings ran over their end

FENCE = re.compile(r"`{3,}|~{3,}")
LIST_MARK = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+\Z")
STRING_OR_COMMENT = re.compile(r"\"\"\"|'''|[\"'#]")
REST_OF_STRING = {
    '"': re.compile(r'[^"\\\n]*(?:\\.[^"\\\n]*)*"?', re.DOTALL),
    "'": re.compile(r"[^'\\\n]*(?:\\.[^'\\\n]*)*'?", re.DOTALL),
}
# Marks with which models end their text, when the server leaves them in.
END_MARKS = re.compile(r"(?:<\|[\w▁ ]{1,40}\|>|<｜[\w▁ ]{1,40}｜>|</s>|<eos>|<end_of_turn>|\[EOS\]|\s)+\Z")
LONGEST_END = 400
UNCLOSED = sys.maxsize

LABEL_WORD = re.compile(r"[\w.+#-]+")
PYTHON_LABEL = re.compile(r"(?:lang(?:uage)?-|jupyter-)?(?:c|i|micro)?py(?:thon|py)?(?:-?\d+(?:\.\d+)*)?(?:-exec)?")
SESSION_WORDS = {"console", "repl", "session", "traceback", "output", "doctest"}
# Labels that name no language; what follows them may ("code-cell python", "title=main.py").
EMPTY_LABELS = {
    "answer", "code", "code-block", "code-cell", "codeblock", "file", "filename", "final", "highlight", "lang",
    "language", "main", "name", "program", "script", "solution", "source", "sourcecode", "src", "title",
}  # fmt: skip


class Kind(enum.Enum):
    """What a block's fence says about its language."""

    PYTHON = "python"
    UNNAMED = "unnamed"
    OTHER = "other"


class Where(enum.Enum):
    """What a place in a program is part of."""

    CODE = "code"
    STRING = "string"
    COMMENT = "comment"


@dataclass(frozen=True)
class Block:
    """`text` is what stands between the fences, without the quotation signs of an enclosing quotation."""

    kind: Kind
    text: str


class Fence(NamedTuple):
    """A run of backticks or tildes, and the line in which it stands."""

    start: int
    end: int
    line_start: int
    line_end: int
    before: str  # what stands before it in its line

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def is_first(self) -> bool:
        return not self.before.strip(" \t>")


def find_blocks(answer: str) -> list[Block]:
    """All blocks in their order; the last one may lack its closing fence."""
    text = answer.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    if len(text) > MAX_CHARS:
        text = text[text.find("\n", len(text) - MAX_CHARS) + 1 :]
    return _Reader(text).read()


def classify_label(label: str) -> Kind:
    """The kind of block that the text behind an opening fence announces."""
    words = [word.strip("._-+#") for word in LABEL_WORD.findall(label[:200].lower())]
    words = [word for word in words if word]
    if not words:
        return Kind.UNNAMED
    if _is_python(words[0]):
        return Kind.OTHER if words[1:2] and words[1] in SESSION_WORDS else Kind.PYTHON
    if words[0] not in EMPTY_LABELS:
        return Kind.OTHER
    return Kind.PYTHON if any(_is_python(word) for word in words[1:4]) else Kind.UNNAMED


def _is_python(word: str) -> bool:
    return PYTHON_LABEL.fullmatch(word) is not None or word.endswith(".py")


def parse_program(code: str) -> ast.Module | None:
    """The syntax tree, None for text that is not Python; sizes are bounded because a model wrote it."""
    if len(code) > MAX_PARSED_CHARS:
        return None
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class Lexer:
    """Tells whether places of a program, asked for in ascending order, are in a string or a comment."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._position = start
        self._where = Where.CODE  # of the string or comment that ends at `_position`

    def look(self, place: int) -> Where:
        """Reads on to `place`."""
        while self._position <= place:
            match = STRING_OR_COMMENT.search(self._text, self._position, place)
            if match is None:
                self._position = place
                return Where.CODE
            self._position = self._find_end(match.group(), match.end())
            self._where = Where.COMMENT if match.group() == "#" else Where.STRING
        return self._where

    def _find_end(self, opening: str, start: int) -> int:
        if opening == "#":
            end = self._text.find("\n", start)
            return len(self._text) if end < 0 else end
        if len(opening) == 1:
            match = REST_OF_STRING[opening].match(self._text, start)
            return match.end() if match else start
        end = self._text.find(opening, start)
        while end >= 0 and _is_escaped(self._text, end, start):
            end = self._text.find(opening, end + 1)
        return len(self._text) if end < 0 else end + 3


def _is_escaped(text: str, place: int, start: int) -> bool:
    first = place
    while first > start and text[first - 1] == "\\":
        first -= 1
    return (place - first) % 2 == 1


class _Reader:
    """One pass over the fences of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.fences = _find_fences(text)
        self.second_looks = 0

    def read(self) -> list[Block]:
        blocks: list[Block] = []
        number = 0
        while number < len(self.fences):
            kind = self._opens(number)
            if self._is_one_line(number):
                blocks += self._one_line_block(number)
                number += 2
            elif kind is None:
                number += 1
            else:
                block, number = self._read_block(number, kind)
                blocks.append(block)
                if number == UNCLOSED and len(self.fences) == MAX_FENCES:
                    blocks.pop()  # its end was not looked for
        return blocks

    def _rest(self, fence: Fence) -> str:
        return self.text[fence.end : min(fence.line_end, fence.end + 1000)]

    def _opens(self, number: int) -> Kind | None:
        """The kind of block that a fence outside all blocks opens, None for one that opens none."""
        fence = self.fences[number]
        rest = self._rest(fence).strip()
        kind = classify_label(rest)
        if fence.is_first or LIST_MARK.match(fence.before):
            return kind
        if self.text[fence.start] == "~":
            return None
        is_announced = not rest and fence.before.rstrip().endswith(":")
        return kind if kind is Kind.PYTHON or is_announced else None

    def _is_one_line(self, number: int) -> bool:
        """Another fence in the same line: all of the block is between the two."""
        following = self.fences[number + 1] if number + 1 < len(self.fences) else None
        return following is not None and following.line_start == self.fences[number].line_start

    def _one_line_block(self, number: int) -> list[Block]:
        fence, closing = self.fences[number], self.fences[number + 1]
        content = self.text[fence.end : closing.start]
        first, *code = content.split(None, 1) or [""]
        if classify_label(first) is Kind.PYTHON:
            return [Block(Kind.PYTHON, code[0].strip() + "\n")] if code else []
        is_program = fence.is_first and bool(content.strip()) and parse_program(content.strip()) is not None
        return [Block(Kind.UNNAMED, content.strip() + "\n")] if is_program else []

    def _read_block(self, number: int, kind: Kind) -> tuple[Block, int]:
        """The block that a fence opens, and the number of the fence to go on with."""
        number, kind = self._skip_doubled(number, kind)
        opening = self.fences[number]
        start = min(opening.line_end + 1, len(self.text))
        closing, in_strings = self._find_closing(number, kind, start)
        if in_strings and self.second_looks < MAX_SECOND_LOOKS:
            end = self.fences[closing].start if closing is not None else len(self.text)
            if parse_program(self._content(opening, start, end)) is None:  # the strings were none
                self.second_looks += 1
                closing = in_strings[0]
        code = self._code_beside_label(opening) if kind is Kind.PYTHON else ""
        if closing is None:
            return Block(kind, code + strip_end_marks(self._content(opening, start, len(self.text)))), UNCLOSED
        fence = self.fences[closing]
        is_opening = fence.is_first and self._announces_block(fence)
        content = self._content(opening, start, fence.line_start if fence.is_first else fence.start)
        return Block(kind, code + content), closing if is_opening else closing + 1

    def _skip_doubled(self, number: int, kind: Kind) -> tuple[int, Kind]:
        """Opening fences with nothing between them are one; the last one that says something names the block."""
        while number + 1 < len(self.fences) and self.fences[number + 1].is_first:
            following = self.fences[number + 1]
            is_blank = not self.text[self.fences[number].line_end : following.start].strip(" \t\n>")
            if not is_blank or not self._announces_block(following):
                break
            number, kind = number + 1, classify_label(self._rest(following))
        return number, kind

    def _announces_block(self, fence: Fence) -> bool:
        """A fence at the beginning of a line with a label: nothing that closes a block."""
        rest = self._rest(fence)
        return bool(rest.strip()) and (rest[0].isalnum() or classify_label(rest) is Kind.PYTHON)

    def _find_closing(self, number: int, kind: Kind, start: int) -> tuple[int | None, list[int]]:
        """The fence that ends a block, and those before it that were passed over because they stand in strings."""
        opening, sign = self.fences[number], self.text[self.fences[number].start]
        lexer = Lexer(self.text, start) if kind is not Kind.OTHER else None
        in_strings: list[int] = []
        shorter: int | None = None
        for other in range(number + 1, len(self.fences)):
            fence = self.fences[other]
            if self.text[fence.start] != sign or (not fence.is_first and lexer is None):
                continue
            where = lexer.look(fence.start) if lexer else Where.CODE
            if where is not Where.CODE:
                if fence.is_first and not in_strings:
                    in_strings.append(other)
                continue
            if fence.length < opening.length and not (fence.is_first and self._announces_block(fence)):
                shorter = other if shorter is None else shorter
                continue
            return other, in_strings
        return shorter, in_strings

    def _content(self, opening: Fence, start: int, end: int) -> str:
        content = self.text[start:end]
        quotation = opening.before.rstrip(" \t")
        if not quotation or quotation.strip(" \t>"):
            return content
        depth = quotation.count(">")
        return "\n".join(_unquote(line, depth) for line in content.split("\n"))

    def _code_beside_label(self, opening: Fence) -> str:
        """The first line of a program that stands in the line of its fence: "```python import sys"."""
        code = "".join(self._rest(opening).split(None, 1)[1:])
        tree = parse_program(code.strip()) if "(" in code or "import" in code else None
        if tree is None or not tree.body:
            return ""
        is_code = isinstance(tree.body[0], (ast.Import, ast.ImportFrom)) or any(
            isinstance(node, ast.Call) for node in ast.walk(tree)
        )
        return code.strip() + "\n" if is_code else ""


def _unquote(line: str, depth: int) -> str:
    for _ in range(depth):
        stripped = line.lstrip(" \t")
        if not stripped.startswith(">"):
            break
        line = stripped[2:] if stripped.startswith("> ") else stripped[1:]
    return line


def strip_end_marks(text: str) -> str:
    """The text without the marks with which a model ended it; unchanged when it has none."""
    match = END_MARKS.search(text, max(0, len(text) - LONGEST_END))
    if match is None or not match.group().strip():
        return text
    return text[: match.start()] + "\n"


def _find_fences(text: str) -> list[Fence]:
    fences: list[Fence] = []
    line_start = line_end = -1
    for match in FENCE.finditer(text):
        if match.start() > line_end:
            line_start = text.rfind("\n", 0, match.start()) + 1
            line_end = text.find("\n", match.end())
            line_end = len(text) if line_end < 0 else line_end
        before = text[line_start : match.start()] if match.start() - line_start <= 1000 else "…"
        fences.append(Fence(match.start(), match.end(), line_start, line_end, before))
        if len(fences) >= MAX_FENCES:
            break
    return fences
