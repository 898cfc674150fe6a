"""Every table of dpobot. The same definitions serve SQLite and PostgreSQL; migrations follow them (a test compares)."""

import sqlalchemy as sa

from dpobot.store.columns import BIG, JSON, Moment, metadata
from dpobot.store.erasure_tables import erasure, erasure_room, known_device, receipt, rectification, safeguard
from dpobot.store.federation_tables import erasure_notice, foreign_request

__all__ = [
    "Moment",
    "alert",
    "approval",
    "assessment",
    "audit",
    "bot_state",
    "case",
    "case_file",
    "case_message",
    "case_number",
    "download",
    "erasure",
    "erasure_notice",
    "erasure_room",
    "foreign_request",
    "inbox",
    "job",
    "job_step",
    "known_device",
    "letter",
    "metadata",
    "outbox",
    "person",
    "prompt",
    "receipt",
    "rectification",
    "reminder",
    "safeguard",
    "staff_thread",
    "staff_upload",
    "volume",
]

# Where the listener stands: sync token, when this store was made, ...
bot_state = sa.Table(
    "bot_state",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

# A person we have met
person = sa.Table(
    "person",
    metadata,
    sa.Column("user_id", sa.String(255), primary_key=True),
    sa.Column("language", sa.String(16), nullable=False, server_default="en"),
    sa.Column("room_id", sa.String(255)),  # where we talk: their newest direct message
    sa.Column("master_key", sa.String(64)),  # pinned at first sight (facts: choice 4)
    sa.Column("greeted_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
)

# One row an event, written in the same transaction as the sync token
inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.String(255), nullable=False, unique=True),
    sa.Column("room_id", sa.String(255), nullable=False),
    sa.Column("sender", sa.String(255), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # IncomingKind
    sa.Column("encrypted", sa.Boolean, nullable=False),
    sa.Column("sealed", sa.LargeBinary),  # content, body, crypto origin: encrypted at rest; dropped when done
    sa.Column("session_id", sa.String(64)),  # Megolm session that an undecryptable event waits for
    sa.Column("state", sa.String(16), nullable=False),  # new, waiting (for a key), done, failed
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("not_before", Moment, nullable=False),
    sa.Column("sent_at", Moment, nullable=False),  # the sender's clock: not to be trusted
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("done_at", Moment),
    sa.Index("ix_inbox_work", "state", "not_before"),
    sa.Index("ix_inbox_order", "state", "sender", "id", "not_before"),  # all that `inbox.due` looks at
    sa.Index("ix_inbox_sender_received", "sender", "received_at"),
    sa.Index("ix_inbox_session", "session_id"),
)

# What is to be said, written in the transaction that decided it
outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(128), nullable=False, unique=True),  # gives the Matrix transaction ID
    sa.Column("user_id", sa.String(255), nullable=False),  # for whom
    sa.Column("room_id", sa.String(255)),  # None: the person's direct message, found or made at that moment
    sa.Column("type", sa.String(64), nullable=False, server_default="m.room.message"),
    sa.Column("cleartext", sa.Boolean, nullable=False),  # may go to an unencrypted room: holds no personal data
    sa.Column("sealed", sa.LargeBinary),  # the event content: encrypted at rest; dropped when sent
    sa.Column("attachment", sa.LargeBinary),  # what is uploaded before it is sent: encrypted at rest; dropped when sent
    sa.Column("relation", sa.String(16)),  # card, edit, thread: its place in the staff room, resolved when it is sent
    sa.Column("case_id", BIG),  # the case whose card or thread that is
    sa.Column("state", sa.String(16), nullable=False),  # new, sent, failed
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("not_before", Moment, nullable=False),
    sa.Column("event_id", sa.String(255)),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("sent_at", Moment),  # when it was sent, or given up
    sa.Index("ix_outbox_event", "event_id"),
    sa.Index("ix_outbox_work", "state", "not_before"),
    # all that `outbox.due` looks at
    sa.Index("ix_outbox_order", "state", "user_id", "id", "not_before", "attempts"),
    sa.Index("ix_outbox_case", "case_id", "state"),
)

