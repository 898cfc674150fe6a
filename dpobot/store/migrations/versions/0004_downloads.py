"""Archives that are fetched with a link instead of from the room."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.String(32).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("volume") as table:
        table.add_column(sa.Column("name", sa.String(length=64)))
    op.create_table(
        "download",
        sa.Column("case_id", BIG, autoincrement=False, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("claim_hash", sa.String(length=64)),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("room_id", sa.String(length=255)),
        sa.Column("event_id", sa.String(length=255)),
        sa.Column("sent_at", MOMENT),
        sa.Column("claimed_at", MOMENT),
        sa.Column("closed_at", MOMENT),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_download_case_id_case")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_download")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_download_token_hash")),
    )
