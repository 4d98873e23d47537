"""Templates as engines compile them: generators of strings, with filters and escaping."""

import html

import http_parts


class Markup(str):
    __slots__ = ()

    def __html__(self):
        return self

    def __mod__(self, args):
        if isinstance(args, tuple):
            return Markup(str.__mod__(self, tuple(map(escape, args))))
        return Markup(str.__mod__(self, escape(args)))


def escape(value):
    if hasattr(value, "__html__"):
        return Markup(value.__html__())
    return Markup(html.escape(str(value)))


class Undefined:
    def __init__(self, name):
        self.name = name

    def __str__(self):
        return ""

    def __bool__(self):
        return False


class Scope:
    def __init__(self, values, parent=None):
        self.values, self.parent = values, parent

    def resolve(self, name):
        scope = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            scope = scope.parent
        return Undefined(name)


filters = {"upper": str.upper, "title": str.title, "length": len, "join": lambda values, sep=", ": sep.join(map(str, values)), "truncate": lambda text, n=30: text if len(text) <= n else text[:n - 3].rsplit(" ", 1)[0] + "..."}


def attribute(value, name):
    try:
        return getattr(value, name)
    except AttributeError:
        pass
    try:
        return value[name]
    except (TypeError, LookupError):
        return Undefined(name)


def base(scope, blocks):
    yield "<!doctype html>\n<html lang=\""
    yield escape(attribute(scope.resolve("request"), "languages")[0])
    yield "\"><title>"
    yield from blocks["title"](scope)
    yield "</title><body>\n"
    yield from blocks["body"](scope)
    yield "\n</body></html>\n"


def article_title(scope):
    yield escape(filters["title"](scope.resolve("title")))
    yield " - %d" % scope.resolve("number")


def article_body(scope):
    user = scope.resolve("user")
    if user:
        yield Markup("<p>Hello %s</p>") % attribute(user, "name")
    else:
        yield "<p>Nobody is logged in</p>"
    rows = scope.resolve("rows")
    for index, row in enumerate(rows, 1):
        inner = Scope({"row": row, "index": index}, scope)
        yield "<tr class=\"" + ("odd" if index % 2 else "even") + "\"><td>"
        yield escape(inner.resolve("index"))
        yield "</td><td>"
        yield escape(filters["truncate"](attribute(inner.resolve("row"), "title")))
        yield "</td><td>"
        yield escape(filters["join"](attribute(row, "tags")))
        yield f"</td><td>{attribute(row, 'price'):.2f}</td></tr>\n"
    yield escape(attribute(scope.resolve("request"), "url"))
    yield escape(scope.resolve("nothing"))


templates = {"article": (base, {"title": article_title, "body": article_body})}


def render(name, **values):
    root, blocks = templates[name]
    scope = Scope(values, Scope({"current": http_parts.current.get}))
    return "".join(root(scope, blocks))
