"""Requests, headers, cookies and responses."""

import base64
import contextlib
import contextvars
import datetime
import email.utils
import functools
import hashlib
import hmac
import html
import http
import json
import urllib.parse

current = contextvars.ContextVar("request")


class HTTPError(Exception):
    status = http.HTTPStatus.INTERNAL_SERVER_ERROR

    def response(self, request):
        text = f"<h1>{html.escape(self.status.phrase)}</h1><p>{html.escape(str(self))} at {html.escape(request.path)}</p>"
        return Response(text, status=self.status, content_type="text/html")


class NotFound(HTTPError):
    status = http.HTTPStatus.NOT_FOUND


class MultiDict(dict):
    def __init__(self, pairs=()):
        super().__init__()
        for key, value in pairs:
            self.setdefault(key, []).append(value)

    def __getitem__(self, key):
        try:
            return super().__getitem__(key)[0]
        except (KeyError, IndexError):
            raise KeyError(key) from None

    def get(self, key, default=None, type=None):
        try:
            value = self[key]
            return value if type is None else type(value)
        except (KeyError, ValueError):
            return default

    def getlist(self, key):
        return list(super().get(key, ()))

    def to_dict(self):
        return {key: self[key] for key in self}


class Headers:
    def __init__(self, items=()):
        self._list = []
        for name, value in items:
            self.add(name, value)

    def add(self, name, value, **options):
        if options:
            value = "; ".join([value, *(f"{k.replace('_', '-')}={v}" for k, v in options.items() if v is not None)])
        if not isinstance(value, str):
            value = str(value)
        if "\n" in value or "\r" in value:
            raise ValueError("header values must not contain newline characters")
        self._list.append((name, value))

    def __setitem__(self, name, value):
        low = name.lower()
        self._list = [(n, v) for n, v in self._list if n.lower() != low]
        self.add(name, value)

    def get(self, name, default=None):
        low = name.lower()
        return next((v for n, v in self._list if n.lower() == low), default)

    def __contains__(self, name):
        return self.get(name) is not None

    def __iter__(self):
        return iter(self._list)


class Environment:
    """A header by its name, out of the environ."""

    def __init__(self, name, default=""):
        self.key, self.default = "HTTP_" + name.upper().replace("-", "_"), default

    def __get__(self, request, owner=None):
        if request is None:
            return self
        return request.environ.get(self.key, self.default)


class Request:
    host = Environment("Host")
    accept = Environment("Accept", "*/*")
    language = Environment("Accept-Language")

    def __init__(self, environ):
        self.environ = environ
        self.method = environ.get("REQUEST_METHOD", "GET")
        self.path = "/" + environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace").lstrip("/")
        self.root = environ.get("SCRIPT_NAME", "").rstrip("/")

    @functools.cached_property
    def args(self):
        return MultiDict(urllib.parse.parse_qsl(self.environ.get("QUERY_STRING", ""), keep_blank_values=True))

    @functools.cached_property
    def headers(self):
        return Headers((k[5:].replace("_", "-").title(), v) for k, v in self.environ.items() if k.startswith("HTTP_"))

    @functools.cached_property
    def cookies(self):
        pairs = (part.strip().partition("=") for part in self.environ.get("HTTP_COOKIE", "").split(";"))
        return MultiDict((name, urllib.parse.unquote(value.strip('"'))) for name, sep, value in pairs if sep)

    @functools.cached_property
    def languages(self):
        found = []
        for part in self.language.split(","):
            name, _, q = part.strip().partition(";q=")
            try:
                found.append((float(q or 1), name))
            except ValueError:
                continue
        return [name for _, name in sorted(found, key=lambda pair: -pair[0])]

    @functools.cached_property
    def url(self):
        path = urllib.parse.quote(self.root + self.path, safe="!$&'()*+,/:;=@%")
        return urllib.parse.urlunsplit((self.environ["wsgi.url_scheme"], self.host, path, self.environ.get("QUERY_STRING", ""), ""))

    @property
    def user(self):
        return load(self.cookies.get("session", ""))


def sign(value, key=b"secret"):
    return base64.urlsafe_b64encode(hmac.new(key, value, hashlib.sha1).digest()).rstrip(b"=")


def dump(value):
    payload = base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode())
    return (payload + b"." + sign(payload)).decode("ascii")


def load(text):
    payload, _, signature = text.encode("utf-8").rpartition(b".")
    if not hmac.compare_digest(sign(payload), signature):
        return None
    return json.loads(base64.urlsafe_b64decode(payload))


class Response:
    def __init__(self, body, status=http.HTTPStatus.OK, content_type="text/plain; charset=utf-8"):
        self.body = [body.encode("utf-8")] if isinstance(body, str) else body
        self.status = http.HTTPStatus(status)
        self.headers = Headers([("Content-Type", content_type)])
        self.headers["Content-Length"] = str(sum(map(len, self.body)))

    @classmethod
    def json(cls, value):
        return cls(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str), content_type="application/json")

    def set_cookie(self, name, value, max_age=None, path="/"):
        expires = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=max_age or 0)
        self.headers.add("Set-Cookie", f"{name}={urllib.parse.quote(dump({'v': value}))}", max_age=max_age, expires=email.utils.format_datetime(expires, usegmt=True), path=path)

    def __call__(self, environ, start_response):
        headers = [(name, value) for name, value in self.headers]
        start_response(f"{self.status.value} {self.status.phrase}", headers)
        return Closing(self.body) if environ["REQUEST_METHOD"] != "HEAD" else ()


class Closing:
    def __init__(self, body):
        self._next = iter(body).__next__
        self._close = [functools.partial(current.set, None)]

    def __iter__(self):
        return self

    def __next__(self):
        return self._next()

    def close(self):
        for function in self._close:
            function()


@contextlib.contextmanager
def context(environ):
    request = Request(environ)
    token = current.set(request)
    try:
        yield request
    finally:
        current.reset(token)
