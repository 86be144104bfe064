"""What the user says: the question of a problem, before a model's template is put around it.

A benchmark names its template ("question" in data/benchmarks/*.json). The texts of "math" and "code" are the original
toolkit's, to the letter; a golden test holds each of them.

>>> from tools.benchmarks.benchmark import find_benchmark
>>> render_question(Problem("1", "What is 1 + 1?", "2", {}), find_benchmark("aime24"), "qwen")
'What is 1 + 1?\\n\\nPlease place your final answer inside \\\\boxed{}.'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tools.benchmarks.benchmark import Benchmark, ExampleFields
from tools.benchmarks.choices import LETTERS, format_choices, listed_options
from tools.benchmarks.problems import LoadedBenchmark, read_row
from tools.benchmarks.rows import LONG_ROW_BYTES, conversation
from tools.errors import DataError
from tools.records import Problem

# By the type of the model's prompt: r1 was trained with words of its own, all others take the second text.
MATH_R1 = "{statement}\nPlease reason step by step, and put your final answer within \\boxed{{}}."
MATH = "{statement}\n\nPlease place your final answer inside \\boxed{{}}."
CODE_FORMAT = "Please place the solution code in the following format:\n```python\n# Your solution code here\n```"
CODE_WITH_STARTER = (
    "{statement}\n\nSolve the problem starting with the provided function header.\n\nFunction header:\n```\n{starter_code}\n```\n\n"
    + CODE_FORMAT
)
CODE_WITHOUT_STARTER = "{statement}\n\nWrite Python code to solve the problem. " + CODE_FORMAT
CHOICE_R1 = "{question}\n\nPlease reason step by step, and put the letter of the right option, and nothing else, within \\boxed{{}}."
CHOICE_QWEN = "{question}\n\nPlease place the letter of the right option, and nothing else, inside \\boxed{{}}."
CHOICE = (
    "{question}\n\nOne of the options is right. Think about it first, and end with a line of the form "
    '"Answer: X", where X is its letter.'
)
TEXT_R1 = "{statement}\nPlease reason step by step, and put your final answer within \\boxed{{}}."
TEXT = '{statement}\n\nThink about it first, and end with a line of the form "The answer is: X", where X is your final answer.'
# JEEBench's rows say of which type they are.
JEEBENCH = {
    "MCQ": "Exactly one of the options is right. Put its letter within \\boxed{}.",
    "MCQ(multiple)": "One or more of the options are right. Put the letters of all that are within \\boxed{}, for example \\boxed{AC}.",
    "Integer": "The answer is a non-negative integer. Put it within \\boxed{}.",
    "Numeric": "The answer is a number. Put it within \\boxed{}, correct to two decimal places.",
}

FUNCTION = "{statement}\n\nWrite the whole function{tested}, with the imports that it needs, in one block:\n```python\n# Your code here\n```"


def ask_math(problem: Problem, model_type: str) -> str:
    return (MATH_R1 if model_type == "r1" else MATH).format(statement=problem.statement)


def ask_code(problem: Problem, model_type: str) -> str:
    starter_code = problem.fields.get("starter_code") or ""
    template = CODE_WITH_STARTER if starter_code else CODE_WITHOUT_STARTER
    return template.format(statement=problem.statement, starter_code=starter_code)


def ask_contest(problem: Problem, model_type: str) -> str:
    """Codeforces' rows have the parts of a statement in fields of their own."""
    row = problem.fields
    parts = [str(row.get("title") or ""), problem.statement]
    for heading, field in (("Input", "input_format"), ("Output", "output_format"), ("Note", "note")):
        if row.get(field):
            parts.append(f"{heading}\n{row[field]}")
    examples = [each for each in _long_field(problem, "examples") or () if isinstance(each, dict)]
    parts += [f"Example input\n{each.get('input', '')}\nExample output\n{each.get('output', '')}" for each in examples]
    if row.get("time_limit"):
        parts.append(f"Time limit: {row['time_limit']:g} s" if isinstance(row["time_limit"], (int, float)) else "")
    statement = "\n\n".join(part.strip() for part in parts if part.strip())
    return CODE_WITHOUT_STARTER.format(statement=statement)


