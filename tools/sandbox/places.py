"""What the sandbox needs to know about the machine: which files a program may read, which user it can become."""

from __future__ import annotations

import os
import pwd
import stat
import sys
import sysconfig

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Shared libraries, time zones, the list that Python's mimetypes reads, and the harmless devices. No /proc, no /home, no
# /tmp, no other /etc.
SYSTEM_PATHS = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/ld.so.cache",
    "/etc/localtime", "/etc/mime.types", "/dev/null", "/dev/urandom", "/dev/random",
)  # fmt: skip

FIRST_SPARE_UID, SPARE_UIDS = 61184, 4336  # the range that systemd gives to short-lived services


def site_folders() -> list[str]:
    """Where numpy and other packages lie; the program can import from there."""
    names = ("site-packages", "dist-packages")
    return [path for path in sys.path if os.path.basename(path.rstrip("/")) in names and os.path.isdir(path)]


def readable_paths(site: list[str]) -> list[str]:
    """What a program may open for reading."""
    library = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), *site]
    base = os.path.join(sys.base_prefix, "lib")
    return [*dict.fromkeys([*SYSTEM_PATHS, *library, base])]


def closed_folders(site: list[str]) -> list[str]:
    """Folders of the interpreter's library that other users cannot read, as for an interpreter below /root."""
    paths = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), *site]
    return [path for path in dict.fromkeys(paths) if not _is_open_to_all(path)]


def _is_open_to_all(path: str) -> bool:
    path = os.path.realpath(path)
    while True:
        mode = os.stat(path).st_mode
        if not mode & stat.S_IXOTH or (not mode & stat.S_IROTH and os.path.dirname(path) != path):
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)


def choose_uid(slot: int) -> int:
    """A user id that nobody has, another one for each worker (as far as the range goes)."""
    taken = {entry.pw_uid for entry in pwd.getpwall()} | _uids_of_processes()
    start = (os.getpid() * 64 + slot * 2) % SPARE_UIDS
    for step in range(SPARE_UIDS):
        uid = FIRST_SPARE_UID + (start + step) % SPARE_UIDS
        if uid not in taken:
            return uid
    return FIRST_SPARE_UID + start


def _uids_of_processes() -> set[int]:
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found.add(os.stat(f"/proc/{name}").st_uid)
            except OSError:
                continue
    return found


def count_tasks() -> int:
    """Threads that this user runs now, 0 for root: the limit on threads is counted per user, not per process."""
    if os.getuid() == 0:
        return 0
    total = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == os.getuid():
                    total += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue
    return total


def clean_environment() -> dict[str, str]:
    """All that a program finds in its environment. One thread per library; sets in the same order in every run."""
    fixed = {
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "HOME": "/",
        "PATH": "/usr/bin:/bin",
    }
    threads = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    return fixed | dict.fromkeys(threads, "1")
