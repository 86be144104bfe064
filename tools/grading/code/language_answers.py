r"""The program in an answer in another language than Python, and that program with a problem's tests.

A model may answer with the whole function, a whole file, or with no more than what comes after the prompt. MultiPL-E's
tests were made for the last: in C++, Java and Bash, and others, they begin with the brace that such a completion lacks. So a whole
function gets the tests without that brace, a completion gets the prompt before it and the tests as they are.

>>> answer = "Here:\n```cpp\nint twice(int n) { return 2 * n; }\nint main() { return twice(1); }\n```"
>>> code = extract_code(answer, ("cpp", "c++"), "twice")
>>> print(join_tests("cpp", "int twice(int n) {\n", "twice", code, "}\nint main() { return twice(3) != 6; }\n"))
int twice(int n) { return 2 * n; }
<BLANKLINE>
<BLANKLINE>
int main() { return twice(3) != 6; }
<BLANKLINE>
"""

from __future__ import annotations

import re

MAX_CHARS = 1_000_000  # of an answer, from its end
FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[ \t]*([^`\n]*)$", re.MULTILINE)
LABEL = re.compile(r"[\w+#]+")
# The last name before the parameters of the prompt's last function.
FUNCTION = re.compile(r"(?:\b(?:function|func|fn|def|sub)[ \t]+|[\w>\]&*][ \t]+|^)(\w+)[ \t]*(?:\(|\{|$)", re.MULTILINE)
MAIN = {
    "cpp": re.compile(r"^[ \t]*(?:int|void|auto|signed)[ \t]+main[ \t]*\(", re.MULTILINE),
    "rs": re.compile(r"^[ \t]*(?:pub[ \t]+)?fn[ \t]+main[ \t]*\(", re.MULTILINE),
    "java": re.compile(r"^[ \t]*public[ \t]+static[ \t]+void[ \t]+main[ \t]*\(", re.MULTILINE),
}
GO_PACKAGE = re.compile(r"^package[ \t]+\w+", re.MULTILINE)
GO_IMPORT = re.compile(r"^import[ \t]*(\([^)]{0,4000}\)|[^\n]*)", re.MULTILINE)
# What a module exports is a program's own all the same.
EXPORT = re.compile(
    r"^export[ \t]+(?:default[ \t]+)?(?=(?:async[ \t]+)?function\b|class\b|const\b|let\b|var\b)"
    r"|^export[ \t]+(?:default[ \t]+[\w$]+|\{[^}]{0,2000}\})[ \t]*;?[ \t]*$",
    re.MULTILINE,
)
# Comments and strings, so that braces in them are not counted. Longer ones first.
SKIPPED = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)|\"(?:[^\"\\\n]|\\.)*\"?|'(?:[^'\\\n]|\\.)'|[{}]", re.DOTALL)


def extract_code(answer: str, labels: tuple[str, ...], function: str = "") -> str | None:
    """The last block of the language that defines the function, else that names it, else the last one at all; blocks
    without a label count where none has the language's."""
    blocks = [(label, text) for label, text in find_blocks(answer[-MAX_CHARS:].replace("\r\n", "\n")) if text.strip()]
    named = [text for label, text in blocks if label in labels] or [text for label, text in blocks if not label]
    if not named:
        return None
    language = labels[0]
    whole = [text for text in named if is_whole_function(language, function, text)]
    return (whole or [text for text in named if function in text] or named)[-1]


def find_blocks(answer: str) -> list[tuple[str, str]]:
    """(label in lower case, text) of each fenced block; the last may lack its closing fence.

    >>> find_blocks("a\\n```js\\n1\\n```\\nb\\n```\\n2")
    [('js', '1\\n'), ('', '2')]
    """
    blocks, opened, label, start = [], "", "", 0
    for fence in FENCE.finditer(answer):
        marks, words = fence.group(1), fence.group(2).strip().lower()
        if not opened:
            found = LABEL.search(words)
            opened, label, start = marks, found.group() if found else "", fence.end() + 1
        elif marks.startswith(opened):
            blocks.append((label, answer[start : fence.start()]))
            found = LABEL.match(words)
            # A fence with a label inside a block opens the next one: the block before it was never closed.
            opened, label, start = (marks, found.group(), fence.end() + 1) if found else ("", "", 0)
    if opened:
        blocks.append((label, answer[start:]))
    return blocks


def find_function(prompt: str) -> str:
    """The name of the function that a prompt begins.

    >>> find_function("#include <vector>\\nstd::vector<int> add_all(int a) {\\n"), find_function("sub add {\\n    my($a) = @_;\\n")
    ('add_all', 'add')
    """
    lines = [line for line in prompt.rstrip().split("\n") if not line.lstrip().startswith(("//", "#", "--", "*", "/*"))]
    for line in reversed(lines[-6:]):
        if "my(" in line or "my (" in line:
            continue
        names = FUNCTION.findall(line)
        if names:
            return str(names[0])
    return ""


def join_tests(language: str, prompt: str, function: str, code: str, tests: str) -> str:
    """The text of the program that is compiled and run."""
    if language == "unittest":
        return join_unittest(prompt, function, code, tests)
    is_whole = is_whole_function(language, function, code)
    lacks_brace = tests.lstrip().startswith("}")
    if not is_whole:
        return f"{prompt.rstrip()}\n{code.rstrip()}\n{tests}"
    if language == "java":
        return _join_java(prompt, function, code, tests)
    code = remove_main(language, code)
    if lacks_brace:
        tests = tests.lstrip()[1:]
    if language == "go":
        return f"{_with_go_head(prompt, code).rstrip()}\n\n{tests}"
    if language in ("js", "ts"):
        code = EXPORT.sub("", code) if language == "js" else code
        return f"{code.rstrip()}\n\n{_in_block(tests)}"
    return f"{find_head(language, prompt, code)}{code.rstrip()}\n\n{tests}"


def join_unittest(prompt: str, function: str, code: str, tests: str) -> str:
    """BigCodeBench's form: imports and head of the prompt with an empty body, the answer, the tests. An answer that is
    a body alone completes the prompt."""
    if re.search(rf"^def[ \t]+{re.escape(function)}\b", code, re.MULTILINE) is None and code[:1] in (" ", "\t"):
        return f"{prompt.rstrip()}\n{code}\n\n{tests}\n"
    return f"{prompt.rstrip()}\n    pass\n\n{code}\n\n{tests}\n"


def is_whole_function(language: str, function: str, code: str) -> bool:
    """Whether an answer has the function's head itself; a completion begins inside of it."""
    if not function:
        return False
    name = re.escape(function)
    heads = {
        "sh": rf"^[ \t]*(?:function[ \t]+)?{name}[ \t]*(?:\([ \t]*\))?[ \t]*\n?[ \t]*\{{",
        "pl": rf"\bsub[ \t]+{name}\b",
        "rb": rf"\bdef[ \t]+(?:self\.)?{name}\b",
        "php": rf"\bfunction[ \t]+&?{name}[ \t]*\(",
        "lua": rf"\bfunction[ \t]+{name}[ \t]*\(|\b{name}[ \t]*=[ \t]*function\b",
        "rs": rf"\bfn[ \t]+{name}\b",
        "go": rf"\bfunc[ \t]+{name}[ \t]*[(\[]",
        "js": rf"\bfunction[ \t]*\*?[ \t]*{name}[ \t]*\(|\b(?:const|let|var)[ \t]+{name}[ \t]*[=:]",
        "java": rf"^[ \t]*(?:(?:public|private|protected|static|final)[ \t]+)+[^=;(){{}}]*\b{name}[ \t]*\(",
        "cpp": rf"^[ \t]*(?:[A-Za-z_][\w:<>,&* \t]*[ \t&*>]){name}[ \t]*\([^;]*?\)[^;{{}}]*\{{",
    }
    heads["ts"] = heads["js"]
    return re.search(heads.get(language, rf"\b{name}\b"), code, re.MULTILINE) is not None


def find_head(language: str, prompt: str, code: str) -> str:
    """What stands before the function in the prompt and the answer may have left out: includes, imports, the opening tag."""
    if language == "php":
        return "" if code.lstrip().startswith("<?") else "<?php\n"
    if language in ("cpp", "rs"):
        word = "#include" if language == "cpp" else "use "
        lines = [line.strip() for line in prompt.split("\n") if line.startswith(word)]
        present = {re.sub(r"\s", "", line) for line in code.split("\n")}
        missing = [line for line in lines if re.sub(r"\s", "", line) not in present]
        return "".join(f"{line}\n" for line in missing)
    return ""


def _in_block(tests: str) -> str:
    """Tests in a block, where their names and those of an answer's own tests do not meet. TypeScript's `declare` may not
    stand in one."""
    lines = tests.split("\n")
    declared = [line for line in lines if line.startswith("declare ")]
    return "\n".join([*declared, "{", *(line for line in lines if not line.startswith("declare ")), "}", ""])


def _with_go_head(prompt: str, code: str) -> str:
    """The answer's file with the imports that the tests use. Its main stays: it may be all that uses one of its imports."""
    present = _go_imports(code)
    imports = "".join(f'import "{path}"\n' for path in _go_imports(prompt) if path not in present)
    package = GO_PACKAGE.search(code)
    if package:
        return f"{code[: package.end()]}\n{imports}{code[package.end() :]}"
    head = GO_PACKAGE.search(prompt)
    return f"{head.group() if head else 'package main'}\n{imports}{code}"


def _go_imports(text: str) -> list[str]:
    """The packages that a file imports, by their paths."""
    return [path for block in GO_IMPORT.findall(text) for path in re.findall(r"\"([^\"\n]+)\"", block)]


def remove_main(language: str, code: str) -> str:
    """The code without the main function that shows how to use it: the tests have their own."""
    pattern = MAIN.get(language)
    found = pattern.search(code) if pattern else None
    if found is None:
        return code
    end = find_end(code, found.end())
    return code[: found.start()] + code[end:]


def find_end(code: str, start: int) -> int:
    """Where the first block of braces after `start` has been closed; the end of the text where it never is."""
    depth = 0
    for token in SKIPPED.finditer(code, start):
        if token.group() == "{":
            depth += 1
        elif token.group() == "}":
            depth -= 1
            if depth <= 0:
                return token.end()
    return len(code)


def _join_java(prompt: str, function: str, code: str, tests: str) -> str:
    """The answer's class without its main and its last brace, which the tests have; other classes stay around it."""
    code = remove_main("java", code)
    found = re.search(r"^[ \t]*(?:(?:public|final|abstract)[ \t]+)*class[ \t]+(\w+)[^{;]*\{", code, re.MULTILINE)
    classes = re.finditer(r"^[ \t]*(?:(?:public|final|abstract)[ \t]+)*class[ \t]+(\w+)[^{;]*\{", code, re.MULTILINE)
    for each in classes:
        body = code[each.start() : find_end(code, each.start())]
        if is_whole_function("java", function, body) or each.group(1) == "Problem":
            found = each
            break
    imports = [line for line in prompt.split("\n") if line.startswith("import ")]
    head = "".join(f"{line}\n" for line in imports if line not in code)
    tests = tests.lstrip()[1:] if tests.lstrip().startswith("}") else tests
    if found is None:  # a method alone
        return f"{head}class Problem {{\n{code.rstrip()}\n{tests}"
    end = find_end(code, found.start())
    body, rest = code[found.start() : end - 1], code[end:]
    if found.group(1) != "Problem":
        body = re.sub(rf"\b{re.escape(found.group(1))}\b", "Problem", body)
    before = code[: found.start()]
    package = re.compile(r"^[ \t]*package[ \t][^;\n]*;", re.MULTILINE)
    return f"{head}{package.sub('', before)}{body.rstrip()}\n{tests.rstrip()}\n{rest}"
