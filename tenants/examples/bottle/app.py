"""A small Bottle site: templates, a signed cookie, uploads, streaming, JSON."""

import hashlib
import os

import bottle
from bottle import error, get, post, redirect, request, response, view

HERE = os.path.dirname(os.path.abspath(__file__))
DATA_DIR = os.environ.get("DATA_DIR", "/data")
SECRET_KEY = os.environ.get("SECRET_KEY", "insecure-development-key")
UPLOADS = os.path.join(DATA_DIR, "uploads")
MAX_LINES = 1_000_000

# The default looks beside the working directory, which no server promises.
bottle.TEMPLATE_PATH.insert(0, os.path.join(HERE, "views"))
app = bottle.default_app()


@get("/", name="index")
@view("index")
def index():
    name = request.get_cookie("visitor", secret=SECRET_KEY)
    return {"name": name, "files": sorted(uploaded()), "url": app.get_url}


@post("/name", name="name")
def remember_name():
    # getunicode: forms reach Bottle as latin-1, as every WSGI string does.
    name = request.forms.getunicode("name", "").strip()
    if not name:
        bottle.abort(400, "A name is required.")
    response.set_cookie(
        "visitor",
        name,
        secret=SECRET_KEY,
        path=request.script_name,
        httponly=True,
        samesite="lax",
    )
    redirect(app.get_url("index"))


@post("/forget", name="forget")
def forget_name():
    response.delete_cookie("visitor", path=request.script_name)
    redirect(app.get_url("index"))


@get("/hello/<name>")
@view("hello")
def hello(name):
    return {"name": name}


@post("/upload", name="upload")
def upload():
    file = request.files.get("file")
    if file is None:
        bottle.abort(400, "A file is required.")
    os.makedirs(UPLOADS, exist_ok=True)
    path = os.path.join(UPLOADS, file.filename)
    file.save(path, overwrite=True)
    response.status = 201
    return describe(path)


@get("/uploads/<name>", name="download")
def download(name):
    return bottle.static_file(name, root=UPLOADS, download=True)


@get("/stream")
def stream():
    count = min(request.query.get("lines", 5, type=int), MAX_LINES)
    response.content_type = "text/plain; charset=utf-8"
    return (f"line {number} of {count}\n" for number in range(1, count + 1))


@get("/api/sum")
def sum_of_query():
    return total(request.query.getall("n"))


@post("/api/sum")
def sum_of_document():
    document = request.json
    return total(document.get("n", []) if isinstance(document, dict) else [])


@get("/static/<name:path>", name="static")
def static(name):
    return bottle.static_file(name, root=os.path.join(HERE, "static"))


@get("/fail")
def fail():
    raise RuntimeError("deliberate failure")


@error(404)
def not_found(problem):
    response.content_type = "text/plain; charset=utf-8"
    return f"Nothing at {request.path}\n"


def uploaded():
    return os.listdir(UPLOADS) if os.path.isdir(UPLOADS) else []


def describe(path):
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = os.path.getsize(path)
    return {"name": os.path.basename(path), "size": size, "sha256": digest}


def total(numbers):
    try:
        return {"sum": sum(int(number) for number in numbers)}
    except (TypeError, ValueError):
        response.status = 400
        return {"error": "every n must be an integer"}
