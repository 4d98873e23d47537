"""Responses that are made while they are sent."""

import csv

from django.http import HttpResponseBadRequest, StreamingHttpResponse

from notes.models import Note

MAX_LINES = 1_000_000


class Line:
    """A file whose write returns the text, so that csv.writer hands it on."""

    def write(self, text):
        return text


def export(request):
    writer = csv.writer(Line())
    notes = Note.objects.values_list("pk", "author__username", "title", "body")
    rows = (writer.writerow(row) for row in notes.iterator())
    return StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")


def lines(request):
    try:
        count = min(int(request.GET.get("lines", 5)), MAX_LINES)
    except ValueError:
        return HttpResponseBadRequest("lines must be a number\n")
    text = (f"line {number} of {count}\n" for number in range(1, count + 1))
    return StreamingHttpResponse(text, content_type="text/plain; charset=utf-8")