def ask_function(problem: Problem, model_type: str) -> str:
    """HumanEval's prompts end in the head of the function; MBPP's are words, and only a test tells the function's name."""
    test = problem.fields.get("first_test")
    return FUNCTION.format(
        statement=problem.statement.strip("\n"), tested=f" that passes this test: `{test}`" if test else ""
    )


def ask_choice(problem: Problem, model_type: str) -> str:
    """Passage, statement and options; a statement that lists them itself is left as it is."""
    parts = [str(problem.fields.get("passage") or ""), problem.statement]
    if not _lists_choices(problem):
        parts.append(format_choices(problem.choices))
    template = {"r1": CHOICE_R1, "qwen": CHOICE_QWEN}.get(model_type, CHOICE)
    return template.format(question="\n\n".join(part for part in parts if part))


def _lists_choices(problem: Problem) -> bool:
    if problem.choices == listed_options(problem.statement):
        return True
    named = zip(LETTERS, problem.choices, strict=False)
    return all(f"({letter})" in problem.statement and option in problem.statement for letter, option in named)


def ask_text(problem: Problem, model_type: str) -> str:
    return (TEXT_R1 if model_type == "r1" else TEXT).format(statement=problem.statement)


def fill(template: str, problem: Problem) -> str:
    """A template with the problem's texts in it. Not str.format: LaTeX has braces too, and so may a statement.

    >>> fill("{passage} {problem} {}", Problem("1", "Who {was}?", None, {"passage": "It rained.", "was": 1}))
    'It rained. Who {was}? {}'
    >>> fill("{passage}\\n{problem}\\n{choices}", Problem("1", "Who?", "A", {"passage": None}, choices=("I", "you")))
    'Who?\\nA. I\\nB. you'
    """
    texts = {"problem": problem.statement, "choices": format_choices(problem.choices)}
    texts |= {name: str(value) for name, value in problem.fields.items() if isinstance(value, (str, int, float))}
    texts |= {name: "" for name, value in problem.fields.items() if value is None}
    return PLACE.sub(lambda match: texts.get(match[1], match[0]), template).strip()


def ask_jeebench(problem: Problem, model_type: str) -> str:
    kind = JEEBENCH.get(str(problem.fields.get("type")), JEEBENCH["MCQ"])
    return f"{problem.statement}\n\nThink step by step. {kind}"


QUESTIONS: dict[str, Callable[[Problem, str], str]] = {
    "math": ask_math,
    "code": ask_code,
    "contest": ask_contest,
    "function": ask_function,
    "choice": ask_choice,
    "text": ask_text,
    "jeebench": ask_jeebench,
}
# How an example says its answer, by the question's template; type r1 was trained to box it.
ANSWER_FORMS = {
    "math": {"qwen": "\\boxed{{{}}}", "chat": "\\boxed{{{}}}"},
    "choice": {"qwen": "\\boxed{{{}}}", "chat": "Answer: {}"},
    "text": {"qwen": "The answer is: {}", "chat": "The answer is: {}"},
}
PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")
MESSAGES = "{messages}"  # the row's statement as it is; for type chat its field `messages`, a list of role and content
# Stands for any problem where only the words around it matter.
PROBE = Problem("probe", "{problem}", None, {"starter_code": "{starter_code}"}, choices=("{option}",))


def render_question(problem: Problem, benchmark: Benchmark, model_type: str) -> str:
    """The question as a user would type it. `model_type` is r1, qwen or chat. Raises DataError for an unknown template.

    A benchmark's entry may also hold a text of its own, with {problem} where the statement goes, {choices} for the options,
    a line each, and {field} for any other field of the row.
    """
    if benchmark.question == MESSAGES:
        return problem.statement
    if PLACE.search(benchmark.question):
        return fill(benchmark.question, problem)
    try:
        ask = QUESTIONS[benchmark.question]
    except KeyError:
        known = ", ".join(QUESTIONS)
        raise DataError(f"{benchmark.name}: its question {benchmark.question!r} is unknown; choose {known}") from None
    return ask(problem, model_type)


