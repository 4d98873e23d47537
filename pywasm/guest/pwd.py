"""The password database: it has the one user as whom everything runs and to
whom every file belongs, and root, whom archives name."""

import os
import posix
from collections import namedtuple
from operator import index as _index

struct_passwd = namedtuple(
    "struct_passwd", "pw_name pw_passwd pw_uid pw_gid pw_gecos pw_dir pw_shell"
)
struct_passwd.__module__ = "pwd"


def getpwall():
    """Return all entries."""
    home = os.fsdecode(posix.environ.get(b"HOME", b"/tmp"))
    return [
        struct_passwd("root", "x", 0, 0, "", "/root", "/sbin/nologin"),
        struct_passwd(os.getlogin(), "x", os.getuid(), os.getgid(), "", home, "/sbin/nologin"),
    ]


def getpwuid(uid, /):
    """Return the entry of a user number; KeyError if there is none."""
    uid = _index(uid)
    for entry in getpwall():
        if entry.pw_uid == uid:
            return entry
    raise KeyError(f"getpwuid(): uid not found: {uid}")


def getpwnam(name, /):
    """Return the entry of a user name; KeyError if there is none."""
    if not isinstance(name, str):
        raise TypeError(f"getpwnam() argument must be str, not {type(name).__name__}")
    if "\0" in name:
        raise ValueError("embedded null byte")
    for entry in getpwall():
        if entry.pw_name == name:
            return entry
    raise KeyError(f"getpwnam(): name not found: {name!r}")
