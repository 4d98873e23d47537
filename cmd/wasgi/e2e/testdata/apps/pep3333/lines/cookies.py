"""Repeats headers; with ?own it sends what the server would add."""

OWN = [("date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("SERVER", "mine/1"), ("content-type", "text/x-own")]


def application(environ, start_response):
    headers = [("Set-Cookie", "b=1"), ("X-A", "1"), ("set-cookie", "a=2"), ("Set-Cookie", "b=1; Path=/")]
    start_response("200 OK", headers + (OWN if environ["QUERY_STRING"] == "own" else []))
    return [b"<html>sniff me</html>"]