def turns_of(
    problem: Problem, benchmark: Benchmark, model_type: str, examples: LoadedBenchmark | None = None
) -> tuple[tuple[str, str], ...]:
    """(role, text) of each turn, where a row brings a conversation or examples stand before it; else empty. The conversation of
    a planned benchmark is for type chat alone, because its statement holds all of it.

    Raises DataError for a row whose messages are no list of role and content, or that has no examples.
    """
    if examples is not None and benchmark.examples is not None:
        return _show_examples(problem, benchmark, benchmark.examples, examples, model_type)
    if benchmark.question != MESSAGES:
        return conversation_of(problem)
    if model_type != "chat":
        return ()
    messages = _long_field(problem, "messages") or ()
    try:
        return tuple((str(message["role"]), str(message["content"])) for message in messages)
    except (TypeError, KeyError) as error:
        raise DataError(
            f"{benchmark.name}: problem {problem.task_id!r}: its messages are no list of role and content; mend its row"
        ) from error


def _show_examples(
    problem: Problem, benchmark: Benchmark, fields: ExampleFields, examples: LoadedBenchmark, model_type: str
) -> tuple[tuple[str, str], ...]:
    """Question and answer of each example, and the problem's own question."""
    wanted = problem.fields.get(fields.same)
    shown = [each for each in examples.problems if not fields.same or each.fields.get(fields.same) == wanted]
    if len(shown) < fields.count:
        raise DataError(
            f"{benchmark.name}: problem {problem.task_id!r} wants {fields.count} examples and {examples.path} has {len(shown)}"
            + (f" with {fields.same} {wanted!r}" if fields.same else "")
        )
    turns: list[tuple[str, str]] = []
    for each in shown[: fields.count]:
        turns.append(("user", render_question(each, benchmark, model_type)))
        turns.append(("assistant", _show_answer(each, benchmark, fields, model_type)))
    return (*turns, ("user", render_question(problem, benchmark, model_type)))


def _show_answer(example: Problem, benchmark: Benchmark, fields: ExampleFields, model_type: str) -> str:
    """What an example says, and the right answer in the form that the question asks for."""
    said = str(example.fields.get(fields.answer) or "").removeprefix("A:").strip()
    form = "\\boxed{{{}}}" if model_type == "r1" else ANSWER_FORMS.get(benchmark.question, {}).get(model_type, "{}")
    return f"{said}\n\n{form.format(example.answer or '')}".strip()


def conversation_of(problem: Problem) -> tuple[tuple[str, str], ...]:
    """As rows.conversation, of one that stayed in the file too. Raises DataError."""
    is_away = problem.place is not None and problem.place.length > LONG_ROW_BYTES
    return conversation(read_row(problem) if is_away else problem.fields)


def is_whole_text(problem: Problem) -> bool:
    """Whether the statement of a scored problem is itself what is scored, from its first token on."""
    return problem.fields.get("is_whole_text") is True


def choices_of(problem: Problem, benchmark: Benchmark) -> tuple[tuple[str, str], ...]:
    """(context, continuation) of each choice of a scored benchmark; the context is the statement, or the row's own
    `contexts`, one for each choice. Raises DataError."""
    choices = _long_field(problem, "choices") or ()
    contexts = _long_field(problem, "contexts") or [problem.statement] * len(choices)
    if not choices or len(contexts) != len(choices) or not all(isinstance(text, str) for text in (*choices, *contexts)):
        raise DataError(
            f"{benchmark.name}: problem {problem.task_id!r} has no list of texts `choices`, or not as many contexts; mend its row"
        )
    return tuple(zip(contexts, choices, strict=True))


def _long_field(problem: Problem, name: str) -> Any:
    """A field that may have stayed in the file, being long."""
    return problem.fields[name] if name in problem.fields else read_row(problem).get(name)
