"""What the gateway does in Python because it is not hot: it finds the entry
point, formats tracebacks and adapts the platform. Imported before any line of
the application; its parts are called from C (boot.c, load.c, log.c)."""

import sys

# The host keeps 64 KiB of one text; the ends of a traceback say most.
_MOST = 60_000


class EntryError(Exception):
    """The entry point is not there or cannot be a WSGI application."""


def start():
    """Adapts the platform; runs once, before the application's first line."""
    import _wasgi_platform

    _wasgi_platform.install()


def use_consoles(stdout, stderr):
    """Makes print() appear line by line in the tenant's log."""
    import io

    for name, console in (("stdout", stdout), ("stderr", stderr)):
        old = getattr(sys, name)
        stream = io.TextIOWrapper(
            console,
            encoding="utf-8",
            # print() must not fail for a lone surrogate: this is a log.
            errors="backslashreplace",
            newline="\n",
            write_through=True,
        )
        stream.mode = "w"
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
        if old is not None:
            old.flush()


def format_exception(exception):
    """The traceback with its whole chain of causes, as text without surrogates."""
    import traceback

    trace = exception.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    text = "".join(traceback.format_exception(type(exception), exception, trace))
    if len(text) > _MOST:
        left_out = len(text) - _MOST
        half = _MOST // 2
        text = f"{text[:half]}\n... {left_out} characters left out ...\n{text[-half:]}"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def load(entry):
    """The WSGI callable that module:attribute or module:factory() names."""
    import traceback  # noqa: F401  In the snapshot it costs nothing, later 15 ms.

    module_name, colon, target = entry.partition(":")
    if not colon or not module_name or not target:
        raise EntryError(f"entry point {entry!r} is not module:attribute")
    factory = target.endswith("()")
    if factory:
        target = target[:-2]
    value = _resolve(_import(module_name), target, entry)
    if factory:
        if not callable(value):
            raise EntryError(f"factory of {entry!r} is a {_kind(value)}, not callable")
        value = value()
    return _check(value, entry)


def _import(name):
    try:
        __import__(name)
    except ModuleNotFoundError as missing:
        # A module that the application imports and lacks is its own affair.
        if missing.name is None or not f"{name}.".startswith(f"{missing.name}."):
            raise
        searched = ", ".join(path or "." for path in sys.path)
        raise EntryError(f"no module named {missing.name!r} in {searched}") from None
    return sys.modules[name]


def _resolve(module, target, entry):
    value = module
    for name in target.split("."):
        try:
            value = getattr(value, name)
        except AttributeError:
            raise EntryError(
                f"entry point {entry!r}: {_name(value)} has no attribute {name!r}{_suggest(module)}"
            ) from None
    return value


def _check(value, entry):
    if not callable(value):
        module = sys.modules[entry.partition(":")[0]]
        raise EntryError(
            f"entry point {entry!r} is a {_kind(value)}, not callable{_suggest(module)}"
        )
    if _is_coroutine(value):
        raise EntryError(
            f"entry point {entry!r} is an ASGI application; wasgi serves WSGI: "
            "wrap it, with a2wsgi.ASGIMiddleware for one"
        )
    return value


def _kind(value):
    return type(value).__name__


def _name(value):
    return f"{_kind(value)} {getattr(value, '__name__', '')}".rstrip()


def _is_coroutine(value):
    call = value if hasattr(value, "__code__") else getattr(value, "__call__", None)
    code = getattr(call, "__code__", None)
    return code is not None and bool(code.co_flags & 0x80)  # inspect.CO_COROUTINE


def _suggest(module):
    names = [name for name, value in vars(module).items() if _looks_like_wsgi(name, value)]
    if not names:
        return ""
    return f"; what may be meant: {', '.join(f'{module.__name__}:{n}' for n in names[:5])}"


def _looks_like_wsgi(name, value):
    """Whether value can be called with environ and start_response."""
    import inspect

    if name.startswith("_") or isinstance(value, type) or not callable(value):
        return False
    try:
        required = [
            parameter
            for parameter in inspect.signature(value).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        return False
    return len(required) == 2
