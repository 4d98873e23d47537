"""Returns an iterable that writes down what is done to it."""

from .gate import passed


class Body:
    def __init__(self, environ, start_response):
        self.environ, self.start_response, self.used, self.made = environ, start_response, [], 0

    def __getattribute__(self, name):
        if not name.startswith("__") and name not in KEPT:
            self.used.append(name)
        return object.__getattribute__(self, name)

    def __len__(self):
        self.used.append("len")
        return 1

    def __iter__(self):
        self.used.append("iter")
        return self

    def __next__(self):
        way, _, name = self.environ["QUERY_STRING"].partition("&")
        self.made += 1
        if self.made == 1:
            self.start_response("200 OK", [("Content-Type", "text/plain")])
            return b"one"
        if way == "raises":
            raise RuntimeError("raised by " + name)
        if way == "leaves":
            passed(name)
        if way == "ends" and self.made == 3:
            raise StopIteration
        return b"" if way == "leaves" and name.endswith("empty") else b"two"

    def close(self):
        self.used.remove("close")
        print("closed", self.environ["QUERY_STRING"], *self.used, f"made {self.made}", file=self.environ["wsgi.errors"])
        if self.environ["QUERY_STRING"].startswith("raises"):
            raise RuntimeError("close itself")


KEPT = {"environ", "start_response", "used", "made"}
application = Body
