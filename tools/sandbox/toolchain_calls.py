"""The system calls that compilers, interpreters and just-in-time compilers need beyond those of a Python program.

Used by `toolchain_filter.py`. A tree of processes that works in a folder of its own: it may start processes and programs,
change files (which ones: Landlock decides) and make machine code. It still has no network, no shared memory, no tracing,
no namespaces, and cannot change the mode, owner or times of a file, which Landlock does not mediate.

>>> "execve" in TREE_CALLS, "socket" in TREE_CALLS, "chmod" in PRETENDED_CALLS
(True, False, True)
"""

from __future__ import annotations

from tools.sandbox.system_calls import Numbers

# Allowed whatever the arguments.
TREE_CALLS: dict[str, Numbers] = {
    # processes: starting programs, waiting for them, groups of them (a tree is ended as a whole, see launcher.py)
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "wait4": (61, 260), "waitid": (247, 95),
    # what the loader of a program does first
    "arch_prctl": (158, None),
    # files below the one folder that Landlock lets be changed
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "unlink": (87, None), "unlinkat": (263, 35),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "link": (86, None), "linkat": (265, 37),
    "symlink": (88, None), "symlinkat": (266, 36), "ftruncate": (77, 46), "fallocate": (285, 47), "creat": (85, None),
    "fsync": (74, 82), "fdatasync": (75, 83), "flock": (73, 32), "getdents": (78, None), "umask": (95, 166),
    "chdir": (80, 49), "fchdir": (81, 50), "copy_file_range": (326, 285), "sendfile": (40, 71), "fadvise64": (221, 223),
    "statfs": (137, 43), "fstatfs": (138, 44), "preadv": (295, 69), "pwritev": (296, 70), "preadv2": (327, 286),
    "pwritev2": (328, 287),
    # waiting: event loops
    "epoll_create": (213, None), "epoll_pwait2": (441, 441), "eventfd": (284, None), "eventfd2": (290, 19),
    "timer_create": (222, 107), "timer_settime": (223, 110), "timer_gettime": (224, 108), "timer_getoverrun": (225, 109),
    "timer_delete": (226, 111), "timerfd_create": (283, 85), "timerfd_settime": (286, 86), "timerfd_gettime": (287, 87),
    # over pairs of sockets, the only sockets there are: no message with descriptors can be sent
    "sendto": (44, 206), "recvfrom": (45, 207), "shutdown": (48, 210), "getsockopt": (55, 209), "setsockopt": (54, 208),
    "getsockname": (51, 204), "getpeername": (52, 205),
    # memory and processors, as virtual machines ask about them
    "mprotect": (10, 226), "mincore": (27, 232), "msync": (26, 227), "membarrier": (324, 283), "sysinfo": (99, 179),
    "getcpu": (309, 168), "get_robust_list": (274, 100),
    "sched_getaffinity": (204, 123),  # of its threads by number; of others it tells their processors, no more
    "sched_get_priority_max": (146, 125), "sched_get_priority_min": (147, 126), "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120), "getpriority": (140, 141), "capget": (125, 90),
    # limits of its own, which can only be lowered
    "setrlimit": (160, 164),
    # narrowing itself further; the launcher's forks do so
    "landlock_restrict_self": (446, 446),
}  # fmt: skip

# Allowed for some arguments only; the rules are in toolchain_filter.py.
NARROW_CALLS: dict[str, Numbers] = {
    "clone": (56, 220),  # threads and processes, no namespaces
    "socketpair": (53, 199),  # Unix only
    "utimensat": (280, 88),  # of an open file, as touch does after making it: seems to work; refused for a path
    "prctl": (157, 167),  # names, and signals at the parent's end
    "kill": (62, 129), "tgkill": (234, 131), "tkill": (200, 130),  # anything inside, where Landlock has a scope
    "setpgid": (109, 154), "setsid": (112, 157),  # only where a tree can be ended without its group
}  # fmt: skip

# They seem to work and change nothing: linkers and copiers give up where they fail.
PRETENDED_CALLS: dict[str, Numbers] = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
}  # fmt: skip

# Not there at all, as on an older kernel: callers then do without.
ABSENT_CALLS: dict[str, Numbers] = {
    "clone3": (435, 435), "io_uring_setup": (425, 425), "openat2": (437, 437), "pidfd_open": (434, 434),
    "execveat": (322, 281), "memfd_create": (319, 279), "pkey_alloc": (330, 289), "userfaultfd": (323, 282),
    "inotify_init1": (294, 26), "signalfd4": (289, 74),
}  # fmt: skip

# What a file system without extended attributes answers.
UNSUPPORTED_CALLS: dict[str, Numbers] = {
    "getxattr": (191, 8), "lgetxattr": (192, 9), "fgetxattr": (193, 10), "listxattr": (194, 11), "llistxattr": (195, 12),
    "flistxattr": (196, 13),
}  # fmt: skip

# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; CLONE_PTRACE, CLONE_PARENT.
CLONE_FORBIDDEN = 0x20000 | 0x7E000000 | 0x2000 | 0x8000
AF_UNIX = 1
# SET_PDEATHSIG, GET_PDEATHSIG, GET_DUMPABLE, SET_NAME, GET_NAME, GET_SECCOMP, CAPBSET_READ, GET_CHILD_SUBREAPER,
# SET_NO_NEW_PRIVS, GET_NO_NEW_PRIVS, SET_THP_DISABLE, SET_VMA (names of memory).
PRCTL_OPTIONS = (1, 2, 3, 15, 16, 21, 23, 37, 38, 39, 41, 0x53564D41)
# On top of what a Python program has: locks of files that it could open, sizes of pipes.
FCNTL_COMMANDS = (5, 6, 7, 36, 37, 38, 1032)
MORE_OPEN_FLAGS = 0x200000  # O_PATH; still no O_TMPFILE, whose files have no name to be counted by
IOCTLS = (0x5413, 0x540F)  # TIOCGWINSZ, TIOCGPGRP: shells ask; they are told that it is no terminal
# DONTFORK, DOFORK, WIPEONFORK, KEEPONFORK, COLD, PAGEOUT, POPULATE_READ, POPULATE_WRITE, COLLAPSE.
ADVICE = (10, 11, 18, 19, 20, 21, 22, 23, 25)
SIGURG = 23  # how Go's threads wake each other
