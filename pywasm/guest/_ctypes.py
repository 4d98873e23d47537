"""Lets "import ctypes" and the declaration of types succeed where no foreign
function can be called. Django's test runner, for one, imports ctypes and uses
it only with several processes. Loading a library raises OSError, making or
calling anything else raises NotImplementedError."""

import errno
import struct

__version__ = "1.1.0"  # ctypes compares it with its own

RTLD_LOCAL, RTLD_GLOBAL = 0, 256
FUNCFLAG_CDECL, FUNCFLAG_PYTHONAPI = 1, 4
FUNCFLAG_USE_ERRNO, FUNCFLAG_USE_LASTERROR = 8, 16
SIZEOF_TIME_T = 8
_memmove_addr = _memset_addr = _string_at_addr = _cast_addr = _wstring_at_addr = 0
_pointer_type_cache = {}


class ArgumentError(Exception):
    pass


def _refuse(*args, **kwargs):
    raise NotImplementedError("foreign functions and their data are not supported on WASI (ctypes)")


class _Type(type):
    """The type of all data types: multiplied, it declares an array."""

    def __mul__(cls, length):
        return _Type(f"{cls.__name__}_Array_{length}", (Array,), {"_type_": cls, "_length_": length})

    __rmul__ = __mul__

    from_address = from_buffer = from_buffer_copy = from_param = in_dll = _refuse


class _Data(metaclass=_Type):
    __init__ = _refuse


class _SimpleCData(_Data):
    pass


class Structure(_Data):
    pass


class Union(_Data):
    pass


class Array(_Data):
    pass


class _Pointer(_Data):
    pass


class CFuncPtr(metaclass=_Type):
    # ctypes makes memmove and others when it is imported.
    def __init__(self, *args):
        pass

    __call__ = _refuse


def dlopen(name, mode=RTLD_LOCAL):
    if name is None:
        return 0  # ctypes.pythonapi, made when ctypes is imported
    raise OSError(errno.ENOTSUP, "shared libraries are not supported on WASI", name)


def sizeof(kind):
    code = getattr(kind, "_type_", None)
    if not isinstance(code, str):
        _refuse()
    # struct has no code for long double, wchar_t, VARIANT_BOOL and object.
    return {"g": 16, "u": 4, "v": 2, "O": struct.calcsize("P")}.get(code) or struct.calcsize(code.replace("z", "P").replace("Z", "P"))


alignment = sizeof


def POINTER(kind):
    name = "c_void_p" if kind is None else getattr(kind, "__name__", str(kind))
    return _pointer_type_cache.setdefault(kind, _Type(f"LP_{name}", (_Pointer,), {"_type_": kind}))


def get_errno():
    return 0


def set_errno(value):
    return 0


pointer = byref = addressof = resize = call_function = _refuse
