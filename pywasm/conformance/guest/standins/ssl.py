"""Takes ssl's place, which the guest lacks, in suites that import it for a few of
their tests: everything can be named and nothing works."""


class SSLError(OSError):
    pass


class SSLContext:
    def __init__(self, *args, **kwargs):
        raise NotImplementedError("the guest has no ssl")


def __getattr__(name):
    if name.isupper():
        return 0
    if name.startswith("__"):
        raise AttributeError(name)
    return SSLContext
