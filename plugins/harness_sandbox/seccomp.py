"""The system calls that programs in the sandbox are refused, as a filter of the Linux kernel.

What is refused: memory that no limit of a process counts (``memfd_create``, System V), looking
into other processes, namespaces and mounts of one's own, and parts of the kernel that programs do
not need. Without namespaces (sandlock) a program meets the user's own files and processes, and more
has to be refused, for Landlock knows no rule for it: sockets (it holds plain TCP connections, not
fast open, multipath TCP and listening), owners, modes, times and attributes of files, limits and
priorities of other processes.
"""

from __future__ import annotations

import platform
import struct

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435
_REFUSED = {
    # ptrace, shmget, semget, msgget, mount, umount2, pivot_root, kexec_load, add_key, request_key,
    # keyctl, unshare, perf_event_open, open_by_handle_at, setns, process_vm_readv,
    # process_vm_writev, memfd_create, bpf, userfaultfd
    "x86_64": (101, 29, 64, 68, 165, 166, 155, 246, 248, 249, 250, 272, 298, 304, 308, 310, 311,
               319, 321, 323),
    "aarch64": (117, 194, 190, 186, 40, 39, 41, 104, 217, 218, 219, 97, 241, 265, 268, 270, 271,
                279, 280, 282),
}  # fmt: skip
# socket, chmod, fchmod, fchmodat, chown, fchown, lchown, fchownat, setxattr, lsetxattr, fsetxattr,
# removexattr, lremovexattr, fremovexattr, utime, utimes, futimesat, utimensat, setpriority,
# ioprio_set, inotify_init, inotify_init1, syslog, migrate_pages, move_pages
_REFUSED_WITHOUT_NAMESPACES = {
    "x86_64": (41, 90, 91, 268, 92, 93, 94, 260, 188, 189, 190, 197, 198, 199, 132, 235, 261, 280,
               141, 251, 253, 294, 103, 256, 279),
    "aarch64": (198, 52, 53, 55, 54, 5, 6, 7, 14, 15, 16, 88, 140, 30, 26, 116, 238, 239),
}  # fmt: skip
# pidfd_getfd, fchmodat2, setxattrat, removexattrat, file_setattr: one number everywhere
_REFUSED_WITHOUT_NAMESPACES_EVERYWHERE = (438, 452, 463, 466, 469)
# prlimit64, sched_setaffinity, sched_setscheduler, sched_setparam, sched_setattr: of oneself only
_OF_ONESELF = {"x86_64": (302, 203, 144, 142, 314), "aarch64": (261, 122, 119, 118, 274)}
# io_uring_setup, open_tree, move_mount, fsopen, mount_setattr, memfd_secret: one number everywhere
_REFUSED_EVERYWHERE = (425, 428, 429, 430, 442, 447)

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050000 | 38
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_X32 = 0x40000000
_NEW_USER = 0x10000000


def syscall_filter(machine: str | None = None, *, namespaces: bool = True) -> bytes:
    """The filter as classic BPF, as ``bwrap --seccomp`` reads it; empty for other processors.

    See seccomp(2). ``clone3`` is said to be unknown, for a filter cannot read its flags: libc then
    calls ``clone``, which is refused where it asks for a namespace of users.
    """
    machine = machine or platform.machine()
    if machine not in _ARCHITECTURES:
        return b""
    refused: tuple[int, ...] = (*_REFUSED[machine], *_REFUSED_EVERYWHERE)
    of_oneself: tuple[int, ...] = ()
    if not namespaces:
        refused += _REFUSED_WITHOUT_NAMESPACES[machine] + _REFUSED_WITHOUT_NAMESPACES_EVERYWHERE
        of_oneself = _OF_ONESELF[machine]
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _REFUSE),
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _UNKNOWN),
    ]
    for number in refused:
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    for number in of_oneself:
        # The first argument is a process: 0 is the caller.
        steps += [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, _FIRST_ARGUMENT), (_EQUAL, 0, 1, 0)]
        steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    steps += [
        (_EQUAL, 1, 0, _CLONE[machine]),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_ANY_BIT, 0, 1, _NEW_USER),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
