"""Which crew of grading processes a launcher means: this machine's, or one on all nodes of a Ray cluster."""

from __future__ import annotations

from tools.grading.pool import Crew, LocalCrew


def choose_crew(launcher: str, workers: int | None) -> Crew:
    """The crew of a launcher: "local", or "ray" for all nodes of a cluster."""
    if launcher == "ray":
        from tools.grading.ray_crew import RayCrew

        return RayCrew(workers)
    return LocalCrew(workers)
