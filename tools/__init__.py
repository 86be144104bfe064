"""The rooms of the toolkit, in the order in which data walk through them: problems, prompts, plan, engines,
generations, grader and code_verifier, statistics, results, report. Each is imported only when it is used."""

__version__ = "0.2.0"
