"""File and network rules of the kernel's Landlock, which any process may impose on itself.

After `restrict(readable=[...])` the process and all its children can open the files below these paths for reading and
nothing else; no TCP, and no signals or abstract sockets to processes outside. It cannot be undone.

Not covered by Landlock: stat() of a known path, chmod and its family, UDP (the system-call filter closes the latter two).
Source: kernel documentation, userspace-api/landlock.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable, Mapping

from tools.sandbox.process import call_system

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
RULE_PATH_BENEATH = 1
VERSION_FLAG = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
READ_AND_RUN = EXECUTE | READ_FILE | READ_DIR
# Removing, making and moving what a folder holds: files, folders and links; no devices, no pipes, no sockets.
CHANGE_FOLDER = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 12 | 1 << 13
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | 1 << 15
# How many of the file rights (bit 0 upwards) each ABI version knows.
FILE_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
ALL_TCP = 0b11  # bind, connect; since ABI 4
SCOPE_ALL = 0b11  # abstract unix sockets, signals; since ABI 6
GOOD_ABI = 6


def read_abi() -> int:
    """The version that this kernel offers, 0 when it has none."""
    try:
        return call_system(CREATE_RULESET, 0, 0, VERSION_FLAG)
    except OSError:
        return 0


def restrict(readable: Iterable[str], writable: Iterable[str] = (), newest_abi: int = 99) -> int:
    """Restricts this process; paths that do not exist are passed over. Returns the ABI version.

    `newest_abi`: what newer versions can do is left out, as on an older kernel.
    Needs no_new_privs. Raises OSError when the kernel has no Landlock or refuses.
    """
    rights = dict.fromkeys(readable, READ_FILE | READ_DIR)
    rights |= dict.fromkeys(writable, READ_FILE | WRITE_FILE | TRUNCATE)
    ruleset, abi = make_ruleset(rights, newest_abi)
    try:
        enter(ruleset)
    finally:
        os.close(ruleset)
    return abi


def make_ruleset(rights: Mapping[str, int], newest_abi: int = 99) -> tuple[int, int]:
    """A descriptor of rules that any number of processes can enter, and the ABI version; what no path gives is refused.

    Rights that a version does not know are left out of it. Raises OSError as `restrict` does.
    """
    abi = min(read_abi(), newest_abi)
    if abi < 1:
        raise OSError(38, "this kernel has no Landlock")
    handled = (1 << FILE_RIGHTS_BY_ABI.get(abi, 16)) - 1
    attributes = struct.pack("QQQ", handled, ALL_TCP if abi >= 4 else 0, SCOPE_ALL if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    buffer = ctypes.create_string_buffer(attributes, 24)
    ruleset = call_system(CREATE_RULESET, ctypes.addressof(buffer), size, 0)
    try:
        for path, allowed in rights.items():
            _allow(ruleset, path, allowed & handled)
    except BaseException:
        os.close(ruleset)
        raise
    return ruleset, abi


def enter(ruleset: int) -> None:
    """Imposes the rules on this process and all that it will start, for good. Needs no_new_privs; raises OSError."""
    call_system(RESTRICT_SELF, ruleset, 0)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= FILE_RIGHTS
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, descriptor))
        call_system(ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.addressof(rule), 0)
    finally:
        os.close(descriptor)
