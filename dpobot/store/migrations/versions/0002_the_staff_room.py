"""The staff room: threads, files, approvals, assessments, reminders, and what staff decide about a case."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.String(32).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Apply."""
    _orders()
    _outbox()
    _cases()
    _messages()
    _threads()
    _decisions()


def _orders() -> None:
    """What is due is found in the index alone."""
    op.drop_index("ix_inbox_order", "inbox")
    op.create_index("ix_inbox_order", "inbox", ["state", "sender", "id", "not_before"])
    op.drop_index("ix_outbox_order", "outbox")
    op.create_index("ix_outbox_order", "outbox", ["state", "user_id", "id", "not_before", "attempts"])


def _outbox() -> None:
    with op.batch_alter_table("outbox") as table:
        table.add_column(sa.Column("attachment", sa.LargeBinary()))
        table.add_column(sa.Column("relation", sa.String(length=16)))
        table.add_column(sa.Column("case_id", BIG))
        table.create_index("ix_outbox_event", ["event_id"])
        table.create_index("ix_outbox_case", ["case_id", "state"])


def _cases() -> None:
    with op.batch_alter_table("case") as table:
        table.add_column(sa.Column("assignee", sa.String(length=255)))
        table.add_column(sa.Column("verified_at", MOMENT))
        table.add_column(sa.Column("legal_hold", sa.Boolean(), server_default=sa.false(), nullable=False))
        table.add_column(sa.Column("extended_months", sa.Integer(), server_default="0", nullable=False))
        table.add_column(sa.Column("paused_at", MOMENT))
        table.add_column(sa.Column("acknowledge_by", MOMENT))
        table.add_column(sa.Column("answered_at", MOMENT))
        table.add_column(sa.Column("outcome", sa.String(length=32)))
        table.add_column(sa.Column("days", sa.Integer()))
        table.add_column(sa.Column("expired_at", MOMENT))
        table.create_index("ix_case_state_received", ["state", "received_at"])
        table.create_index("ix_case_state_assignee", ["state", "assignee", "due_at"])
        table.create_index("ix_case_kind_days", ["kind", "days"])
        table.create_index("ix_case_received", ["received_at"])
        table.create_index("ix_case_expiry", ["expired_at", "closed_at"])
    _durations()


def _durations() -> None:
    """Cases that are over already took their days, too."""
    case = sa.table("case", *(sa.column(name) for name in ("id", "days", "received_at", "closed_at")))
    ended = sa.select(case.c.id, case.c.received_at, case.c.closed_at).where(case.c.closed_at.is_not(None))
    for row in op.get_bind().execute(ended).all():
        days = max(0, (_moment(row.closed_at) - _moment(row.received_at)).days)
        op.execute(sa.update(case).where(case.c.id == row.id).values(days=days))


def _moment(stored: str | datetime) -> datetime:
    """SQLite keeps moments as text."""
    return stored if isinstance(stored, datetime) else datetime.fromisoformat(stored)


def _messages() -> None:
    with op.batch_alter_table("case_message") as table:
        table.add_column(sa.Column("author", sa.String(length=255)))
        table.add_column(sa.Column("direction", sa.String(length=16), server_default="person", nullable=False))
        table.add_column(sa.Column("posted", sa.Boolean(), server_default=sa.true(), nullable=False))
        table.create_index("ix_case_message_unposted", ["posted", "case_id"])
    op.create_table(
        "case_file",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("author", sa.String(length=255)),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("posted", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_case_file_case_id_case"),
        sa.PrimaryKeyConstraint("id", name="pk_case_file"),
        sa.UniqueConstraint("event_id", name="uq_case_file_event_id"),
    )
    op.create_index("ix_case_file_case_id", "case_file", ["case_id"])
    op.create_index("ix_case_file_unposted", "case_file", ["posted", "case_id"])


def _threads() -> None:
    op.create_table(
        "staff_thread",
        sa.Column("case_id", BIG, autoincrement=False, nullable=False),
        sa.Column("room_id", sa.String(length=255)),
        sa.Column("event_id", sa.String(length=255)),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.Column("told_seq", BIG, server_default="0", nullable=False),
        sa.Column("posted_at", MOMENT),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_staff_thread_case_id_case"),
        sa.PrimaryKeyConstraint("case_id", name="pk_staff_thread"),
        sa.UniqueConstraint("event_id", name="uq_staff_thread_event_id"),
    )
    op.create_index("ix_staff_thread_changed", "staff_thread", ["changed", "case_id"])
    op.create_table(
        "staff_upload",
        sa.Column("mxc", sa.String(length=255), nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_staff_upload_case_id_case"),
        sa.PrimaryKeyConstraint("mxc", name="pk_staff_upload"),
    )
    op.create_index("ix_staff_upload_case_id", "staff_upload", ["case_id"])


def _decisions() -> None:
    op.create_table(
        "approval",
        sa.Column("case_id", BIG, autoincrement=False, nullable=False),
        sa.Column("approver", sa.String(length=255), nullable=False),
        sa.Column("plan", sa.String(length=64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_approval_case_id_case"),
        sa.PrimaryKeyConstraint("case_id", "approver", name="pk_approval"),
    )
    op.create_table(
        "assessment",
        sa.Column("case_id", BIG, autoincrement=False, nullable=False),
        sa.Column("factor", sa.String(length=16), nullable=False),
        sa.Column("author", sa.String(length=255), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_assessment_case_id_case"),
        sa.PrimaryKeyConstraint("case_id", "factor", name="pk_assessment"),
    )
    op.create_table(
        "reminder",
        sa.Column("case_id", BIG, autoincrement=False, nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_reminder_case_id_case"),
        sa.PrimaryKeyConstraint("case_id", "what", name="pk_reminder"),
    )
