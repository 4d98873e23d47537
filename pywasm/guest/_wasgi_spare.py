"""A spare interpreter waits for an application: what most of them import has been
imported ahead, and put aside. Each has its own hash seed and serves one application.

sys.modules holds no more than after any start, and an import fills it as it always
does. What was put aside is handed out by a finder, with all that this import would
have brought along, while it would have run the same files against the same modules:
nothing in front of them in sys.path, no other finder before, nothing replaced in
sys.modules, still nothing there of what they look for and do without and, as the
watch tells (watch.c), no attribute of a module set by another one. Otherwise all is
forgotten, and imports go their ordinary way.

What shows all the same: audit hooks and filters of warnings that an application sets
see nothing of imports that were made before, classes know the subclasses that lie
here, what is changed inside of an object, a class or a dict say, is not watched, and
some imports leave a trace with others once: ast, imported anew, lacks _n_getter.
"""

import _frozen_importlib
import _frozen_importlib_external
import builtins
import os
import site
import sys
import time

import _wasgi_platform

# What Flask, Django and Bottle import; the others come along. A package stands
# before its parts, so that what each of them needs is told apart.
MODULES = """
collections collections.abc importlib email html http json urllib
ast base64 bisect bz2 calendar contextlib contextvars copy dataclasses datetime
decimal difflib email.errors email.header email.iterators email.message email.parser
email.utils enum fnmatch functools gettext glob hashlib heapq hmac html.entities
http.client http.cookies http.server inspect importlib.abc importlib.machinery
importlib.metadata importlib.util io ipaddress itertools keyword linecache locale
logging lzma math mimetypes numbers pathlib pickle pkgutil platform pprint quopri
random re secrets selectors shutil socket socketserver ssl string struct tempfile
textwrap threading tokenize traceback typing unicodedata urllib.parse uuid warnings
weakref zipfile zlib
""".split()

_STDLIB = os.path.dirname(os.__file__)
_SITE = f"{_STDLIB}/site-packages"
_FINDERS = [_wasgi_platform._Amender, *sys.meta_path[1:4]]
_stash = None


def fill(watch, touched, unwatch):
    """Imports ahead. watch begins to watch dicts of modules, touched says whether
    code of other modules has set something there, unwatch ends it (watch.c)."""
    global _stash
    known, importers = dict(sys.modules), dict(sys.path_importer_cache)
    recorder = _Recorder()
    recorder.record(MODULES)
    _stash = _Stash(known, recorder, (touched, unwatch))
    del sys.modules[__name__]
    sys.path_importer_cache.clear()
    sys.path_importer_cache.update(importers)
    watched = _stash.all.keys() - {"__main__", "sys"}  # anybody sets sys.stdout
    writers = globals(), vars(_frozen_importlib), vars(_frozen_importlib_external)
    watch([vars(_stash.all[name]) for name in watched], writers)


def adopt(arguments, paths, environ):
    """Makes this the interpreter of an application: what its start would have found
    in its folders, environment and command line. False is that it cannot be."""
    os.environ.clear()
    for variable in environ:
        name, _, value = variable.partition(b"=")
        os.environb[name] = value
    sys.argv[:] = sys.orig_argv[:] = arguments
    sys.path[:0] = paths
    sys.path_importer_cache.pop(_SITE, None)  # its files are there now
    site.removeduppaths()
    return not _has_own_start() and _stash.begin()


def drop():
    """What nobody has imported goes."""
    global _stash
    _stash.forget()
    if isinstance(sys.meta_path, list):
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not _stash]
    _stash = None


def _has_own_start():
    """Whether site would have run code of the application: before anything of ours."""
    if _frozen_importlib_external.PathFinder.find_spec("sitecustomize") is not None:
        return True
    return any(name.endswith(".pth") for name in os.listdir(_SITE))


