"""How tables and migrations are compared: only our own tables; migrations import nothing of the application."""

from collections.abc import MutableMapping
from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext

from dpobot.store.tables import Moment, metadata


def include_name(name: str | None, type_: str, _parents: MutableMapping[Any, Any]) -> bool:
    """Say whether a thing in the database is ours: other libraries (procrastinate) keep tables beside us."""
    return type_ != "table" or name in metadata.tables


def render_item(type_: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Spell our column type as plain SQLAlchemy: a migration must mean the same in ten years."""
    if type_ == "type" and isinstance(item, Moment):
        context.imports.add("import sqlalchemy as sa")
        return "sa.String(32).with_variant(sa.DateTime(timezone=True), 'postgresql')"
    return False


OPTIONS: dict[str, Any] = {
    "target_metadata": metadata,
    "render_as_batch": True,  # SQLite alters a table by rebuilding it
    "include_name": include_name,
    "render_item": render_item,
    "compare_type": True,
    "compare_server_default": True,
}
