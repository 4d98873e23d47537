"""A JSON API without a session."""

from flask import Blueprint, jsonify, request, url_for

import database

bp = Blueprint("items", __name__, url_prefix="/api/items")


@bp.get("")
def list_items():
    rows = database.get().execute("SELECT id, name FROM items ORDER BY id")
    return jsonify(items=[dict(row) for row in rows])


@bp.post("")
def add_item():
    name = item_name(request.get_json(silent=True))
    if not name:
        return jsonify(error="a JSON object with a name is required"), 400
    with database.get() as db:
        cursor = db.execute("INSERT INTO items (name) VALUES (?)", (name,))
    location = url_for("items.get_item", item_id=cursor.lastrowid)
    return jsonify(id=cursor.lastrowid, name=name), 201, {"Location": location}


@bp.get("/<int:item_id>")
def get_item(item_id):
    query = "SELECT id, name FROM items WHERE id = ?"
    row = database.get().execute(query, (item_id,)).fetchone()
    return jsonify(dict(row)) if row else no_such_item()


@bp.delete("/<int:item_id>")
def delete_item(item_id):
    with database.get() as db:
        cursor = db.execute("DELETE FROM items WHERE id = ?", (item_id,))
    return ("", 204) if cursor.rowcount else no_such_item()


def item_name(document):
    name = document.get("name") if isinstance(document, dict) else None
    return name if isinstance(name, str) else None


def no_such_item():
    return jsonify(error="no such item"), 404
