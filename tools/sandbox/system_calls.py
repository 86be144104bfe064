"""Every system call that a program may make, and why; everything that is not here fails with EPERM.

Used by `seccomp.py`, which turns the tables into filters. What a call may do is told by its arguments wherever the call
could reach farther than the process itself; a call that no program of a contest needs is not here, harmless or not.

>>> PROGRAM_CALLS["read"], "socket" in PROGRAM_CALLS, "socketpair" in PROGRAM_CALLS
((0, 63), False, False)
"""

from __future__ import annotations

Numbers = tuple[int | None, int | None]  # x86_64, aarch64; None where the architecture has no such call

# Allowed whatever the arguments.
PROGRAM_CALLS: dict[str, Numbers] = {
    # its descriptors: reading, writing, moving about, making copies
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "lseek": (8, 62), "pread64": (17, 67), "pwrite64": (18, 68),
    "readv": (19, 65), "writev": (20, 66), "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24),
    # pipes and waiting for them: asyncio, selectors, threads that wake each other; select() is also a way to sleep
    "pipe": (22, None), "pipe2": (293, 59), "poll": (7, None), "ppoll": (271, 73), "select": (23, None),
    "pselect6": (270, 72), "epoll_create1": (291, 20), "epoll_ctl": (233, 21), "epoll_wait": (232, None),
    "epoll_pwait": (281, 22),
    # what a path is, for imports; Landlock does not mediate these, so that a known path says that it exists
    "stat": (4, None), "fstat": (5, 80), "lstat": (6, None), "newfstatat": (262, 79), "statx": (332, 291),
    "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439), "readlink": (89, None),
    "readlinkat": (267, 78), "getcwd": (79, 17), "getdents64": (217, 61),
    # memory: giving back, and the heap's end (limits count it); mmap and its like are below
    "munmap": (11, 215), "brk": (12, 214),
    # threads: what the C library does at the start and end of one; clone is below
    "set_tid_address": (218, 96), "set_robust_list": (273, 99), "rseq": (334, 293), "exit": (60, 93),
    "sched_yield": (24, 124), "gettid": (186, 178),
    # time: sleeping, and clocks where the kernel offers no page to read them from
    "nanosleep": (35, 101), "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153),
    "restart_syscall": (219, 128),
    # signals: handlers, masks and waiting for signals; alarms that a program sets itself
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136),
    "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133), "sigaltstack": (131, 132), "pause": (34, None),
    "alarm": (37, None), "getitimer": (36, 102), "setitimer": (38, 103),
    # what it may ask about itself
    "getpid": (39, 172), "getppid": (110, 173), "getpgrp": (111, None), "getuid": (102, 174), "getgid": (104, 176),
    "geteuid": (107, 175), "getegid": (108, 177), "getgroups": (115, 158), "getresuid": (118, 148),
    "getresgid": (120, 150), "getrlimit": (97, 163), "getrusage": (98, 165), "uname": (63, 160),
    # random numbers, and the end
    "getrandom": (318, 278), "exit_group": (231, 94),
}  # fmt: skip

# Allowed for some arguments only; the rules are in seccomp.py.
FILTERED_CALLS: dict[str, Numbers] = {
    "mmap": (9, 222),  # not shared and anonymous, which no limit counts; not growing by itself; never writable code
    "mprotect": (10, 226),  # nothing becomes code
    "mremap": (25, 216),  # growing and moving only
    "madvise": (28, 233),  # giving back and large pages; no merging with pages of others
    "futex": (202, 98),  # waiting and waking; no priority inheritance, which nothing here needs
    "open": (2, None), "openat": (257, 56),  # which files: Landlock decides; here: no way around its rights
    "fcntl": (72, 25),  # copies and two flags; no owner of signals, no locks, no leases, no notification
    "ioctl": (16, 29),  # is it a terminal, how much is there to read, the two flags again
    "clone3": (435, 435),  # not there at all: the C library then uses clone, whose flags can be read
    "close_range": (436, 436),  # closing only
    "prlimit64": (302, 261), "sched_getaffinity": (204, 123), "getpgid": (121, 155), "getsid": (124, 156),  # itself only
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115),  # no clocks of processes
}  # fmt: skip

# For the warm process too, and narrower for programs: `clone` makes threads only, signals go to itself only.
NARROWED_CALLS: dict[str, Numbers] = {"clone": (56, 220), "kill": (62, 129), "tgkill": (234, 131)}

# For the warm process alone. A program has no child to wait for, no socket to send to, nothing to impose on itself.
WARM_CALLS: dict[str, Numbers] = {
    "wait4": (61, 260), "sendmsg": (46, 211), "recvmsg": (47, 212), "prctl": (157, 167),
}  # fmt: skip

# mmap: private or shared with a file, at a fixed place or not, for stacks, without reserve. Not MAP_GROWSDOWN (0x100),
# which grows past the limit on private memory, not MAP_LOCKED, not MAP_HUGETLB.
MAP_FLAGS = 0x1 | 0x2 | 0x10 | 0x20 | 0x800 | 0x1000 | 0x4000 | 0x8000 | 0x20000 | 0x100000
MAP_SHARED_ANONYMOUS, MAP_ANONYMOUS = 0x21, 0x20
PROT_READ_WRITE, PROT_WRITE_EXEC, PROT_EXEC = 0x3, 0x6, 0x4
MREMAP_FLAGS = (0, 1)  # MAYMOVE
# NORMAL to DONTNEED, FREE, HUGEPAGE and its opposite, DONTDUMP and its opposite.
ADVICE = (0, 1, 2, 3, 4, 8, 14, 15, 16, 17)
# WAIT, WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET, WAKE_BITSET; the bits for PRIVATE and CLOCK_REALTIME aside.
FUTEX_OPERATIONS, FUTEX_MASK = (0, 1, 3, 4, 5, 9, 10), 0x7F
# DUPFD, GETFD, SETFD, GETFL, DUPFD_CLOEXEC; SETFL is looked at further.
FCNTL_COMMANDS, F_SETFL = (0, 1, 2, 3, 1030), 4
# What SETFL may say: access mode (ignored), APPEND, NONBLOCK, LARGEFILE of both architectures. Not ASYNC, not DIRECT.
STATUS_FLAGS = 0x3 | 0x400 | 0x800 | 0x8000 | 0x20000
IOCTLS = (0x5401, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
# Access mode, CREAT, EXCL, NOCTTY, TRUNC, APPEND, NONBLOCK, DSYNC, CLOEXEC, SYNC; then DIRECTORY, NOFOLLOW, LARGEFILE by
# architecture. Not PATH, ASYNC, DIRECT, NOATIME, TMPFILE.
OPEN_FLAGS = 0x3 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800 | 0x1000 | 0x80000 | 0x100000
OPEN_FLAGS_BY_ARCHITECTURE = (0x10000 | 0x20000 | 0x8000, 0x4000 | 0x8000 | 0x20000)
ACCESS_MODE, O_TRUNC = 0x3, 0x200
# A thread as glibc makes it, and as musl does: with all that threads of one process share, and no namespace.
THREAD_FLAGS = (0x3D0F00, 0x7D0F00)
FIRST_CLOCK_OF_A_PROCESS = 0x80000000  # clock numbers of processes and threads are negative
