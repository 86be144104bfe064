"""The system-call filter of compilers and of what they make: installed once, inherited by every process of the tree.

>>> len(build_tree_filter(has_scope=True)) % 8
0
"""

from __future__ import annotations

import errno
import platform

from tools.sandbox import system_calls as calls
from tools.sandbox import toolchain_calls as tree
from tools.sandbox.seccomp import (
    ALLOW,
    ARCHITECTURE,
    AUDIT_ARCH,
    ERRNO,
    JUMP_EQUAL,
    JUMP_GREATER_EQUAL,
    KILL,
    LOAD,
    NUMBER,
    REFUSE,
    RETURN,
    X32_BIT,
    Filter,
    make_rules,
)
from tools.sandbox.system_calls import FILTERED_CALLS, PROGRAM_CALLS

PRETEND = ERRNO  # an error number of 0: success
NO_TERMINAL, ABSENT, INVALID = ERRNO | errno.ENOTTY, ERRNO | errno.ENOSYS, ERRNO | errno.EINVAL


def build_tree_filter(has_scope: bool) -> bytes:
    """The allow list. `has_scope`: Landlock keeps signals inside the tree; else only what reaches no one is allowed.

    Raises OSError on an architecture without a table.
    """
    machine = platform.machine()
    if machine not in AUDIT_ARCH:
        raise OSError(errno.ENOSYS, f"no system-call table for {machine}; x86_64 and aarch64 are known")
    column = 0 if machine == "x86_64" else 1
    program = Filter()
    program.add(LOAD, ARCHITECTURE)
    program.add(JUMP_EQUAL, AUDIT_ARCH[machine], 1, 0)
    program.add(RETURN, KILL)
    program.add(LOAD, NUMBER)
    if column == 0:
        program.add(JUMP_GREATER_EQUAL, X32_BIT, 0, 1)
        program.add(RETURN, ABSENT)
    filtered = {name: body for name, body in make_rules(column).items() if name not in tree.TREE_CALLS}
    rules = {FILTERED_CALLS[name][column]: body for name, body in (filtered | _wider_rules(column)).items()}
    rules |= {tree.NARROW_CALLS[name][column]: body for name, body in _narrow_rules(has_scope).items()}
    decided = {number for number in rules if number is not None}
    for table, answer in (
        (PROGRAM_CALLS, ALLOW), (tree.TREE_CALLS, ALLOW), (tree.PRETENDED_CALLS, PRETEND),
        (tree.ABSENT_CALLS, ABSENT), (tree.UNSUPPORTED_CALLS, ERRNO | errno.EOPNOTSUPP),
    ):  # fmt: skip
        for numbers in table.values():
            number = numbers[column]
            if number is not None and number not in decided:
                program.on_value(number, answer)
    for number, body in rules.items():
        program.guard(number, body)
    return program.otherwise(REFUSE).to_bytes()


def _wider_rules(column: int) -> dict[str, Filter]:
    """Instead of the rules for Python programs."""
    status = Filter().load(1).allow((*calls.FCNTL_COMMANDS, *tree.FCNTL_COMMANDS))
    status.add(JUMP_EQUAL, calls.F_SETFL, 1, 0)
    status.add(RETURN, REFUSE)
    status.load(2).on_any_bit(0xFFFFFFFF & ~calls.STATUS_FLAGS, REFUSE).otherwise(ALLOW)
    memory = Filter().load(3).on_any_bit(0xFFFFFFFF & ~(calls.MAP_FLAGS | 0x40), INVALID)
    memory.load(3, calls.MAP_SHARED_ANONYMOUS).on_value(calls.MAP_SHARED_ANONYMOUS, ERRNO | errno.ENOMEM)
    return {
        "mmap": memory.otherwise(ALLOW),
        "fcntl": status,
        "open": _rule_for_open(1, column),
        "openat": _rule_for_open(2, column),
        "ioctl": Filter().load(1).allow((*calls.IOCTLS, *tree.IOCTLS)).otherwise(NO_TERMINAL),
        "madvise": Filter().load(2).allow((*calls.ADVICE, *tree.ADVICE)).otherwise(INVALID),
        "close_range": Filter().otherwise(ALLOW),
    }


def _rule_for_open(argument: int, column: int) -> Filter:
    """As for programs (old Landlock lets a file be truncated that is opened for reading), with O_PATH."""
    known = calls.OPEN_FLAGS | calls.OPEN_FLAGS_BY_ARCHITECTURE[column] | tree.MORE_OPEN_FLAGS
    body = Filter().load(argument).on_any_bit(0xFFFFFFFF & ~known, ERRNO | errno.EOPNOTSUPP)
    body.load(argument, calls.ACCESS_MODE).on_value(calls.ACCESS_MODE, REFUSE)
    body.load(argument, calls.ACCESS_MODE | calls.O_TRUNC).on_value(calls.O_TRUNC, REFUSE)
    return body.otherwise(ALLOW)


def _narrow_rules(has_scope: bool) -> dict[str, Filter]:
    rules = {
        "clone": Filter().load(0).on_any_bit(tree.CLONE_FORBIDDEN, REFUSE).otherwise(ALLOW),
        "socketpair": Filter().load(0).allow((tree.AF_UNIX,)).otherwise(REFUSE),
        "utimensat": Filter().load(1).on_value(0, PRETEND).otherwise(REFUSE),
        "prctl": Filter().load(0).allow(tree.PRCTL_OPTIONS).otherwise(INVALID),
    }
    if has_scope:
        return rules | {name: Filter().otherwise(ALLOW) for name in ("kill", "tgkill", "tkill", "setpgid", "setsid")}
    rules["kill"] = Filter().load(0).allow((0,)).otherwise(REFUSE)
    rules["tgkill"] = Filter().load(2).allow((tree.SIGURG,)).otherwise(REFUSE)
    rules["tkill"] = Filter().load(1).allow((tree.SIGURG,)).otherwise(REFUSE)
    return rules | {name: Filter().otherwise(REFUSE) for name in ("setpgid", "setsid")}
