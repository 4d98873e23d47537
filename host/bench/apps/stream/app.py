PIECE = b"0123456789abcdef" * 4096
PIECES = 160


def application(environ, start_response):
    size = len(PIECE) * PIECES
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))])
    return (PIECE for _ in range(PIECES))
