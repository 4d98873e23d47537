"""What WASI lacks fails as a Python programmer expects, or has a stand-in. The
list is unsupported.json.

GET /
---
head 200 OK
write "thread: RuntimeError: can't start new thread: a guest has one thread; thread pools, asyncio.to_thread and asgiref do their work in it\n"
write "subprocess: OSError: [Errno 58] wasi does not support processes.\n"
write "process: OSError: [Errno 58] processes are not supported on WASI\n"
write "fork: AttributeError: module 'os' has no attribute 'fork'\n"
write "socket: PermissionError: [Errno 76] the network policy refuses listening for connections (rule listen): applications only connect\n"
write "connect: PermissionError: [Errno 76] the network policy refuses listening for connections (rule listen): applications only connect\n"
write "resolve: PermissionError: [Errno 76] the network policy refuses listening for connections (rule listen): applications only connect\n"
write "hostname: ('localhost', 'localhost')\n"
write "getaddrinfo: ('127.0.0.1', 80)\n"
write "dlopen: OSError: [Errno 58] shared libraries are not supported on WASI: 'libc.so.6'\n"
write "foreign: NotImplementedError: foreign functions and their data are not supported on WASI (ctypes)\n"
write "owner: PermissionError: [Errno 63] Operation not permitted: '/app'\n"
write "own: None\n"
write "owner's type: TypeError: 'str' object cannot be interpreted as an integer\n"
write "tar: (5.0, 'text')\n"
write "frozen: '/usr/lib/python3.13/os.py'\n"
write "executable: True\n"
write "hook: True\n"
write "socket option: (2, False)\n"
write "user: (1000, 1000, 1000, 1000, 1, 'wasgi')\n"
write "umask: (18, 63)\n"
write "times: (True, True)\n"
write "pool: [1, 4, 9]\n"
write "pool error: ZeroDivisionError: division by zero\n"
write "asyncio: 'slept'\n"
write "to_thread: 3\n"
write "asyncio waits: RuntimeError: the event loop would wait for ever: on WASI no thread and no socket can wake it\n"
status ok
"""

import asyncio
import concurrent.futures
import ctypes
import getpass
import io
import multiprocessing
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time


async def slept():
    await asyncio.sleep(0)
    return "slept"


async def forever():
    await asyncio.get_running_loop().create_future()


async def in_thread():
    return await asyncio.to_thread(len, "abc")


def pooled(function, values):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return list(pool.map(function, values))


def untar():
    """A member keeps its time although its owner cannot be had."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        member = tarfile.TarInfo("member")
        member.size, member.mtime, member.uid = 4, 5, 0
        tar.addfile(member, io.BytesIO(b"text"))
    data.seek(0)
    with tarfile.open(fileobj=data) as tar, tempfile.TemporaryDirectory() as folder:
        tar.extractall(folder, filter="tar")
        with open(f"{folder}/member") as member:
            return os.path.getmtime(member.name), member.read()


TRIALS = {
    "thread": lambda: threading.Thread(target=print).start(),
    "subprocess": lambda: subprocess.run(["true"]),
    "process": lambda: multiprocessing.Process(target=print).start(),
    "fork": lambda: os.fork(),
    "socket": lambda: socket.socket(),
    "connect": lambda: socket.create_connection(("127.0.0.1", 80)),
    "resolve": lambda: socket.gethostbyname("example.org"),
    "hostname": lambda: (socket.gethostname(), socket.getfqdn()),
    "getaddrinfo": lambda: socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)[0][4],
    "dlopen": lambda: ctypes.CDLL("libc.so.6"),
    "foreign": lambda: ctypes.c_int(1),
    "owner": lambda: os.chown("/app", 1, 1),
    "own": lambda: os.chown("/app", 1000, -1),
    "owner's type": lambda: os.chown("/app", "a", 1),
    "tar": untar,
    "frozen": lambda: os.__file__,
    "executable": lambda: os.path.isfile(sys.executable),
    "hook": lambda: os.register_at_fork.__text_signature__.startswith("($module, /, *, before="),
    "socket option": lambda: (socket.SO_REUSEADDR, hasattr(socket, "AF_UNIX")),
    "user": lambda: (os.getuid(), os.geteuid(), os.getgid(), os.getegid(), os.getppid(), getpass.getuser()),
    "umask": lambda: (os.umask(0o77), os.umask(0o22)),
    "times": lambda: (abs(os.times().user - time.process_time()) < 1, abs(os.times().elapsed - time.monotonic()) < 1),
    "pool": lambda: pooled(lambda n: n * n, [1, 2, 3]),
    "pool error": lambda: pooled(lambda n: 1 / n, [0]),
    "asyncio": lambda: asyncio.run(slept()),
    "to_thread": lambda: asyncio.run(in_thread()),
    "asyncio waits": lambda: asyncio.run(forever()),
}


def application(environ, start_response):
    texts = []
    for name, trial in TRIALS.items():
        try:
            text = repr(trial())
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
        texts.append(f"{name}: {text}\n".encode())
    start_response("200 OK", [])
    return iter(texts)
