"""Runs the Python code of the request's body, as an attacker who is a tenant
could. What the code leaves in `answer` is the response; a `response` of its own
is returned as it is. GET says that the application is well."""

kept = {}  # lives as long as the interpreter: what one request leaves to the next


def application(environ, start_response):
    source = environ["wsgi.input"].read()
    scope = {"environ": environ, "start_response": start_response, "kept": kept, "__name__": "attack"}
    if source:
        exec(compile(source, "attack.py", "exec"), scope)
    if "response" in scope:
        return scope["response"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(scope.get("answer", "well\n")).encode()]
