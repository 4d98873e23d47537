"""A response of any length, made line by line."""

from flask import Blueprint, request, stream_with_context

bp = Blueprint("streaming", __name__)

MAX_LINES = 1_000_000
CONTENT_TYPE = {"Content-Type": "text/plain; charset=utf-8"}


@bp.get("/stream")
def stream():
    count = min(request.args.get("lines", 5, type=int), MAX_LINES)
    return stream_with_context(lines(count)), CONTENT_TYPE


def lines(count):
    for number in range(1, count + 1):
        # The request is still at hand although the view has returned.
        yield f"line {number} of {count} from {request.path}\n"
