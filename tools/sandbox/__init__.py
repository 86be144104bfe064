"""Runs programs that a model wrote, without privileges, inside an ordinary container, as root or not.

Theory of operation. The trusted side (`session.py`) starts a warm process (`zygote.py`): a clean interpreter with an
empty environment, which imports what solutions use and then locks itself in for good. For each test it forks a child
(`child.py`), which takes its limits, closes everything but its input and output, and runs the program. What comes back
is bytes in anonymous memory files and an exit status from the kernel; it is compared elsewhere, by code that the program
cannot reach, with expected outputs that were never in its process.

Covered, and by what:
- files: nothing can be opened but Python's own libraries (Landlock); nothing can be written, made, renamed, deleted or
  changed anywhere, not even in a scratch folder: there is none
- network, Unix sockets, IPC: no socket can be made (seccomp), no TCP, no abstract sockets (Landlock); asyncio's pair is
  made of pipes
- other processes: no fork, no exec, no signal but to itself, no ptrace, no /proc of others, no limits, priorities or clocks
  of others (seccomp by argument, Landlock); as root each worker has a user id of its own and no capability
- survival: no child can be made; the kernel kills the fork with its parent, and the warm process with ours
- resources: CPU time, address space, private memory, stack, size of output, descriptors, threads (rlimits), idle time and
  memory in all (`watch.py`); anonymous shared memory and memory files, which no limit counts, cannot be made
- secrets: nothing in the environment, in memory, in descriptors; not the expected outputs, nor inputs of other tests, nor
  anything of another program: the warm process reads none of it
- state: each test has a fresh fork, or shares one where the program can keep nothing (`plain.py`); there is no file or key
  ring to leave something in

Not covered: holes in the kernel itself; time and cache side channels; stat() of a path that the program already knows
says whether it exists and how large it is (keep result folders 0700); memory of all workers together (workers times
`Limits.data_bytes`). docs/security.md has the whole list.

`python -m tools sandbox-check` tells what holds on this machine.
"""
