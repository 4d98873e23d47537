import os
import threading


def broken():
    raise ValueError("in hook")


os.register_at_fork(before=lambda: print("before 1"), after_in_child=lambda: print("after 1"))
os.register_at_fork(before=broken)
os.register_at_fork(
    before=lambda: print("before 2"),
    after_in_child=lambda: print("after 2"),
    after_in_parent=lambda: print("never"),
)


def early():
    print("early")


early.__module__ = "threading"
lock = threading.Lock()
lock.acquire()
os.register_at_fork(after_in_child=early)
os.register_at_fork(after_in_child=lock.release)
os.register_at_fork(after_in_child=lambda: print(f"locked: {lock.locked()}"))


def application(environ, start_response):
    start_response("200 OK", [])
    return []
