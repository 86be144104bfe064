"""Tasks of lm-evaluation-harness as benchmarks, `lm:NAME`: planned and graded by the task's own code, sampled by ours.

    planner.py    the entry and the file of problems of a name; made once, kept with a record of how
    process.py    the process in which lm_eval lives: third-party code runs there, and only for names that were asked for
    child.py      what that process does: reads commands, one JSON object a line
    tasks.py      building a task as lm-eval's own run does, without reading all of its ten thousand files
    planning.py   from a task to rows: prompts, choices, hashes
    judging.py    from responses to the task's values and figures: its filters, process_results, aggregation, groups
    values.py     a task's values as JSON, to the last digit
    grader.py     the grader `lm_eval`

Only child.py, tasks.py, planning.py and judging.py import lm_eval; nothing of it is loaded elsewhere. docs/lm_eval.md.
"""
