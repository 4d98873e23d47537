import random
import tempfile
import uuid

random.seed(1)
uuid.uuid1()
next(tempfile._get_candidate_names())


def application(environ, start_response):
    start_response("200 OK", [])
    numbers = [random.random(), uuid.getnode(), next(tempfile._get_candidate_names()), hash("text")]
    return [" ".join(map(str, numbers)).encode()]
