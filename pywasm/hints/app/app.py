"""What web applications do in a request, without a framework: each part stands for what takes their time.

It is served while the guest's branches are counted. What it does not do has no hints and is no slower than without.
"""

import sqlite3

import data
import http_parts
import routing
import templates
import work

database = sqlite3.connect(":memory:", check_same_thread=False)
data.create(database)


def article(request, number, title):
    rows = data.Article.query(database).filter(tag=request.args.getlist("tag")).order("-id").limit(20)
    page = templates.render("article", request=request, number=number, title=title, rows=rows, user=request.user)
    response = http_parts.Response(page, content_type="text/html; charset=utf-8")
    response.set_cookie("seen", str(number), max_age=3600)
    return response


def listing(request, **values):
    return http_parts.Response.json({"page": values, "args": request.args.to_dict(), "rows": [r.to_dict() for r in data.Article.query(database).limit(5)]})


def missing(request, **values):
    raise http_parts.NotFound("nothing here")


router = routing.Router([
    routing.Rule("/", listing),
    routing.Rule("/static/<path:name>", missing),
    routing.Rule("/users/<int:number>", listing),
    routing.Rule("/articles/<int:number>/<title>", article),
    routing.Rule("/api/v1/articles", listing, methods=("GET", "POST")),
])


def dispatch(request):
    try:
        view, values = router.match(request.path, request.method)
        return view(request, **values)
    except http_parts.HTTPError as error:
        return error.response(request)


def application(environ, start_response):
    with http_parts.context(environ) as request:
        response = dispatch(request)
        for path in ("/", "/users/7", "/nowhere"):
            dispatch(http_parts.Request({**environ, "PATH_INFO": path}))
        response.headers.add("X-Work", work.everything(request))
    return response(environ, start_response)
