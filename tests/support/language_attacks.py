"""Hostile programs in JavaScript, C++ and Bash, by what they try. One that succeeds prints YES; {names} are filled in.

`victim` is a file of the grader that all users can read, `folder` its folder, `port` a TCP port that listens, `bystander` a
process of the grader's user, `launcher` the one that starts the programs.
"""

from __future__ import annotations

NODE = "const fs = require('fs'), net = require('net'), child = require('child_process');\n"
CPP = r"""
#include <arpa/inet.h>
#include <bits/stdc++.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#define TRY(what) if (what) puts("YES " #what)
int main() {
"""

# What must neither print YES nor change anything outside.
FORBIDDEN: dict[str, dict[str, str]] = {
    "js": {
        "read": "fs.readFileSync('{victim}'); console.log('YES')",
        "read passwords": "fs.readFileSync('/etc/passwd'); console.log('YES')",
        "overwrite": "fs.writeFileSync('{victim}', 'x'); console.log('YES')",
        "delete": "fs.unlinkSync('{victim}'); console.log('YES')",
        "rename": "fs.renameSync('{victim}', '{victim}2'); console.log('YES')",
        "make": "fs.writeFileSync('{folder}/new', 'x'); console.log('YES')",
        "make in own folder": "fs.writeFileSync('left', 'x'); console.log('YES')",
        "list": "fs.readdirSync('{folder}'); console.log('YES')",
        "link": "fs.symlinkSync('{victim}', 'here'); fs.readFileSync('here'); console.log('YES')",
        "parent": "fs.readFileSync('/proc/' + process.ppid + '/environ'); console.log('YES')",
        "tcp": "net.connect({port}, '127.0.0.1').on('connect', () => console.log('YES')).on('error', e => 0)",
        "server": "net.createServer().on('error', e => 0).listen(0, () => console.log('YES'))",
        "udp": "require('dgram').createSocket('udp4').on('error', e => 0).send('x', {port}, '127.0.0.1', "
        "e => e || console.log('YES'))",
        "signal": "process.kill({bystander}, 'SIGKILL'); console.log('YES')",
        "signal the launcher": "process.kill(process.ppid, 'SIGSTOP'); console.log('YES')",
        "chmod": "fs.chmodSync('{victim}', 0o777); fs.utimesSync('{victim}', 1, 1)",
    },
    "cpp": {
        "read": 'TRY(open("{victim}", O_RDONLY) >= 0);',
        "read passwords": 'TRY(open("/etc/passwd", O_RDONLY) >= 0);',
        "overwrite": 'TRY(open("{victim}", O_WRONLY | O_TRUNC) >= 0); TRY(truncate("{victim}", 0) == 0);',
        "delete": 'TRY(unlink("{victim}") == 0); TRY(rename("{victim}", "{victim}2") == 0);',
        "make": 'TRY(open("{folder}/new", O_CREAT | O_WRONLY, 0600) >= 0); TRY(mkdir("{folder}/d", 0700) == 0);',
        "make in own folder": 'TRY(open("left", O_CREAT | O_WRONLY, 0600) >= 0); TRY(open(".", O_TMPFILE | O_RDWR, 0600) >= 0);',
        "list": 'TRY(opendir("{folder}"));',
        "parent": 'std::string p = "/proc/" + std::to_string({launcher}) + "/mem"; TRY(open(p.c_str(), O_RDONLY) >= 0);',
        "tcp": "TRY(socket(AF_INET, SOCK_STREAM, 0) >= 0);",
        "udp": "TRY(socket(AF_INET, SOCK_DGRAM, 0) >= 0); TRY(socket(AF_INET6, SOCK_RAW, 0) >= 0);",
        "unix": "TRY(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);",
        "signal": "TRY(kill({bystander}, SIGKILL) == 0); TRY(kill({launcher}, SIGSTOP) == 0);",
        "own signals": 'int f = open("/dev/null", O_RDONLY); TRY(fcntl(f, F_SETOWN, {bystander}) == 0);',
        "ptrace": "TRY(ptrace(PTRACE_SEIZE, {bystander}, 0, 0) == 0);",
        "namespaces": "TRY(unshare(CLONE_NEWUSER) == 0); TRY(unshare(CLONE_NEWNS) == 0);",
        "shared memory": 'TRY(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) >= 0); TRY(memfd_create("x", 0) >= 0);'
        "TRY(mmap(0, 4096, PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);",
        "affinity": "cpu_set_t s; CPU_ZERO(&s); CPU_SET(0, &s); TRY(sched_setaffinity({bystander}, sizeof s, &s) == 0);"
        "TRY(nice(-5) == 0);",
        "chmod": 'chmod("{victim}", 0777); chown("{victim}", getuid(), getgid()); utimensat(AT_FDCWD, "{victim}", 0, 0);',
        "descriptors": "for (int i = 3; i < 300; i++) TRY(fcntl(i, F_GETFD) >= 0);",
    },
    "sh": {
        "read": "cat '{victim}' && echo YES",
        "read passwords": "cat /etc/passwd && echo YES; cat /etc/shadow && echo YES",
        "overwrite": "echo x > '{victim}' && echo YES; : >> '{victim}' && echo YES",
        "delete": "rm -f '{victim}' && echo YES; mv '{victim}' '{victim}2' && echo YES",
        "make": "touch '{folder}/new' && echo YES; mkdir '{folder}/d' && echo YES; mktemp -p /tmp && echo YES",
        "shared memory": "echo x > /dev/shm/left-behind && echo YES",
        "list": "ls '{folder}' && echo YES",
        "link": "ln -s '{victim}' here && cat here && echo YES; ln '{victim}' there && echo YES",
        "parent": "cat /proc/$PPID/environ && echo YES; cat /proc/1/cmdline && echo YES",
        "tcp": "exec 3<>/dev/tcp/127.0.0.1/{port} && echo YES",
        "udp": "echo x > /dev/udp/127.0.0.1/{port} && echo YES",
        "signal": "kill -9 {bystander} && echo YES; kill -STOP $PPID && echo YES",
        "chmod": "chmod 777 '{victim}'; chown $UID '{victim}'; touch -d 1970-01-02 '{victim}'",
        "python": 'python3 -c \'open("{victim}").read(); print("YES")\'',
        "set-uid": "su -c 'echo YES' root </dev/null; mount -t tmpfs x . && echo YES",
    },
}

