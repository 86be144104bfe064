"""What a column is, and what stands in a cell: a figure with its errors, or a gap with the reason.

>>> Gap("cap 16384 instead of 32768").reason
'cap 16384 instead of 32768'
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tools.results.parts import Bounds
from tools.results.results import Results
from tools.results.run_folder import RunFolder

NOT_RUN = "not run"


class Standing(str, enum.Enum):
    """Against the others of its column. TIED: no difference to the best one that these runs can show."""

    NONE = ""
    BEST = "best"
    TIED = "tied"


@dataclass(frozen=True)
class Scope:
    """What figures must share to stand in one column. `cap` is None where nobody recorded it."""

    set_name: str = ""
    problems: int = 0
    sha256: str = ""
    cap: int | None = None
    grader: str = ""
    judge: str = ""


@dataclass(frozen=True)
class BoardColumn:
    """`metric` None is the score. `scale` is the largest value there can be, None without a bound; 1 is shown in percent."""

    benchmark: str
    metric: str | None = None
    is_judged: bool = False
    scope: Scope = Scope()
    higher_is_better: bool = True
    scale: float | None = 1.0

    @property
    def name(self) -> str:
        return self.benchmark if self.metric is None else f"{self.benchmark}: {self.metric}"

    def shown(self, value: float, digits: int = 1) -> str:
        """A value of this column as it is printed: a share in percent, others as they are."""
        return f"{100 * value:.{digits}f}" if self.scale == 1.0 else f"{value:.{digits + 1}f}"

    def errors(self, figure: BoardFigure) -> list[str]:
        """Sampling error and total error as they are printed, always both; "?" where one cannot be known."""
        return ["?" if error is None else self.shown(error) for error in (figure.sampling_error, figure.total_error)]

    def facts(self) -> list[str]:
        """What all figures of the column have in common; nothing where there is none."""
        if not self.scope.sha256:
            return []
        cap = "cap not known" if self.scope.cap is None else f"cap {self.scope.cap}"
        unit = [] if self.scale == 1.0 else ["without a bound" if self.scale is None else f"of {self.scale:g}"]
        lower = [] if self.higher_is_better else ["lower is better"]
        judge = [f"judge {self.scope.judge}"] if self.scope.judge else []
        return [f"{self.scope.problems} problems", cap, *unit, *lower, *judge]


@dataclass(frozen=True)
class BoardFigure:
    """A figure with its errors, in the column's own unit; None where an error cannot be known."""

    value: float
    sampling_error: float | None
    total_error: float | None
    interval: Bounds | None
    sampling_interval: Bounds | None
    k: int
    results: Results
    run: RunFolder
    standing: Standing = Standing.NONE


@dataclass(frozen=True)
class Gap:
    """No figure, and why."""

    reason: str
