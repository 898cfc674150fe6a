"""Erasures, their receipts and safeguards; devices that are known; what can be put right."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.String(32).with_variant(sa.DateTime(timezone=True), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Apply."""
    _erasures()
    _rooms()
    _receipts()
    _devices()


def _erasures() -> None:
    op.create_table(
        "erasure",
        sa.Column("case_id", BIG, autoincrement=False, nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("survey_after", MOMENT),
        sa.Column("plan", JSON),
        sa.Column("plan_hash", sa.String(length=64)),
        sa.Column("surveyed_at", MOMENT),
        sa.Column("confirmed_hash", sa.String(length=64)),
        sa.Column("confirmed_at", MOMENT),
        sa.Column("cooled_off_at", MOMENT),
        sa.Column("begun_at", MOMENT),
        sa.Column("erased_at", MOMENT),
        sa.Column("checked_at", MOMENT),
        sa.Column("skip", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("failures", JSON, nullable=False),
        sa.Column("residuals", JSON, nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_erasure_case_id_case")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_erasure")),
    )
    op.create_index("ix_erasure_begun", "erasure", ["begun_at"])
    op.create_index("ix_erasure_cooling", "erasure", ["begun_at", "cooled_off_at"])


def _rooms() -> None:
    op.create_table(
        "erasure_room",
        sa.Column("case_id", BIG, autoincrement=False, nullable=False),
        sa.Column("room_id", sa.String(length=255), nullable=False),
        sa.Column("membership", sa.String(length=16), nullable=False),
        sa.Column("fate", sa.String(length=16), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.String(length=128)),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_erasure_room_case_id_case")),
        sa.PrimaryKeyConstraint("case_id", "room_id", name=op.f("pk_erasure_room")),
    )
    op.create_index("ix_erasure_room_state", "erasure_room", ["case_id", "state", "room_id"])


def _receipts() -> None:
    op.create_table(
        "receipt",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("document", sa.Text()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("signed_at", MOMENT),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_receipt")),
        sa.UniqueConstraint("case_id", name=op.f("uq_receipt_case_id")),
    )
    op.create_index("ix_receipt_created", "receipt", ["created_at"])
    op.create_table(
        "safeguard",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer()),
        sa.Column("wanted_at", MOMENT),
        sa.Column("counts_at", MOMENT),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_safeguard")),
    )


def _devices() -> None:
    op.create_table(
        "known_device",
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("signing_key", sa.String(length=64), nullable=False),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "signing_key", name=op.f("pk_known_device")),
    )
    op.create_table(
        "rectification",
        sa.Column("case_id", BIG, autoincrement=False, nullable=False),
        sa.Column("field", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_rectification_case_id_case")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_rectification")),
    )
