"""Paths to views, by regular expressions."""

import re

import http_parts


class Converter:
    pattern = "[^/]+"
    weight = 100

    def to_python(self, value):
        return value

    def to_url(self, value):
        return str(value)


class Integer(Converter):
    pattern = r"\d+"
    weight = 50

    def to_python(self, value):
        return int(value)


class Path(Converter):
    pattern = "[^/].*?"
    weight = 200


converters = {"": Converter(), "int": Integer(), "path": Path()}


class Rule:
    def __init__(self, path, view, methods=("GET", "HEAD")):
        self.path, self.view, self.methods = path, view, frozenset(methods)
        self.converters, pattern = {}, ""
        for literal, kind, name in re.findall(r"([^<]*)(?:<(?:(\w+):)?(\w+)>)?", path):
            pattern += re.escape(literal)
            if name:
                self.converters[name] = converters[kind]
                pattern += f"(?P<{name}>{converters[kind].pattern})"
        self.regex = re.compile(pattern)
        self.weight = sum(c.weight for c in self.converters.values())

    def match(self, path):
        found = self.regex.fullmatch(path)
        if found is None:
            return None
        return {name: self.converters[name].to_python(value) for name, value in found.groupdict().items()}

    def build(self, values):
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda m: self.converters[m[1]].to_url(values[m[1]]), self.path)


class Router:
    def __init__(self, rules):
        self.rules = sorted(rules, key=lambda rule: rule.weight)

    def match(self, path, method):
        allowed = set()
        for rule in self.rules:
            values = rule.match(path)
            if values is None:
                continue
            if method in rule.methods:
                return rule.view, values
            allowed |= rule.methods
        raise http_parts.NotFound(", ".join(sorted(allowed)) or f"no route to {path!r}")
