"""Programs that try to get out, to stay, to take all there is, or to pass without passing.

``OUT`` end with exit code 0 if they succeed, and have to fail. ``TAKING`` have to end by a limit or
an error. ``STAYING`` leave something behind, which has to be gone. ``CHEATING`` are answers to
``CHEATED_TESTS`` that do not pass them.

``UNLIKE`` says where sandlock differs: what a program in it may see, and by what it ends there.

Places that the tests fill: ``SECRET`` a file of the user, ``FOLDER`` one that the user can write,
``PORT`` where somebody listens, ``PID`` the process of the test.
"""

# ruff: noqa: E501

from __future__ import annotations

OUT = {
    "read a file of the user": "open('SECRET').read()",
    "read the home": "import os; assert os.listdir('HOME')",
    "read /root": "import os; assert os.listdir('/root')",
    "read /home": "import os; assert os.listdir('/home')",
    "read passwords": "open('/etc/shadow').read()",
    "read users": "open('/etc/passwd').read()",
    "read keys of the host": "import os; assert os.listdir('/etc/ssh')",
    "read logs": "import os; assert os.listdir('/var/log')",
    "read through proc root": "open('/proc/1/rootSECRET').read()",
    "read through proc cwd": "import os; assert os.listdir('/proc/1/cwd/../root')",
    "read through own root": "open('/proc/self/root/../../SECRET').read()",
    "read through a link": "import os; os.symlink('SECRET', 'link'); open('link').read()",
    "read through a hard link": "import os; os.link('SECRET', 'link'); open('link').read()",
    "read environment": "import os; assert any('KEY' in k or 'PYTEST' in k for k in os.environ)",
    "read environment of init": ("assert b'PYTEST' in open('/proc/1/environ', 'rb').read()"),
    "a process without limits": (
        "import os, re\n"
        "names = [name for name in os.listdir('/proc') if name.isdigit()]\n"
        "assert any(re.search('address space +unlimited', open(f'/proc/{n}/limits').read()) for n in names)"
    ),
    "read kernel memory": "open('/proc/kcore', 'rb').read(1)",
    "read devices": "import os; assert any(n.startswith(('sd', 'vd', 'nvme')) for n in os.listdir('/dev'))",
    "read sys": "import os; assert os.listdir('/sys')",
    "write a file of the user": "open('SECRET', 'w').write('gone')",
    "write beside it": "open('FOLDER/new', 'w').write('here')",
    "remove a file of the user": "import os; os.unlink('SECRET')",
    "write to the system": "open('/usr/bin/python3', 'ab').write(b'x')",
    "write to /": "open('/new', 'w').write('x')",
    "write to /dev": "open('/dev/new', 'w').write('x')",
    "write to /etc": "open('/etc/new', 'w').write('x')",
    "set a kernel value": "open('/proc/sys/kernel/core_pattern', 'w').write('|/tmp/x')",
    "ask the kernel to reboot": "open('/proc/sysrq-trigger', 'w').write('b')",
    "raise its own limits": (
        "import resource as r; r.setrlimit(r.RLIMIT_NPROC, (r.RLIM_INFINITY, r.RLIM_INFINITY))"
    ),
    "protect itself from the killer": "open('/proc/self/oom_score_adj', 'wb', 0).write(b'-1000')",
    "connect to this machine": "import socket; socket.create_connection(('127.0.0.1', PORT), 1)",
    "connect to the world": "import socket; socket.create_connection(('192.0.2.1', 80), 1)",
    "ask for a name": "import socket; socket.getaddrinfo('example.org', 80)",
    "send a datagram": (
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))"
    ),
    "raw packets": "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "sockets of services": (
        "import socket; socket.socket(socket.AF_UNIX).connect('/run/docker.sock')"
    ),
    "abstract sockets": ("assert any('@' in line for line in open('/proc/net/unix'))"),
    "see other processes": "assert __import__('os').path.exists('/proc/PID/cmdline')",
    "kill the parent": "import os; os.kill(PID, 9)",
    "become root": "import os; os.setuid(0)",
    "another root": "import os; os.chroot('/tmp'); open('SECRET').read()",
    "mount": (
        "import ctypes, os; l = ctypes.CDLL(None, use_errno=True)\n"
        "assert l.mount(b'none', b'/tmp', b'tmpfs', 0, b'') == 0"
    ),
    "namespaces of its own": ("import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0"),
    "a clone in namespaces of its own": (
        "import ctypes, platform\n"
        "number = {'x86_64': 56, 'aarch64': 220}[platform.machine()]\n"
        "child = ctypes.CDLL(None).syscall(number, 0x10000000 | 17, 0, 0, 0, 0)\n"
        "if child == 0: __import__('os')._exit(0)\n"
        "assert child > 0"
    ),
    "trace a process": (
        "import ctypes, os, time\n"
        "child = os.fork()\n"
        "if not child: time.sleep(5); os._exit(0)\n"
        "assert ctypes.CDLL(None).ptrace(16, child, 0, 0) == 0"
    ),
    "run a program with a set uid": (
        "import subprocess; assert subprocess.run(['su', '-c', 'id'], input=b'').returncode == 0"
    ),
    "type into the terminal": (
        "import fcntl, termios; fcntl.ioctl(open('/dev/tty', 'w'), termios.TIOCSTI, b'x')"
    ),
    "limits of the parent": "import resource as r; r.prlimit(PID, r.RLIMIT_CPU, (1, 1))",
    "priority of the parent": "import os; os.setpriority(os.PRIO_PROCESS, PID, 19)",
    "the parent on one core": "import os; os.sched_setaffinity(PID, [0])",
    "mode of a file of the user": "import os; os.chmod('SECRET', 0o600)",
    "owner of a file of the user": "import os; os.chown('SECRET', 65534, 65534)",
    "time of a file of the user": "import os; os.utime('SECRET', (1, 1))",
    "attribute of a file of the user": "import os; os.setxattr('SECRET', 'user.x', b'1')",
    "fast open": (
        "import socket\n"
        "socket.socket().sendto(b'x', socket.MSG_FASTOPEN, ('127.0.0.1', PORT))\n"
        "import time; time.sleep(.2)"
    ),
    "multipath": (
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)"
        ".connect(('127.0.0.1', PORT))"
    ),
    "where the parent works": "import os; assert os.listdir('/proc/PID/cwd')",
    "memory without a file": "import os; os.memfd_create('x')",
    "memory of System V": "import ctypes; assert ctypes.CDLL(None).shmget(0, 1 << 20, 0o1666) >= 0",
}

