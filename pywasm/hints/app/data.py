"""Rows as objects: a small mapper over SQLite, with descriptors, a metaclass and queries that are built in steps."""

import datetime
import decimal


class Field:
    def __init__(self, convert=None):
        self.convert = convert or (lambda value: value)

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, row, owner=None):
        if row is None:
            return self
        try:
            return row.__dict__["_values"][self.name]
        except KeyError:
            raise AttributeError(self.name) from None

    def __set__(self, row, value):
        row.__dict__.setdefault("_values", {})[self.name] = None if value is None else self.convert(value)


class Meta(type):
    def __new__(mcs, name, bases, namespace):
        fields = {key: value for key, value in namespace.items() if isinstance(value, Field)}
        cls = super().__new__(mcs, name, bases, namespace)
        cls._fields = fields
        return cls


class Model(metaclass=Meta):
    def __init__(self, **values):
        for name in self._fields:
            setattr(self, name, values.pop(name, None))
        if values:
            raise TypeError(f"unknown fields {sorted(values)}")

    @classmethod
    def query(cls, connection):
        return Query(cls, connection)

    def to_dict(self):
        return {name: getattr(self, name) for name in self._fields}

    def __eq__(self, other):
        return type(self) is type(other) and self.id == other.id

    def __hash__(self):
        return hash((type(self), self.id))


class Article(Model):
    id = Field(int)
    title = Field(str)
    tags = Field(lambda text: text.split(","))
    price = Field(decimal.Decimal)
    written = Field(datetime.datetime.fromisoformat)


class Query:
    def __init__(self, model, connection, where=(), order="id", most=None):
        self.model, self.connection, self.where, self.by, self.most = model, connection, where, order, most

    def clone(self, **changes):
        return Query(**{"model": self.model, "connection": self.connection, "where": self.where, "order": self.by, "most": self.most} | changes)

    def filter(self, **conditions):
        return self.clone(where=self.where + tuple(conditions.items()))

    def order(self, by):
        return self.clone(order=by)

    def limit(self, most):
        return self.clone(most=most)

    def sql(self):
        text, values, parts = [f"SELECT {', '.join(self.model._fields)} FROM article"], [], []
        for name, value in self.where:
            for one in value if isinstance(value, (list, tuple)) else [value]:
                parts.append(f"tags LIKE ?" if name == "tag" else f"{name} = ?")
                values.append(f"%{one}%" if name == "tag" else one)
        if parts:
            text.append("WHERE " + " OR ".join(parts))
        text.append("ORDER BY " + self.by.lstrip("-") + (" DESC" if self.by.startswith("-") else ""))
        if self.most is not None:
            text.append("LIMIT ?")
            values.append(self.most)
        return " ".join(text), values

    def __iter__(self):
        for row in self.connection.execute(*self.sql()):
            yield self.model(**dict(zip(self.model._fields, row)))


def create(connection):
    connection.execute("CREATE TABLE article (id INTEGER PRIMARY KEY, title TEXT, tags TEXT, price TEXT, written TEXT)")
    rows = [(n, f"Article number {n} about <things> & more of them", ",".join("abcdef"[n % 6:n % 6 + 3]) or "a", f"{n * 7 % 100}.{n % 10}5", f"2026-01-{n % 28 + 1:02}T10:{n % 60:02}:00") for n in range(1, 61)]
    connection.executemany("INSERT INTO article VALUES (?, ?, ?, ?, ?)", rows)
