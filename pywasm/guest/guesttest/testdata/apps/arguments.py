"""start_response takes two or three arguments, by position.

GET /
---
head 200 OK
write "start_response() takes status, headers and optionally exc_info (1 arguments given)\n"
write "start_response() takes status, headers and optionally exc_info (4 arguments given)\n"
write "start_response() got an unexpected keyword argument 'info'\n"
write "start_response() takes status, headers and optionally exc_info (2 arguments given)\n"
status ok
"""

def application(environ, start_response):
    calls = [
        lambda: start_response("200 OK"),
        lambda: start_response("200 OK", [], None, None),
        lambda: start_response("200 OK", [], info=None),
        lambda: start_response(status="200 OK", headers=[]),
    ]
    texts = []
    for call in calls:
        try:
            call()
        except TypeError as error:
            texts.append(f"{error}\n".encode())
    start_response("200 OK", [], None)
    return iter(texts)