TAKING = {
    "forks without end": ("import os\nwhile True: os.fork()", ""),
    "threads without end": (
        "import threading, time\n"
        "while True: threading.Thread(target=time.sleep, args=(9,)).start()", ""
    ),
    "small threads without end": (
        "import threading, time\n"
        "threading.stack_size(1 << 15)\n"
        "while True: threading.Thread(target=time.sleep, args=(9,)).start()", ""
    ),
    "zombies without end": ("import os\nwhile True:\n    if not os.fork(): os._exit(0)", ""),
    "memory at once": ("x = bytearray(1 << 40)", "MemoryError"),
    "memory by and by": ("x = []\nwhile True: x.append(bytearray(1 << 20))", "emory"),  # its own limit, or that of all
    "memory of many processes": (
        "import os, time\n"
        "for _ in range(12):\n"
        "    if not os.fork():\n"
        "        x = b'x' * (100 << 20); time.sleep(30)\n"
        "time.sleep(30)", "memory limit"
    ),
    "memory that many processes share": (
        "import mmap, os, time\n"
        "for _ in range(12):\n"
        "    if not os.fork():\n"
        "        m = mmap.mmap(-1, 100 << 20); m.write(b'x' * (100 << 20)); time.sleep(30)\n"
        "time.sleep(30)", "memory limit"
    ),
    "memory of sockets": (
        "import os, socket, time\n"
        "for _ in range(12):\n    if not os.fork(): break\n"
        "pairs = []\n"
        "try:\n"
        "    while True:\n"
        "        pairs.append(socket.socketpair()); pairs[-1][0].setblocking(False)\n"
        "        try:\n"
        "            while True: pairs[-1][0].send(b'x' * 65536)\n"
        "        except BlockingIOError: pass\n"
        "except OSError: time.sleep(30)", "memory limit"
    ),
    "a large number": ("print(9 ** 9 ** 9)", ""),
    "nested lists": ("x = []\nwhile True: x = [x, x]\n", ""),
    "a bomb of zeros": (
        "import zlib\nz = zlib.compress(b'0' * (1 << 26))\n"
        "for _ in range(9): z = zlib.compress(zlib.decompress(z) * 50)", ""
    ),
    "files without end": (
        "n = 0\nwhile True:\n    n += 1\n    open(f'f{n}', 'wb').write(b'x' * (1 << 20))", "No space left"
    ),
    "shared memory without end": (
        "n = 0\nwhile True:\n    n += 1\n    open(f'/dev/shm/f{n}', 'wb').write(b'x' * (1 << 20))",
        "No space left",
    ),
    "empty files without end": (
        "import os\nn = 0\nwhile True:\n    n += 1\n    os.close(os.open(f'f{n}', os.O_CREAT))",
        "limit of 20000 files",
    ),
    "one huge file": ("f = open('f', 'wb')\nwhile True: f.write(b'x' * (1 << 20))", "[Errno"),
    "a sparse file": ("open('f', 'wb').truncate(1 << 40)", "File too large"),
    "output without end": ("while True: print('x' * 1000)", "output limit"),
    "errors without end": ("import sys\nwhile True: sys.stderr.write('x' * 1000)", "output limit"),
    "a loop": ("while True: pass", "time limit"),
    "sleep": ("import time; time.sleep(60)", "time limit"),
    "wait for input": ("input()", "EOFError"),
    "ignore every signal": (
        "import signal, time\n"
        "for s in range(1, 65):\n"
        "    try: signal.signal(s, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "while True: pass", "time limit"
    ),
    "kill all that it sees": ("import os, signal; os.kill(-1, signal.SIGKILL)", ""),
    "kill its init": ("import os, time; os.kill(1, 9); time.sleep(60)", ""),
    "remove its folder": (
        "import os, shutil; shutil.rmtree(os.getcwd(), ignore_errors=True); os.getcwd()\n"
        "open('f', 'w').write('x'); raise SystemExit(3)", ""
    ),
    "recursion": ("def f(): f()\nf()", "RecursionError"),
    "a crash": ("import ctypes; ctypes.string_at(0)", "signal 11"),
    "an escape of the terminal": ("raise ValueError('\\x1b]0;owned\\x07\\x1b[31m')", "ValueError"),
}  # fmt: skip

