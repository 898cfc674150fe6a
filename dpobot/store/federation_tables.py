"""The tables of erasure notices: whom of other homeservers we told, and what others asked of us."""

import sqlalchemy as sa

from dpobot.store.columns import BIG, JSON, Moment, metadata

# The ledger of an erasure: one row a server that holds copies
erasure_notice = sa.Table(
    "erasure_notice",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=True),
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), nullable=False),
    sa.Column("server", sa.String(255), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # model.notices.NoticeState
    sa.Column("contact", sa.String(255)),  # a user ID there, or an e-mail address: as that server publishes it
    sa.Column("role", sa.String(64)),  # of the contact, as published
    sa.Column("room_id", sa.String(255)),  # where we talk with that contact
    sa.Column("event_id", sa.String(255)),  # our notice
    sa.Column("error", sa.String(128)),  # a stable code
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("not_before", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("approved_at", Moment),
    sa.Column("invited_at", Moment),  # since when the contact could have come into the room
    sa.Column("sent_at", Moment),
    sa.Column("answered_at", Moment),
    sa.Index("uq_erasure_notice_server", "case_id", "server", unique=True),
    sa.Index("ix_erasure_notice_work", "state", "not_before"),
    sa.Index("ix_erasure_notice_sent", "sent_at"),
)

# A case that another homeserver's notice has opened here
foreign_request = sa.Table(
    "foreign_request",
    metadata,
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), primary_key=True, autoincrement=False),
    sa.Column("server", sa.String(255), nullable=False),  # of the person, and of whoever sent the notice
    sa.Column("sender", sa.String(255), nullable=False),
    sa.Column("reference", sa.String(64), nullable=False),  # of their case
    sa.Column("room_id", sa.String(255), nullable=False),
    sa.Column("event_id", sa.String(255), nullable=False),  # their notice
    sa.Column("verified", sa.Boolean, nullable=False),  # the sender is a contact that their server names
    sa.Column("requested", JSON, nullable=False),  # list of model.notices.Requested
    sa.Column("erased_on", sa.String(10), nullable=False),  # the day, as the notice says it
    sa.Column("told", sa.String(16)),  # what they were told last: model.notices.NoticeState
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("uq_foreign_request_reference", "server", "reference", unique=True),
)