class _Recorder:
    """Notes what each module imports while it runs for the first time, in order: by
    itself, or in a function of another one; and what is not there, as _winapi is not.
    And what it asks to be called, which nobody is told before an application has the
    module."""

    def __init__(self):
        self.needs = {}
        self.absent = set()
        self.requests = {}
        self._import = builtins.__import__
        self._seen = set(sys.modules)

    def record(self, names):
        import atexit

        stand_ins = [
            (builtins, "__import__", self._note_import),
            (atexit, "register", self._later(atexit.register)),
            (os, "register_at_fork", self._later(os.register_at_fork)),
        ]
        ordinary = [getattr(module, name) for module, name, _ in stand_ins]
        for module, name, stand_in in stand_ins:
            setattr(module, name, stand_in)
        for name in names:
            __import__(name)
        for (module, name, _), function in zip(stand_ins, ordinary):
            setattr(module, name, function)

    def _later(self, register):
        def note(*arguments, **options):
            requests = self.requests.setdefault(_running(), [])
            requests.append(lambda: register(*arguments, **options))
            return arguments[0] if arguments else None

        return note

    def _note_import(self, name, globals=None, locals=None, fromlist=(), level=0):
        self._add(_running(), self._new())  # what it has put into sys.modules itself
        try:
            return self._import(name, globals, locals, fromlist, level)
        except ModuleNotFoundError as e:
            self.absent.add(e.name)
            raise
        finally:
            base = name if level == 0 else _absolute(name, globals, level)
            self._note(base, fromlist or ())

    def _note(self, base, fromlist):
        new = self._new()
        if not fromlist:
            self._add(base, new)
        parts = [base[:end] for end, character in enumerate(base) if character == "."]
        parts.append(base)
        parts += [name for name in (f"{base}.{part}" for part in fromlist) if name in sys.modules]
        self._add(_running(), parts + new)

    def _new(self):
        new = [name for name in sys.modules if name not in self._seen and not _runs(name)]
        self._seen.update(new)
        return new

    def _add(self, name, needs):
        self.needs.setdefault(name, {}).update(dict.fromkeys(needs))


def _runs(name):
    """Whether a module is being imported."""
    return getattr(sys.modules[name].__spec__, "_initializing", False)


def _running():
    """The innermost module that is being imported."""
    return next((name for name in reversed(sys.modules) if _runs(name)), "")


def _absolute(name, globals, level):
    package = _frozen_importlib._calc___package__(globals)
    return _frozen_importlib._resolve_name(name, package, level)


def _machine():
    """What modules ask for while they are imported, and somebody may have replaced."""
    return [sys.platform, sys.implementation, sys.version_info, sys.flags, sys.maxsize]


def _is_imported(frame):
    """Whether the caller of a finder, by its frame, is an import: others look only."""
    names = vars(_frozen_importlib)
    return frame.f_globals is names and frame.f_back.f_code is _frozen_importlib._find_and_load_unlocked.__code__


def _place(entry):
    """A folder of sys.path as it is now: what importlib's own finder asks for."""
    try:
        folder = entry if entry[:1] == "/" else os.path.join(os.getcwd(), entry)
        return entry, folder, os.stat(folder).st_mtime_ns
    except (OSError, TypeError):
        return entry, None, None


def _is_file(module):
    return (getattr(module.__spec__, "origin", None) or "").startswith("/")


class _Loader:
    """The loader of a module that has been loaded ahead. Only importlib sees it."""

    def __init__(self, stash, module, name):
        self._stash = stash
        self._module = module
        self._name = name
        self._spec = module.__spec__

    def create_module(self, spec):
        return self._module

    def exec_module(self, module):
        module.__spec__ = self._spec
        self._stash.hand_out(self._name)


