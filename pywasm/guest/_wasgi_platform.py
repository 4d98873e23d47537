"""What WebAssembly lacks and applications use all the same: a stand-in where
one is honest, else the exception that a Python programmer expects. The list
for users, with the reasons, is unsupported.json.

Built-in modules are completed here, before the first import of the
application. Python modules are changed when they are imported and not before,
so that nobody pays for what nobody uses.
"""

import errno
import os
import sys

_NO_THREADS = (
    "can't start new thread: a guest has one thread; "
    "thread pools, asyncio.to_thread and asgiref do their work in it"
)
_NO_PROCESSES = "processes are not supported on WASI"


def install():
    """Completes the built-in modules and watches for the others' import."""
    _complete_os()
    _complete_socket()
    _complete_thread()
    _Amender.ordinary = sys.meta_path[:]
    sys.meta_path.insert(0, _Amender)


# --- built-in modules ---------------------------------------------------------


def _complete_os():
    import posix
    from operator import index

    def chown(path, uid, gid, *, dir_fd=None, follow_symlinks=True):
        """Every file belongs to the one user there is, and stays with him."""
        os.stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
        if not {index(uid), index(gid)} <= {-1, os.getuid()}:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), path)

    def lchown(path, uid, gid):
        """chown() of a link itself."""
        chown(path, uid, gid, follow_symlinks=False)

    for name, function in (("chown", chown), ("lchown", lchown)):
        if not hasattr(os, name):
            setattr(posix, name, function)
            setattr(os, name, function)


def _complete_socket():
    """Names that socket.py, and what imports it, takes for granted."""
    import _socket

    def gethostname():
        """A guest has no name of its own, and the host's is none of its business."""
        return "localhost"

    def inet_ntoa(packed, /):
        if len(packed) != 4:
            raise OSError("packed IP wrong length")
        return _socket.inet_ntop(_socket.AF_INET, packed)

    names = {"gethostname": gethostname, "inet_ntoa": inet_ntoa, "MSG_OOB": 1}
    for name, value in names.items():
        if not hasattr(_socket, name):
            setattr(_socket, name, value)


def _complete_thread():
    """What cannot start says why, and what works instead."""
    import _thread

    def refuse(*args, **kwargs):
        raise RuntimeError(_NO_THREADS)

    for name in ("start_new_thread", "start_new", "start_joinable_thread"):
        setattr(_thread, name, refuse)


# --- modules written in Python ------------------------------------------------


def _run_apart(work):
    """Runs what another thread would run, out of sight of the event loop that
    runs in this one: Django, for one, refuses database access in front of it."""
    events = sys.modules.get("asyncio.events")
    loop = events and events._get_running_loop()
    if loop is None:
        return work()
    events._set_running_loop(None)
    try:
        return work()
    finally:
        events._set_running_loop(loop)


def _amend_selector_events(module):
    """No thread can wake the loop, so it needs no pipe to be woken through,
    and one with nothing to wait for would wait for ever."""
    import selectors

    class Selector(selectors.PollSelector):
        def select(self, timeout=None):
            if timeout is None and not self.get_map():
                raise RuntimeError(
                    "the event loop would wait for ever: on WASI no thread and no socket can wake it"
                )
            return super().select(timeout)

    def make_self_pipe(self):
        if type(self._selector) is selectors.PollSelector:
            self._selector = Selector()

    loop = module.BaseSelectorEventLoop
    loop._make_self_pipe = make_self_pipe
    loop._close_self_pipe = loop._write_to_self = lambda self: None


def _amend_base_events(module):
    """asyncio.run ends the default executor in a thread of its own."""

    async def shutdown_default_executor(self, timeout=None):
        self._executor_shutdown_called = True
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=True)

    module.BaseEventLoop.shutdown_default_executor = shutdown_default_executor


def _amend_thread_pool(module):
    """A pool's work is done when it is submitted: no thread can start.
    asyncio.to_thread, run_in_executor and asgiref come here."""

    def submit(self, fn, /, *args, **kwargs):
        if self._broken:
            raise module.BrokenThreadPool(self._broken)
        if self._shutdown:
            raise RuntimeError("cannot schedule new futures after shutdown")
        if self._initializer is not None:
            initializer, self._initializer = self._initializer, None
            initializer(*self._initargs)
        future = module._base.Future()
        _run_apart(module._WorkItem(future, fn, args, kwargs).run)
        return future

    submit.__doc__ = module.ThreadPoolExecutor.submit.__doc__
    module.ThreadPoolExecutor.submit = submit


