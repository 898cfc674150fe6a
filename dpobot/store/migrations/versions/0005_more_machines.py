"""More machines, and notices of erasures to other homeservers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.String(32).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("job") as batch:
        batch.add_column(sa.Column("deaths", sa.Integer(), server_default="0", nullable=False))
        batch.add_column(sa.Column("heartbeat_at", MOMENT))
    op.create_index("ix_job_state_name", "job", ["state", "name"])
    op.create_index("ix_case_kind_state", "case", ["kind", "state"])
    _letters()
    _notices()
    _foreign_requests()


def _letters() -> None:
    op.create_table(
        "letter",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("room_id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("readers", JSON),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("event_id", sa.String(length=255)),
        sa.Column("error", sa.String(length=128)),
        sa.Column("status", sa.Integer()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("key", name=op.f("uq_letter_key")),
    )
    op.create_index("ix_letter_work", "letter", ["state", "room_id", "id"])
    op.create_index("ix_letter_age", "letter", ["created_at"])


def _notices() -> None:
    op.create_table(
        "erasure_notice",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("server", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("contact", sa.String(length=255)),
        sa.Column("role", sa.String(length=64)),
        sa.Column("room_id", sa.String(length=255)),
        sa.Column("event_id", sa.String(length=255)),
        sa.Column("error", sa.String(length=128)),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("approved_at", MOMENT),
        sa.Column("invited_at", MOMENT),
        sa.Column("sent_at", MOMENT),
        sa.Column("answered_at", MOMENT),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_erasure_notice_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_notice")),
    )
    op.create_index("uq_erasure_notice_server", "erasure_notice", ["case_id", "server"], unique=True)
    op.create_index("ix_erasure_notice_work", "erasure_notice", ["state", "not_before"])
    op.create_index("ix_erasure_notice_sent", "erasure_notice", ["sent_at"])


def _foreign_requests() -> None:
    op.create_table(
        "foreign_request",
        sa.Column("case_id", BIG, autoincrement=False, nullable=False),
        sa.Column("server", sa.String(length=255), nullable=False),
        sa.Column("sender", sa.String(length=255), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("room_id", sa.String(length=255), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("requested", JSON, nullable=False),
        sa.Column("erased_on", sa.String(length=10), nullable=False),
        sa.Column("told", sa.String(length=16)),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_foreign_request_case_id_case")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_foreign_request")),
    )
    op.create_index("uq_foreign_request_reference", "foreign_request", ["server", "reference"], unique=True)