class _Stash:
    """The modules that lie aside, and the finder that hands them out."""

    def __init__(self, known, recorder, watch):
        self.all = dict(sys.modules)
        self._aside = {name: module for name, module in self.all.items() if name not in known and name[:10] != "encodings."}
        self._needs, self._requests, self._absent = recorder.needs, recorder.requests, recorder.absent
        self._given = set()  # names that importlib has found and not loaded yet
        self._over = False
        self._touched, self._unwatch = watch
        self._parents = {}
        self._path = None
        self._files = {name for name, module in self.all.items() if "." not in name and _is_file(module)}
        self._hooks = list(sys.path_hooks)
        self._import = builtins.__import__
        self._machine = _machine()
        self._folders = {name: list(module.__path__) for name, module in self.all.items() if hasattr(module, "__path__")}
        self._finders = [self, *_FINDERS]
        for name, module in self._aside.items():
            self._put_aside(name, module)

    def _put_aside(self, name, module):
        del sys.modules[name]
        parent, _, child = name.rpartition(".")
        if parent and self.all[parent].__dict__.get(child) is module:
            delattr(self.all[parent], child)
            self._parents[name] = self.all[parent]

    def begin(self):
        """Puts the finder in; false is that the application has modules of its own
        that a start would have taken."""
        if not self._path_is_clear():
            return False
        sys.meta_path.insert(0, self)
        return True

    def end(self):
        """What still lies here is forgotten, once what was found is loaded. The finder
        stays where it is: importlib may be walking through sys.meta_path."""
        self._over = True
        if not self._given:
            self.forget()

    def forget(self):
        unwatch = self.__dict__.get("_unwatch")
        self.__dict__.clear()
        self._aside, self._given, self._over = {}, set(), True
        if unwatch is not None:
            unwatch()

    # --- the finder -------------------------------------------------------------

    def find_spec(self, name, path=None, target=None):
        module = self._aside.get(name)
        if module is None or self._over or not _is_imported(sys._getframe(1)):
            return None
        try:
            same = self._untouched() and self._same_needs(name)
        except Exception:  # of an object of the application that stands somewhere here
            same = False
        if not same or self._aside.get(name) is not module:
            self.end()
            return None
        spec = object.__new__(type(module.__spec__))
        spec.__dict__.update(module.__spec__.__dict__, loader=_Loader(self, module, name))
        self._given.add(name)
        return spec

    def hand_out(self, name):
        """Lets an import have a module that this finder has just found."""
        if self._aside.pop(name, None) is not None:  # or another import has brought it along
            self._complete(name)  # importlib itself puts it into its parent
        self._given.discard(name)
        if self._over:
            self.end()

    def _complete(self, name):
        """What else an import of name would have done."""
        for other in self._needs.get(name, ()):
            if other in self._aside:
                self._hand_out(other)
        for request in self._requests.pop(name, ()):
            request()
        if name == "logging":
            self.all[name]._startTime = time.time_ns()

    def _hand_out(self, name):
        module = self._aside.pop(name)
        self._complete(name)
        sys.modules[name] = module
        parent = self._parents.get(name)
        if parent is not None:
            setattr(parent, name.rpartition(".")[2], module)

    # --- whether an import would come to the same ------------------------------

    def _untouched(self):
        return (
            not self._touched()
            and _same(sys.meta_path[: len(self._finders)], self._finders)
            and _same(sys.path_hooks, self._hooks)
            and builtins.__import__ is self._import
            and _machine() == self._machine
            and self._absent.isdisjoint(sys.modules)
            and "OPENSSL_CONF" not in os.environ  # see spare_tls.c
            and self._path_is_clear()
        )

    def _same_needs(self, name):
        there = sys.modules
        for other in self._closure(name):
            module = self.all[other]
            if there.get(other, module) is not module or (other not in there and other not in self._aside):
                return False
            if other in self._folders and list(module.__path__) != self._folders[other]:
                return False
        return True

    def _closure(self, name):
        """All that an import of name brings along or finds there, but itself."""
        found, pending = {name}, [name]
        parent = name.rpartition(".")[0]
        if parent:
            found.add(parent)
            pending.append(parent)
        while pending:
            new = self._needs.get(pending.pop(), {}).keys() & self.all.keys() - found
            found |= new
            pending += new
        found.remove(name)
        return found

    def _path_is_clear(self):
        """Whether nothing in front of the standard library has a name of these, and
        nothing at all one of those that were not there."""
        if _STDLIB not in sys.path:
            return False
        at = sys.path.index(_STDLIB)
        front, back = sys.path[:at], sys.path[at + 1 :]
        path = [_place(entry) for entry in front], [_place(entry) for entry in back]
        if path != self._path:
            candidates = [(entry, _candidates(entry, self._files | self._absent)) for entry in front]
            candidates += [(entry, _candidates(entry, self._absent)) for entry in back]
            if any(_finds(entry, name) for entry, names in candidates for name in names):
                return False
            # A folder among them becomes a package without a trace in the one above.
            self._path = path if not any(names for _, names in candidates) else None
        return True


def _same(some, others):
    return len(some) == len(others) and all(one is other for one, other in zip(some, others))


def _candidates(entry, modules):
    """Those of the modules that an entry of sys.path may have."""
    if not isinstance(entry, str):
        return set()  # importlib passes it by
    finder = sys.path_importer_cache.get(entry)
    if finder is not None and type(finder) is not _frozen_importlib_external.FileFinder:
        return modules  # an archive, or the application's own
    try:
        names = os.listdir(entry or ".")
    except FileNotFoundError:
        return set()
    except OSError:
        return modules
    return modules & {name.partition(".")[0] for name in names}


def _finds(entry, name):
    spec = _frozen_importlib_external.PathFinder.find_spec(name, [entry])
    return spec is not None and spec.loader is not None
