"""The tables of erasures, their receipts and safeguards; of devices that are known, and of what can be put right."""

import sqlalchemy as sa

from dpobot.store.columns import BIG, JSON, Moment, metadata

# An erasure on its way: what it is to do, what was found and confirmed, how far it is, what is left
erasure = sa.Table(
    "erasure",
    metadata,
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), primary_key=True, autoincrement=False),
    sa.Column("options", JSON, nullable=False),  # model.erasure.ErasureOptions
    sa.Column("survey_after", Moment),  # a device that is too new: no plan before
    sa.Column("plan", JSON),  # model.erasure.Plan: counts and server names
    sa.Column("plan_hash", sa.String(64)),  # SHA-256 (hex) of the plan
    sa.Column("surveyed_at", Moment),
    sa.Column("confirmed_hash", sa.String(64)),  # the plan whose code the person typed
    sa.Column("confirmed_at", Moment),
    sa.Column("cooled_off_at", Moment),  # not before may it begin
    sa.Column("begun_at", Moment),  # the first irreversible step: no way back from here
    sa.Column("erased_at", Moment),  # the last one
    sa.Column("checked_at", Moment),  # what is left was counted
    sa.Column("skip", sa.Boolean, nullable=False, server_default=sa.false()),  # staff go on past what failed
    sa.Column("counts", JSON, nullable=False),  # category -> how many were there when it began
    sa.Column("failures", JSON, nullable=False),  # step -> code of what it failed with
    sa.Column("residuals", JSON, nullable=False),  # list of model.erasure.Residual
    sa.Column("sealed", sa.LargeBinary),  # the receipt's code: encrypted at rest; dropped when the person has it
    sa.Index("ix_erasure_begun", "begun_at"),
    sa.Index("ix_erasure_cooling", "begun_at", "cooled_off_at"),
)

# A room in which an erasure has work to do; deleted with the erasure's end
erasure_room = sa.Table(
    "erasure_room",
    metadata,
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), primary_key=True, autoincrement=False),
    sa.Column("room_id", sa.String(255), primary_key=True),
    sa.Column("membership", sa.String(16), nullable=False),
    sa.Column("fate", sa.String(16), nullable=False),  # model.erasure.Fate: redact, purge, ours, nothing
    sa.Column("events", sa.Integer, nullable=False),  # of the person, holding content when it began
    sa.Column("state", sa.String(16), nullable=False),  # new, done, failed
    sa.Column("error", sa.String(128)),  # a stable code
    sa.Index("ix_erasure_room_state", "case_id", "state", "room_id"),
)

# The signed receipt of an erasure; fetched by its code from any account, so nothing in it names the person
receipt = sa.Table(
    "receipt",
    metadata,
    sa.Column("code_hash", sa.String(64), primary_key=True),  # SHA-256 (hex) of the code, normalised
    sa.Column("case_id", BIG, nullable=False, unique=True),
    sa.Column("document", sa.Text),  # canonical JSON with its signature; None while the erasure is not over
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("signed_at", Moment),
    sa.Index("ix_receipt_created", "created_at"),
)

# A safeguard that is in force, and the looser value that is wanted since a moment
safeguard = sa.Table(
    "safeguard",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
    sa.Column("wanted", sa.Integer),
    sa.Column("wanted_at", Moment),
    sa.Column("counts_at", Moment),  # from then on what is wanted is in force
)

# A device of a person that was seen signed by its owner: how long we have known it
known_device = sa.Table(
    "known_device",
    metadata,
    sa.Column("user_id", sa.String(255), primary_key=True),
    sa.Column("signing_key", sa.String(64), primary_key=True),  # the device's ed25519 key
    sa.Column("first_seen_at", Moment, nullable=False),
)

# What the homeserver itself can put right (Art. 16)
rectification = sa.Table(
    "rectification",
    metadata,
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), primary_key=True, autoincrement=False),
    sa.Column("field", sa.String(16), nullable=False),  # display_name, avatar, email
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # old and new value: encrypted at rest
)