STAYING = {
    "a daemon": (
        "import os, subprocess\n"
        "if not os.fork():\n"
        "    os.setsid()\n"
        "    if not os.fork(): os.execvp('sleep', ['sleep', 'NAP'])\n"
        "    os._exit(0)"
    ),
    "nohup": "import subprocess; subprocess.Popen(['nohup', 'sleep', 'NAP'], start_new_session=True)",
    "one that holds the output": (
        "import subprocess, sys; subprocess.Popen(['sleep', 'NAP'], stdout=sys.stdout)"
    ),
    "one that outlives the limit": (
        "import subprocess, time\nsubprocess.Popen(['setsid', 'sleep', 'NAP']); time.sleep(60)"
    ),
}

UNLIKE = {
    "see other processes": None,
    "kill all that it sees": None,
    "files without end": "Permission denied",
    "shared memory without end": "Permission denied",
    "empty files without end": "Permission denied",
    "one huge file": "Permission denied",
    "a sparse file": "Permission denied",
}

CHEATED_TESTS = "assert add(2, 2) == 4\nassert add(1, 5) == 6\n"
CHEATING = {
    "nothing": "",
    "only words": "passed\nOK\nAll tests passed",
    "prints passed": "print('passed')\nprint('OK')\ndef add(a, b): return 5",
    "exits": "exit(0)",
    "raises SystemExit": "raise SystemExit",
    "sys.exit in the function": "import sys\ndef add(a, b): sys.exit(0)",
    "os._exit": "import os; os._exit(0)",
    "os._exit in the function": "import os\ndef add(a, b): os._exit(0)",
    "os._exit at the end": "import atexit, os\natexit.register(os._exit, 0)\ndef add(a, b): return 5",
    "os._exit by a hook": (
        "import os, sys\nsys.excepthook = lambda *a: os._exit(0)\ndef add(a, b): return 5"
    ),
    "another program": "import os; os.execvp('true', ['true'])",
    "a child goes on": "import os\nif os.fork(): os._exit(0)\ndef add(a, b): return 5",
    "kills itself in peace": (
        "import os, signal\nsignal.signal(15, lambda *a: os._exit(0))\ndef add(a, b): os.kill(os.getpid(), 15)"
    ),
    "an alarm": (
        "import os, signal, time\nsignal.signal(14, lambda *a: os._exit(0)); signal.alarm(1)\n"
        "def add(a, b): time.sleep(9)"
    ),
    "a thread": (
        "import os, threading, time\n"
        "threading.Timer(.3, os._exit, (0,)).start()\ndef add(a, b): time.sleep(9)"
    ),
    "other builtins": "import builtins\nbuiltins.exec = lambda *a: None\ndef add(a, b): return 5",
    "no assertions": "import builtins\nbuiltins.AssertionError = SystemExit\ndef add(a, b): return 5",
    "reads the tests": "import sys; print(sys.stdin.read()); open('/proc/self/fd/0').read()",
    "closes the output": "import os; os.closerange(0, 99)\ndef add(a, b): return 5",
    "tests in a comment": "def add(a, b): return 5\n'''",
}
