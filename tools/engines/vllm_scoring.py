"""Scored samples in vLLM: one request for each pair of context and continuation, put together again when all are through.

vLLM gives the log-probability of every token of a prompt (`prompt_logprobs`), and the likeliest token beside it.
"""

from __future__ import annotations

from typing import Any

from tools.engines import ScoreRequest, Scores
from tools.records import Sample


class ScoringJobs:
    """Which request of vLLM's belongs to which pair of which sample."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[ScoreRequest, int]] = {}
        self._found: dict[Sample, dict[int, tuple[float, bool]]] = {}
        self._count = 0

    def begin(self, request: ScoreRequest) -> list[str]:
        """Names for the requests of a sample's pairs."""
        names = []
        for index in range(len(request.pairs)):
            self._count += 1
            names.append(f"score-{self._count}")
            self._places[names[-1]] = (request, index)
        self._found[request.sample] = {}
        return names

    def drop(self, request: ScoreRequest) -> None:
        """Nothing more of this sample is waited for."""
        self._places = {name: place for name, place in self._places.items() if place[0] is not request}
        self._found.pop(request.sample, None)

    def collect(self, output: Any) -> Scores | None:
        """Takes a finished request of vLLM's; the scores of its sample where it was the last one."""
        place = self._places.pop(output.request_id, None)
        if place is None:
            return None
        request, index = place
        found = self._found[request.sample]
        found[index] = read_pair(output.prompt_logprobs, request.pairs[index].continuation)
        if len(found) < len(request.pairs):
            return None
        del self._found[request.sample]
        return request.to_scores([found[number] for number in range(len(request.pairs))])


def read_pair(prompt_logprobs: Any, continuation: tuple[int, ...]) -> tuple[float, bool]:
    """(log-likelihood, whether it is the greedy one) of the prompt's last tokens.

    >>> class One:
    ...     def __init__(self, logprob): self.logprob = logprob
    >>> read_pair([None, {7: One(-1.0), 8: One(-0.5)}, {9: One(-0.25)}], (7, 9))
    (-1.25, False)
    """
    total, is_greedy = 0.0, True
    for token, known in zip(continuation, prompt_logprobs[-len(continuation) :], strict=True):
        total += known[token].logprob
        is_greedy = is_greedy and max(known, key=lambda each: known[each].logprob) == token
    return total, is_greedy
