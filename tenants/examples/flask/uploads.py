"""Files from multipart forms, kept on disk and handed out again."""

import hashlib
import os

from flask import Blueprint, current_app, jsonify, render_template, request
from flask import send_from_directory, url_for
from werkzeug.utils import secure_filename

bp = Blueprint("uploads", __name__)


def upload_dir():
    path = os.path.join(current_app.config["DATA_DIR"], "uploads")
    os.makedirs(path, exist_ok=True)
    return path


@bp.get("/upload")
def index():
    return render_template("upload.html", names=sorted(os.listdir(upload_dir())))


@bp.post("/upload")
def upload():
    file = request.files.get("file")
    name = secure_filename(file.filename) if file else ""
    if not name:
        return jsonify(error="a file with a usable name is required"), 400
    path = os.path.join(upload_dir(), name)
    file.save(path)
    location = url_for("uploads.download", name=name)
    return jsonify(describe(path)), 201, {"Location": location}


@bp.get("/uploads/<name>")
def download(name):
    return send_from_directory(upload_dir(), name, as_attachment=True)


def describe(path):
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = os.path.getsize(path)
    return {"name": os.path.basename(path), "size": size, "sha256": digest}
