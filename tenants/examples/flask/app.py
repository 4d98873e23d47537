"""A guest book with accounts, uploads and a small JSON API."""

import os

from flask import Flask, render_template

import accounts
import database
import guestbook
import items
import streaming
import uploads

app = Flask(__name__)
app.config.from_mapping(
    DATA_DIR=os.environ.get("DATA_DIR", "/data"),
    SECRET_KEY=os.environ.get("SECRET_KEY", "insecure-development-key"),
    PASSWORD_METHOD=os.environ.get("PASSWORD_METHOD", "scrypt"),
    MAX_CONTENT_LENGTH=64 * 1024 * 1024,
    SESSION_COOKIE_SAMESITE="Lax",
)

for module in (accounts, guestbook, items, streaming, uploads):
    app.register_blueprint(module.bp)
app.teardown_appcontext(database.close)


@app.get("/fail")
def fail():
    raise RuntimeError("deliberate failure")


@app.errorhandler(404)
def not_found(error):
    return render_template("not_found.html"), 404
