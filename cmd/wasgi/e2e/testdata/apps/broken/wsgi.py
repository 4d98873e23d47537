"""Cannot be imported."""

raise RuntimeError("no database <here>")


def application(environ, start_response):
    raise AssertionError("never imported, never called")