case = sa.Table(
    "case",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=True),
    sa.Column("reference", sa.String(32), nullable=False, unique=True),
    sa.Column("person", sa.String(255), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("trust", sa.String(24), nullable=False),
    sa.Column("room_id", sa.String(255)),
    sa.Column("event_id", sa.String(255), unique=True),
    sa.Column("options", JSON, nullable=False),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("closed_at", Moment),
    sa.Column("assignee", sa.String(255)),  # the member of staff who has claimed it
    sa.Column("verified_at", Moment),  # when staff established who the person is
    sa.Column("legal_hold", sa.Boolean, nullable=False, server_default=sa.false()),  # nothing of the person is erased
    sa.Column("extended_months", sa.Integer, nullable=False, server_default="0"),  # Art. 12(3): at most 2
    sa.Column("paused_at", Moment),  # since when it waits for the person
    sa.Column("acknowledge_by", Moment),  # complaints where a law sets a time
    sa.Column("answered_at", Moment),  # the first word of staff, or the delivery
    sa.Column("outcome", sa.String(32)),  # why it was refused: a code of the fixed list
    sa.Column("days", sa.Integer),  # from receipt to the end, whole days
    sa.Column("expired_at", Moment),  # when it was reduced to its line in the register
    sa.Index("ix_case_person_state", "person", "state"),
    sa.Index("ix_case_state_due", "state", "due_at"),
    sa.Index("ix_case_state_received", "state", "received_at"),
    sa.Index("ix_case_state_assignee", "state", "assignee", "due_at"),
    sa.Index("ix_case_kind_days", "kind", "days"),
    sa.Index("ix_case_kind_state", "kind", "state"),  # counted for whoever watches, all of them
    sa.Index("ix_case_received", "received_at"),
    sa.Index("ix_case_expiry", "expired_at", "closed_at"),
)

# Last number given out in a year
case_number = sa.Table(
    "case_number",
    metadata,
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("last", sa.Integer, nullable=False),
)

# What was written in a case: by the person, by staff to the person, or between staff
case_message = sa.Table(
    "case_message",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=True),
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("event_id", sa.String(255), nullable=False, unique=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("author", sa.String(255)),  # a member of staff; None: the person of the case
    sa.Column("direction", sa.String(16), nullable=False, server_default="person"),  # person, reply, note
    sa.Column("posted", sa.Boolean, nullable=False, server_default=sa.true()),  # the staff room has it
    sa.Index("ix_case_message_unposted", "posted", "case_id"),
)

# A file in a case: evidence of the person, or something that staff add to the answer
case_file = sa.Table(
    "case_file",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=True),
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("event_id", sa.String(255), nullable=False, unique=True),
    sa.Column("author", sa.String(255)),  # a member of staff; None: the person of the case
    sa.Column("purpose", sa.String(16), nullable=False),  # evidence, thread, answer, archive
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # name, media type, address and key: encrypted at rest
    sa.Column("posted", sa.Boolean, nullable=False),  # the staff room has it
    sa.Column("at", Moment, nullable=False),
    sa.Column("sent_at", Moment),  # when it went to the person
    sa.Index("ix_case_file_unposted", "posted", "case_id"),
)

# Where a case stands in the staff room
staff_thread = sa.Table(
    "staff_thread",
    metadata,
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), primary_key=True, autoincrement=False),
    sa.Column("room_id", sa.String(255)),
    sa.Column("event_id", sa.String(255), unique=True),  # the card: root of the thread; None until it is sent
    sa.Column("changed", sa.Boolean, nullable=False),  # the card no longer shows how things are
    sa.Column("told_seq", BIG, nullable=False, server_default="0"),  # audit rows up to it were told in the thread
    sa.Column("posted_at", Moment),  # when the card was last written
    sa.Index("ix_staff_thread_changed", "changed", "case_id"),
)

# What the bot has uploaded for a case's thread: deleted when the case expires
staff_upload = sa.Table(
    "staff_upload",
    metadata,
    sa.Column("mxc", sa.String(255), primary_key=True),
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
)

# Who of staff has approved which plan of a case
approval = sa.Table(
    "approval",
    metadata,
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), primary_key=True, autoincrement=False),
    sa.Column("approver", sa.String(255), primary_key=True),
    sa.Column("plan", sa.String(64), nullable=False),  # SHA-256 (hex) of the plan
    sa.Column("at", Moment, nullable=False),
)

# The balancing worksheet: one row a factor, one for the conclusion, one for the second person's agreement
assessment = sa.Table(
    "assessment",
    metadata,
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), primary_key=True, autoincrement=False),
    sa.Column("factor", sa.String(16), primary_key=True),  # nature, others, degree, conclusion, agreement
    sa.Column("author", sa.String(255), nullable=False),
    sa.Column("level", sa.String(16), nullable=False),  # low, medium, high; grant, refuse; agreed
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # the reasons: encrypted at rest
    sa.Column("at", Moment, nullable=False),
)

# What has been said unasked, so that it is said once
reminder = sa.Table(
    "reminder",
    metadata,
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), primary_key=True, autoincrement=False),
    sa.Column("what", sa.String(32), primary_key=True),
    sa.Column("at", Moment, nullable=False),
)

