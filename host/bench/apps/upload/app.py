def application(environ, start_response):
    body, size = environ["wsgi.input"], 0
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while left > 0:
        piece = body.read(min(left, 65536))
        if not piece:
            break
        size += len(piece)
        left -= len(piece)
    answer = b"%d bytes\n" % size
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]
