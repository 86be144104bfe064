"""What a process can give up for good: prctl, capabilities, user id, resource limits.

Used by the warm process (zygote) once at its start and by each fork of it before a program runs.
"""

from __future__ import annotations

import ctypes
import os
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
_prctl = LIBC.prctl
_prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong]
_prctl.restype = ctypes.c_int
_syscall = LIBC.syscall
_syscall.restype = ctypes.c_long

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
PR_CAPBSET_DROP = 24
SIGKILL = 9
CAPABILITY_VERSION_3 = 0x20080522
LAST_CAPABILITY = 63


def call_prctl(option: int, value: int = 0, third: int = 0) -> None:
    """prctl(2); raises OSError."""
    if _prctl(option, value, third, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) was refused")


def call_system(number: int, *arguments: int) -> int:
    """A system call by number, for those that libc has no function for; raises OSError."""
    result = int(_syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments)))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def die_with_parent() -> None:
    """The kernel kills this process when its parent ends."""
    call_prctl(PR_SET_PDEATHSIG, SIGKILL)


def forbid_new_privileges() -> None:
    """No set-uid program can raise privileges any more; needed before seccomp and Landlock."""
    call_prctl(PR_SET_NO_NEW_PRIVS, 1)


def forbid_inspection() -> None:
    """Others of the same user can neither read this process's memory nor its descriptors; no core dumps."""
    call_prctl(PR_SET_DUMPABLE, 0)


def set_capabilities(mask: int) -> None:
    """Leaves exactly these capabilities (bits by number) permitted and effective, none inheritable."""
    header = ctypes.create_string_buffer(struct.pack("Ii", CAPABILITY_VERSION_3, 0))
    low, high = mask & 0xFFFFFFFF, mask >> 32
    data = ctypes.create_string_buffer(struct.pack("6I", low, low, 0, high, high, 0))
    if LIBC.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset was refused")


def drop_bounding_set() -> None:
    """No capability can come back by any way; silently stops where this is not permitted."""
    for capability in range(LAST_CAPABILITY + 1):
        if _prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            return


def become(uid: int) -> None:
    """Turns root into an unused user without any capability, for good."""
    drop_bounding_set()
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    set_capabilities(0)
