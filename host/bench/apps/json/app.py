from flask import Flask, jsonify, request

application = Flask(__name__)
ITEMS = [{"id": n, "name": f"item {n}", "price": n * 1.25, "tags": ["a", "b", str(n % 7)]} for n in range(500)]


@application.get("/items")
def items():
    first = request.args.get("first", 0, type=int)
    limit = request.args.get("limit", 20, type=int)
    return jsonify(items=ITEMS[first : first + limit], total=len(ITEMS))