job = sa.Table(
    "job",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=True),
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("name", sa.String(32), nullable=False),
    sa.Column("person", sa.String(255), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("run_token", sa.String(64)),
    sa.Column("cancel", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("wake_at", Moment, nullable=False),
    sa.Column("progress", JSON, nullable=False),
    sa.Column("error", sa.String(128)),  # a stable code, never a text of the other side
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("deaths", sa.Integer, nullable=False, server_default="0"),  # of machines that ran it
    sa.Column("heartbeat_at", Moment),  # of the machine that runs it, by the clock of PostgreSQL; none on SQLite
    sa.Index("ix_job_state_wake", "state", "wake_at"),
    sa.Index("ix_job_state_name", "state", "name"),
    # at most one running job of a person
    sa.Index(
        "uq_job_person_running",
        "person",
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    ),
    # at most one job of a name for a case that is not over
    sa.Index(
        "uq_job_case_name_active",
        "case_id",
        "name",
        unique=True,
        sqlite_where=sa.text("state in ('wanted', 'running')"),
        postgresql_where=sa.text("state in ('wanted', 'running')"),
    ),
)

job_step = sa.Table(
    "job_step",
    metadata,
    sa.Column("job_id", BIG, sa.ForeignKey("job.id"), primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("result", JSON, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

# A volume of an archive on its way to, or in, the person's room
volume = sa.Table(
    "volume",
    metadata,
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # from 1
    sa.Column("size", sa.BigInteger, nullable=False),  # bytes of the ZIP
    sa.Column("sha256", sa.String(64), nullable=False),  # hex, of the ZIP
    sa.Column("mxc", sa.String(255)),
    sa.Column("sealed", sa.LargeBinary),  # attachment key: encrypted at rest; dropped when sent
    sa.Column("room_id", sa.String(255)),
    sa.Column("event_id", sa.String(255)),
    sa.Column("sent_at", Moment),
    sa.Column("deleted_at", Moment),
    sa.Column("name", sa.String(64)),  # of the file, where it is fetched by it: with a link
)

# An archive that its person fetches with a link; its volumes lie on this machine, encrypted for that link
download = sa.Table(
    "download",
    metadata,
    sa.Column("case_id", BIG, sa.ForeignKey("case.id"), primary_key=True, autoincrement=False),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),  # SHA-256 (hex) of the link's secret
    sa.Column("sealed", sa.LargeBinary),  # the secret: encrypted at rest; dropped when the person has it
    sa.Column("claim_hash", sa.String(64)),  # SHA-256 (hex) of what the one browser holds that may fetch
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("room_id", sa.String(255)),
    sa.Column("event_id", sa.String(255)),
    sa.Column("sent_at", Moment),
    sa.Column("claimed_at", Moment),
    sa.Column("closed_at", Moment),
)

# What a job on another machine wants sent: the bot alone holds the keys that encrypt, and sends it
letter = sa.Table(
    "letter",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(128), nullable=False, unique=True),  # the Matrix transaction ID
    sa.Column("room_id", sa.String(255), nullable=False),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("readers", JSON),  # user IDs: nobody else may get the key; None: whoever is in the room
    sa.Column("sealed", sa.LargeBinary),  # the event content: encrypted at rest; dropped when nobody waits any more
    sa.Column("state", sa.String(16), nullable=False),  # new, sent, refused, held: its sender no longer waits
    sa.Column("event_id", sa.String(255)),
    sa.Column("error", sa.String(128)),  # a stable code, where it was refused
    sa.Column("status", sa.Integer),  # and the homeserver's HTTP status, where it was the homeserver
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("done_at", Moment),
    sa.Index("ix_letter_work", "state", "room_id", "id"),
    sa.Index("ix_letter_age", "created_at"),
)

# Something that staff must look at
alert = sa.Table(
    "alert",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(128), nullable=False, unique=True),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("case_id", BIG, sa.ForeignKey("case.id")),
    sa.Column("at", Moment, nullable=False),
    sa.Column("closed_at", Moment),
)

# An open question of the bot to a person, such as whether their words shall go to a human
prompt = sa.Table(
    "prompt",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=True),
    sa.Column("person", sa.String(255), nullable=False),
    sa.Column("room_id", sa.String(255), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("event_id", sa.String(255), nullable=False, unique=True),  # the message that it is about
    sa.Column("sealed", sa.LargeBinary),  # what it is about: encrypted at rest; dropped when answered
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("answered_at", Moment),
    sa.Index("ix_prompt_person", "person", "id"),
)

# Append-only (hash-chained, see audit.chain): who did what to which case
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", BIG, primary_key=True, autoincrement=False),  # from 1, without gaps
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.String(255)),  # a user ID, or 'policy', 'bot', 'admin'; dropped when the case expires
    sa.Column("actor_salt", sa.String(64)),  # dropped with the actor: then actor_digest says nothing any more
    sa.Column("actor_digest", sa.String(64), nullable=False),  # what the chain covers instead of the actor
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("case_id", BIG, sa.ForeignKey("case.id")),
    sa.Column("detail", JSON, nullable=False),  # ids, codes and counts only
    sa.Column("prev", sa.String(64), nullable=False),  # hash of the row before
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Index("ix_audit_case", "case_id", "seq"),
)
