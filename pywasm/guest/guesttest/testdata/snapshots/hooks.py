import os


def broken():
    raise ValueError("in hook")


os.register_at_fork(before=lambda: print("before 1"), after_in_child=lambda: print("after 1"))
os.register_at_fork(before=broken)
os.register_at_fork(
    before=lambda: print("before 2"),
    after_in_child=lambda: print("after 2"),
    after_in_parent=lambda: print("never"),
)


def application(environ, start_response):
    start_response("200 OK", [])
    return []
