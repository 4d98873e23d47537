"""Registration and login; the session is Flask's signed cookie."""

import functools
import sqlite3

from flask import Blueprint, current_app, flash, redirect, render_template
from flask import request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash

import database

bp = Blueprint("accounts", __name__)


@bp.route("/register", methods=["GET", "POST"])
def register():
    if request.method == "GET":
        return render_template("register.html")
    problem = create_user(request.form.get("name", ""), request.form.get("password"))
    if problem:
        flash(problem)
        return render_template("register.html"), 400
    flash("Account created. Please log in.")
    return redirect(url_for("accounts.login"))


@bp.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "GET":
        return render_template("login.html")
    name = request.form.get("name", "")
    if not password_matches(name, request.form.get("password", "")):
        flash("Wrong name or password.")
        return render_template("login.html"), 401
    session.clear()
    session["user"] = name
    flash(f"Welcome, {name}!")
    return redirect(url_for("guestbook.index"))


@bp.post("/logout")
def logout():
    session.clear()
    flash("Goodbye.")
    return redirect(url_for("guestbook.index"))


def login_required(view):
    @functools.wraps(view)
    def guarded(*args, **kwargs):
        if "user" in session:
            return view(*args, **kwargs)
        flash("Please log in first.")
        return redirect(url_for("accounts.login"))

    return guarded


def create_user(name, password):
    """Return what is wrong, or nothing once the user is stored."""
    if not name or not password:
        return "Name and password are required."
    method = current_app.config["PASSWORD_METHOD"]
    row = (name, generate_password_hash(password, method))
    try:
        with database.get() as db:
            db.execute("INSERT INTO users VALUES (?, ?)", row)
    except sqlite3.IntegrityError:
        return "This name is taken."


def password_matches(name, password):
    query = "SELECT password_hash FROM users WHERE name = ?"
    row = database.get().execute(query, (name,)).fetchone()
    return row is not None and check_password_hash(row["password_hash"], password)
