"""The first collection of garbage comes late in an import, but it comes, and
afterwards collections come as ever.

GET /
---
head 200 OK
write "0 True True" last
status ok
"""

import gc

phases = []
gc.callbacks.append(lambda phase, info: phases.append(phase))
few = [[] for _ in range(50_000)]
after_few = len(phases)
many = [[] for _ in range(200_000)]
after_many = len(phases)
gc.callbacks.pop()


def application(environ, start_response):
    start_response("200 OK", [])
    later = []
    gc.callbacks.append(lambda phase, info: later.append(phase))
    some = [[] for _ in range(gc.get_threshold()[0] + 1)]
    gc.callbacks.pop()
    return [f"{after_few} {after_many > 0} {bool(later)}".encode()]
