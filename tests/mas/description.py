"""MAS's own description of its admin API, where it lies: every request and answer can be held against it.

The file belongs to its authors and is no part of the project: ``MAS_OPENAPI`` names it, or it lies beside the checkout.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jsonschema import Draft202012Validator, FormatChecker

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "mas-admin-openapi.json"
PATH = Path(os.environ.get("MAS_OPENAPI", _BESIDE))
HERE = PATH.is_file()

# what MAS 1.22 answers and does not describe (its source, crates/handlers/src/admin)
_REFUSED = 400
_ANYWHERE = {_REFUSED, 401}
_BEYOND = {("POST", "/api/admin/v1/personal-sessions"): {410}}
_ERROR = {"$ref": "#/components/schemas/ErrorResponse"}

Json = Mapping[str, Any]

_FORMATS = FormatChecker()


@_FORMATS.checks("date-time", raises=ValueError)
def _moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@dataclass(frozen=True)
class Exchange:
    """A request to the admin API and its answer."""

    method: str
    path: str
    query: str
    body: bytes
    status: int
    answer: bytes


@dataclass
class Description:
    """The description; `used` fills with the operations that were seen."""

    document: Json
    used: set[str] = field(default_factory=set)

    @classmethod
    def read(cls) -> "Description":
        """Read it from where it lies."""
        return cls(json.loads(PATH.read_text("utf-8")))

    def operations(self) -> set[str]:
        """Return all operations, as ``GET /path/{id}``."""
        return {f"{method.upper()} {path}" for path, item in self.document["paths"].items() for method in item}

    def operation(self, method: str, path: str) -> tuple[str, Json] | None:
        """Return the described path that an address is of, and its operation; the more literal path first."""
        paths = sorted(self.document["paths"], key=lambda each: each.count("{"))
        for described in paths:
            pattern = re.sub(r"\\\{.+?\\\}", "[^/]+", re.escape(described))
            if re.fullmatch(pattern, path) and method.lower() in self.document["paths"][described]:
                return described, self.document["paths"][described][method.lower()]
        return None

    def faults(self, exchange: Exchange) -> list[str]:
        """Return what of an exchange is not as described, a line each."""
        found = self.operation(exchange.method, exchange.path)
        if found is None:
            return [f"{exchange.method} {exchange.path}: not described"]
        path, operation = found
        where = f"{exchange.method} {path}"
        self.used.add(where)
        faults = [*self._answer(path, exchange, operation)]
        if exchange.status != _REFUSED:  # else something was wrong with the request, and that has been noticed
            faults += [*self._path(path, exchange, operation), *self._query(exchange, operation)]
            faults += self._body(exchange, operation)
        return [f"{where} -> {exchange.status}: {fault}" for fault in faults]

    def _path(self, path: str, exchange: Exchange, operation: Json) -> Iterator[str]:
        parts = dict(zip(path.split("/"), exchange.path.split("/"), strict=True))
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                yield from self._wrong(parts[f"{{{parameter['name']}}}"], parameter["schema"], parameter["name"])

    def _query(self, exchange: Exchange, operation: Json) -> Iterator[str]:
        described = {each["name"]: each["schema"] for each in operation.get("parameters", ()) if each["in"] == "query"}
        for name, value in parse_qsl(exchange.query):
            if name not in described:
                yield f"parameter {name} is not described"
            else:
                number = described[name].get("type") == "integer" and value.isdigit()
                yield from self._wrong(int(value) if number else value, described[name], name)

    def _body(self, exchange: Exchange, operation: Json) -> Iterator[str]:
        wanted = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if wanted is None:
            if exchange.body not in (b"", b"{}"):
                yield "a body is not described"
            return
        body = json.loads(exchange.body or b"null")
        yield from self._wrong(body, wanted, "body")
        # MAS ignores what it does not know; so a misspelled member would pass unseen
        known = self.document["components"]["schemas"][wanted["$ref"].rpartition("/")[2]]["properties"]
        yield from (f"body: {name} is not described" for name in set(body or {}) - set(known))

    def _answer(self, path: str, exchange: Exchange, operation: Json) -> Iterator[str]:
        beyond = _ANYWHERE | _BEYOND.get((exchange.method, path), set())
        described = operation["responses"].get(str(exchange.status))
        if described is None and exchange.status not in beyond:
            yield "this status is not described"
        elif described is not None and "content" not in described:
            if exchange.answer:
                yield "there is an answer where none is described"
        else:
            schema = _ERROR if described is None else described["content"]["application/json"]["schema"]
            yield from self._wrong(json.loads(exchange.answer), schema, "answer")

    def _wrong(self, value: object, schema: Json, where: str) -> Iterator[str]:
        rooted = {**schema, "components": self.document["components"]}
        for error in Draft202012Validator(rooted, format_checker=_FORMATS).iter_errors(value):
            yield f"{where}{error.json_path.removeprefix('$')}: {error.message}"
