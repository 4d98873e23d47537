"""Notes in PostgreSQL, sessions in Redis. DATABASE_URL and REDIS_URL say where."""

import os

import pg8000.exceptions
import redis.exceptions
from flask import Flask, abort, flash, redirect, render_template, request, session, url_for

import database
from sessions import RedisSessions

app = Flask(__name__)
app.secret_key = os.environ.get("SECRET_KEY", "insecure-development-key")
app.session_interface = RedisSessions(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"))


@app.get("/")
def index():
    return render_template("index.html", notes=database.notes_of(session.get("name")), name=session.get("name"))


@app.post("/login")
def login():
    name = request.form.get("name", "").strip()
    if not 1 <= len(name) <= 40:
        abort(400)
    session["name"] = name
    flash(f"Welcome, {name}.")
    return redirect(url_for("index"))


@app.post("/logout")
def logout():
    session.clear()
    return redirect(url_for("index"))


@app.post("/notes")
def add():
    name, text = session.get("name"), request.form.get("text", "").strip()
    if name is None:
        abort(403)
    if not 1 <= len(text) <= 500:
        abort(400)
    database.add(name, text)
    return redirect(url_for("index"))


@app.post("/notes/<int:number>/delete")
def delete(number):
    if not database.delete(session.get("name"), number):
        abort(404)
    return redirect(url_for("index"))


@app.errorhandler(500)
def failed(error):
    """A database that is away is nobody's fault here: say which, and why. A
    session that cannot be saved is found out after the view, and ends here too."""
    cause = error.original_exception
    if not isinstance(cause, (pg8000.exceptions.InterfaceError, redis.exceptions.ConnectionError, OSError)):
        return error
    app.logger.error("a database cannot be reached: %s", cause)
    return f"A database cannot be reached: {cause}\n", 503, {"Content-Type": "text/plain; charset=utf-8"}
