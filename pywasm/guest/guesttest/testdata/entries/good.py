from types import SimpleNamespace

number = 1


def application(environ, start_response):
    start_response("200 OK", [])
    return [b"good"]


nested = SimpleNamespace(app=application)


def create_app(name="x"):
    return application


def none():
    return None


def broken_factory():
    raise RuntimeError("in factory")
