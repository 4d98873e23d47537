"""Calls what the query says on wsgi.input, and shows what it returned."""

from urllib.parse import unquote


def application(environ, start_response):
    scope = {"i": environ["wsgi.input"], "length": environ.get("CONTENT_LENGTH"), "list": list}
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{eval(call, scope)!r}\n".encode() for call in unquote(environ["QUERY_STRING"]).split(";")]
