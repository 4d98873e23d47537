"""The front page: everyone reads, members write."""

from flask import Blueprint, flash, redirect, render_template, request
from flask import session, url_for

import database
from accounts import login_required

bp = Blueprint("guestbook", __name__)


@bp.get("/")
def index():
    query = "SELECT author, body FROM entries ORDER BY id"
    entries = database.get().execute(query).fetchall()
    return render_template("index.html", entries=entries)


@bp.post("/entries")
@login_required
def add_entry():
    body = request.form.get("body", "").strip()
    if body:
        with database.get() as db:
            query = "INSERT INTO entries (author, body) VALUES (?, ?)"
            db.execute(query, (session["user"], body))
    else:
        flash("Say something.")
    return redirect(url_for("guestbook.index"))
