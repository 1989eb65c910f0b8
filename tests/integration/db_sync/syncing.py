"""Syncs of a pair of test databases, and the checks after each of them."""

from common.masking.keys import MaskKey
from common.postgres.connection.address import DatabaseAddress
from common.postgres.deadline import Deadline
from common.postgres.waits import WAITS, Waits
from common.reports.sync import SyncResult
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from db_sync.tuning import Tuning
from tests.support.databases import Pair


def sync(
    pair: Pair,
    *,
    rules: SyncRules | None = None,
    dry_run: bool = False,
    deadline: Deadline | None = None,
    source: DatabaseAddress | None = None,
    target: DatabaseAddress | None = None,
    tuning: Tuning | None = None,
    waits: Waits = WAITS,
    mask_key: MaskKey | None = None,
    is_remapped: bool = False,
) -> SyncResult:
    """Sync, and check that the target's schema is unchanged."""
    schema = pair.target.schema()
    result = sync_database(
        source or pair.source.address,
        target or pair.target.address,
        SyncOptions(
            "test",
            rules or SyncRules(),
            dry_run,
            deadline or Deadline(),
            tuning=tuning or Tuning(),
            waits=waits,
            mask_key=mask_key,
            is_remapped=is_remapped,
        ),
    )
    assert pair.target.schema() == schema
    return result


def assert_same(pair: Pair) -> None:
    """Compare dumps of both sides, which share no code with the engine."""
    assert pair.target.contents() == pair.source.contents()


def own_tables(pair: Pair, role: str) -> DatabaseAddress:
    """Make a role that is not a superuser own the target's tables; return its address."""
    pair.target.execute(
        f"""
        DO $$ DECLARE thing record; BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                CREATE ROLE {role} LOGIN;
            END IF;
            FOR thing IN
                SELECT c.oid::regclass AS name
                FROM pg_class c
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
            LOOP
                EXECUTE format('ALTER TABLE %s OWNER TO {role}', thing.name);
            END LOOP;
        END $$;
        ALTER SCHEMA public OWNER TO {role};
        """
    )
    return pair.target.address_as(role)
