"""Serves each application of the folder lines at its name."""

import importlib
import pkgutil

import lines

LINES = {m.name: importlib.import_module(f"lines.{m.name}") for m in pkgutil.iter_modules(lines.__path__)}


def application(environ, start_response):
    return LINES[environ["PATH_INFO"].split("/")[1]].application(environ, start_response)