def _amend_asgiref(module):
    """asgiref hands synchronous work to the thread that waits for the event
    loop; here both are one, and the work can be done at once."""
    executor = module.CurrentThreadExecutor
    submit = executor.submit

    def submit_here(self, fn, /, *args, **kwargs):
        if module.threading.current_thread() is not self._work_thread:
            return submit(self, fn, *args, **kwargs)
        future = module.Future()
        _run_apart(module._WorkItem(future, fn, *args, **kwargs).run)
        return future

    def run_until_future(self, future):
        # Nobody else can finish it while this thread waits.
        if not future.done():
            raise RuntimeError(
                "async_to_sync cannot wait for an event loop that waits for it: on WASI there is one thread"
            )

    executor.submit = submit_here
    executor.run_until_future = run_until_future


def _amend_asgiref_sync(module):
    """The event loop above sync_to_async stands still in this thread until it
    returns, so async_to_sync below it runs in a loop of its own."""

    class Local(module.threading.local):
        main_event_loop = property(lambda self: None, lambda self, loop: None)

    module.SyncToAsync.threadlocal = Local()


def _amend_processes(module):
    def start(self):
        raise OSError(errno.ENOTSUP, _NO_PROCESSES)

    module.BaseProcess.start = start


def _amend_ssl(module):
    """The machine's certificates of authorities are read when something asks for
    them, which takes 9 ms here: drivers make a default context for a server that
    then wants no TLS. A snapshot has them read, so that no request pays for a
    context that was made at import."""
    import functools
    import weakref

    context = module.SSLContext
    load = context.load_default_certs
    waiting = weakref.WeakKeyDictionary()

    def load_default_certs(self, purpose=module.Purpose.SERVER_AUTH):
        if not isinstance(purpose, module._ASN1Object):
            return load(self, purpose)  # which complains
        waiting[self] = purpose

    def read(self):
        purpose = waiting.pop(self, None)
        if purpose is not None:
            load(self, purpose)

    def reading_first(method):
        def call(self, *args, **kwargs):
            read(self)
            return method(self, *args, **kwargs)

        return functools.update_wrapper(call, method)

    def before_snapshot():
        context(module.PROTOCOL_TLS_CLIENT)  # the first costs 2 ms more: OpenSSL looks its algorithms up
        for self in list(waiting):
            read(self)

    context.load_default_certs = functools.update_wrapper(load_default_certs, load)
    for name in "_wrap_bio", "_wrap_socket", "cert_store_stats", "get_ca_certs":
        setattr(context, name, reading_first(getattr(context, name)))
    os.register_at_fork(before=before_snapshot)


_AMENDMENTS = {
    "ssl": _amend_ssl,
    "asyncio.base_events": _amend_base_events,
    "asyncio.selector_events": _amend_selector_events,
    "concurrent.futures.thread": _amend_thread_pool,
    "multiprocessing.process": _amend_processes,
    "asgiref.current_thread_executor": _amend_asgiref,
    "asgiref.sync": _amend_asgiref_sync,
}


class _Amender:
    """A finder that only makes sure that an amendment follows the import."""

    ordinary = []  # the finders of any Python

    @staticmethod
    def find_spec(name, path=None, target=None):
        amend = _AMENDMENTS.get(name)
        if amend is None:
            return None
        finders = iter(sys.meta_path)
        # An application may have put others in place of all, with these inside.
        others = list(finders) if any(finder is _Amender for finder in finders) else _Amender.ordinary
        specs = (finder.find_spec(name, path, target) for finder in others if hasattr(finder, "find_spec"))
        spec = next(filter(None, specs), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _AmendingLoader(spec.loader, amend)
        return spec


class _AmendingLoader:
    """The module's own loader, and the amendment behind it."""

    def __init__(self, loader, amend):
        self._loader = loader
        self._amend = amend

    def __getattr__(self, name):
        if name == "_loader" or name[:2] == "__":
            raise AttributeError(name)  # a copy that is being made has none yet
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        # From here on the module looks as if nobody had been in between.
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._amend(module)
