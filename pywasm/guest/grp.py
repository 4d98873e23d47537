"""The group database: it has the groups of the users in pwd."""

import os
from collections import namedtuple
from operator import index as _index

struct_group = namedtuple("struct_group", "gr_name gr_passwd gr_gid gr_mem")
struct_group.__module__ = "grp"


def getgrall():
    """Return all entries."""
    return [struct_group("root", "x", 0, []), struct_group(os.getlogin(), "x", os.getgid(), [])]


def getgrgid(id):
    """Return the entry of a group number; KeyError if there is none."""
    id = _index(id)
    for entry in getgrall():
        if entry.gr_gid == id:
            return entry
    raise KeyError(f"getgrgid(): gid not found: {id}")


def getgrnam(name):
    """Return the entry of a group name; KeyError if there is none."""
    if not isinstance(name, str):
        raise TypeError(f"getgrnam() argument must be str, not {type(name).__name__}")
    if "\0" in name:
        raise ValueError("embedded null byte")
    for entry in getgrall():
        if entry.gr_name == name:
            return entry
    raise KeyError(f"getgrnam(): name not found: {name!r}")
