"""What of the protection holds on this machine, what is missing, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tools.sandbox.landlock import GOOD_ABI

REMEDIES = {
    "landlock": "needs Linux 5.13 or later with Landlock among its security modules (kernel option lsm=landlock,...), "
    "and a container runtime whose system-call profile permits it (a current Docker does)",
    "seccomp": "needs a kernel with CONFIG_SECCOMP_FILTER, and x86_64 or aarch64",
}


@dataclass(frozen=True)
class Protection:
    """`missing` names layers without which nothing is run; `warnings` are weaknesses that one can live with."""

    landlock_abi: int
    has_seccomp: bool
    uid: int
    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def refusal(self) -> str:
        """The line with which a program is refused."""
        parts = [
            f"{name} does not hold ({self.failures.get(name, 'switched off')}): {REMEDIES[name]}"
            for name in self.missing
        ]
        return f"no program is run without its protection; {'; '.join(parts)}; --unsafe-no-sandbox runs it all the same"

    def to_json(self) -> dict[str, Any]:
        """For accuracy_results.json."""
        return {
            "is_safe": not self.missing,
            "landlock_abi": self.landlock_abi,
            "seccomp": self.has_seccomp,
            "own_user": self.uid,
            "missing": list(self.missing),
            "warnings": list(self.warnings),
        }


def left_to_filter(abi: int) -> str:
    """What the system-call filter alone holds back on a kernel with this Landlock, in words: one layer instead of two."""
    later = {3: "truncation of files opened for reading", 4: "TCP", 5: "requests to devices",
             6: "signals to other processes, abstract sockets"}  # fmt: skip
    left = [what for version, what in later.items() if abi < version]
    return f"{', '.join(left)}: only the system-call filter holds them back"


def describe(state: dict[str, Any]) -> Protection:
    """From what the warm process reports of itself."""
    missing = [name for name in ("landlock", "seccomp") if not state[name]]
    warnings = []
    if state["landlock"] and state["landlock"] < GOOD_ABI:
        abi = state["landlock"]
        warnings.append(f"Landlock ABI {abi} is older than {GOOD_ABI}: {left_to_filter(abi)} (Linux 6.12 has ABI 6)")
    if state["uid"] == 0:
        warnings.append("programs run as root, since no other user id could be taken; run as another user instead")
    failures = dict(state["failures"])
    return Protection(state["landlock"], state["seccomp"], state["uid"], tuple(missing), tuple(warnings), failures)


def weaker(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What holds for both of two places where programs ran, each as `to_json` says it; an empty one counts for nothing."""
    if not one or not other:
        return one or other
    return {
        "is_safe": one["is_safe"] and other["is_safe"],
        "landlock_abi": min(one["landlock_abi"], other["landlock_abi"]),
        "seccomp": one["seccomp"] and other["seccomp"],
        "own_user": other["own_user"],
        "missing": [*dict.fromkeys([*one["missing"], *other["missing"]])],
        "warnings": [*dict.fromkeys([*one["warnings"], *other["warnings"]])],
    }