# What must be ended at a limit, or held below one: kind -> program.
GREEDY: dict[str, dict[str, str]] = {
    "js": {
        "compute": "for (;;) {}",
        "sleep": "setInterval(() => 0, 1000)",
        "memory": "const kept = []; for (;;) kept.push(Buffer.alloc(1 << 24, 1))",
        "output": "const line = 'x'.repeat(1 << 16); for (;;) fs.writeSync(1, line)",
        "fork bomb": "for (;;) child.spawn(process.execPath, ['-e', 'for (;;) {}'], {detached: true}).on('error', e => 0)",
        "survivor": "child.spawn('/bin/sleep', ['1000'], {detached: true, stdio: 'ignore'}).unref()",
    },
    "cpp": {
        "compute": "for (volatile long i = 0;; i++) {}",
        "sleep": "for (;;) pause();",
        "memory": "for (;;) memset(malloc(1 << 24), 1, 1 << 24);",
        "output": "static char line[1 << 16]; for (;;) write(1, line, sizeof line);",
        "fork bomb": "signal(SIGCHLD, SIG_IGN); for (;;) { fork(); setsid(); }",
        "survivor": "if (fork() == 0) { setsid(); if (fork() == 0) { signal(SIGTERM, SIG_IGN); for (;;) pause(); } _exit(0); }",
        "orphans that compute": "for (int i = 0; i < 4; i++) if (fork() == 0) { setsid(); if (fork() == 0) for (;;) {} _exit(0); }"
        " signal(SIGCHLD, SIG_IGN); for (;;) pause();",
        "memory of many": "for (int i = 0; i < 30; i++) if (fork() == 0) { memset(malloc(1 << 28), 1, 1 << 28); pause(); } pause();",
        "threads": "for (int i = 0; i < 400; i++) std::thread([] { for (;;) pause(); }).detach(); pause();",
    },
    "sh": {
        "compute": "while :; do :; done",
        "sleep": "sleep 1000",
        "memory": "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done",
        "output": "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
        "fork bomb": "bomb() { bomb | bomb & }; bomb; wait",
        "survivor": "setsid sh -c 'trap \"\" TERM HUP; sleep 1000' >/dev/null 2>&1 &",
        "disk": "i=0; while head -c 10000000 /dev/zero > file$i; do i=$((i + 1)); done; sleep 1000",
        "disk without names": "for i in 1 2 3 4 5 6 7 8 9; do exec {fd}> f; head -c 15000000 /dev/zero >&$fd; rm f; done; sleep 1000",
    },
}


def write_program(language: str, body: str, **names: object) -> str:
    """The whole text of a program."""
    for name, value in names.items():
        body = body.replace("{" + name + "}", str(value))
    return {"js": NODE + body, "cpp": CPP + body + "\n}\n", "sh": body}[language]
