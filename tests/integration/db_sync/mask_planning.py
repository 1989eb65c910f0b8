"""Proposals of masks for a test database, and a shop whose values are told from masked ones."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from common.masking.keys import MaskKey
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import connect
from common.reports.sync import SyncResult
from db_sync.mask_plan.planning import MaskPlan, Rules, plan_source
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from sandbox.database import Database
from tests.support.databases import Pair

BOOKSHOP = Path(__file__).parents[3] / "sandbox" / "bookshop" / "schema.sql"
KEY = "a key of the tests, of more than 32 characters"

# Beside the bookshop's tables: what names and types alone do not tell.
MORE = """
CREATE TYPE gender AS ENUM ('f', 'm', 'x');
CREATE TABLE customers (
    id bigserial PRIMARY KEY,
    email varchar(80) UNIQUE NOT NULL,
    phone_number varchar(20) CHECK (phone_number ~ '^[+]49'),
    date_of_birth date,
    ip_address inet,
    email_verified boolean NOT NULL DEFAULT false,
    gender gender NOT NULL DEFAULT 'x',
    contact text,
    payment text,
    profile jsonb,
    notes text,
    tags text[],
    code varchar(6) UNIQUE,
    zip char(5) CHECK (length(zip) = 5),
    loud text GENERATED ALWAYS AS (upper(contact)) STORED,
    balance numeric(12, 2) NOT NULL DEFAULT 0
);
CREATE TABLE logins (
    id bigserial PRIMARY KEY,
    who varchar(80) REFERENCES customers (email),
    at timestamptz,
    source text,
    request uuid NOT NULL DEFAULT gen_random_uuid(),
    trace text NOT NULL DEFAULT gen_random_uuid()
);
"""
ROWS = """
INSERT INTO users (email, name, cognito_sub)
SELECT 'reader' || i || '@orig.test', 'Orig Inal' || i, 'orig-sub-' || i
FROM generate_series(1, 30) i;
INSERT INTO authors (name) SELECT 'Author ' || i FROM generate_series(1, 5) i;
INSERT INTO books (author_id, title, price)
SELECT i, 'Title ' || i, 9.5 FROM generate_series(1, 5) i;
INSERT INTO reviews (book_id, user_id, stars, body)
SELECT i, i, 5, 'Good' FROM generate_series(1, 5) i;
INSERT INTO customers (
    email, phone_number, date_of_birth, ip_address, gender, contact, payment, profile, notes, tags,
    code, zip
)
SELECT
    'customer' || i || '@orig.test', '+4917012345' || (100 + i), date '1900-01-01' + 100 * i,
    '10.20.30.0'::inet + i, 'f', 'contact' || i || '@orig.test',
    'DE89 3704 0044 0532 0130 ' || (10 + i),
    jsonb_build_object(
        'plan', 'gold',
        'address', jsonb_build_object('street', 'Origstreet ' || i, 'line2', 'Origfloor ' || i),
        'phones', jsonb_build_array('+49 170 98765' || (10 + i)),
        'login', jsonb_build_object('last', 'login' || i || '@orig.test', 'count', i),
        'friends', jsonb_build_object('origfriend' || i, true),
        'newsletter', true
    ),
    'Told contact' || i || '@orig.test', ARRAY['origtag'], 'c' || i, 'OR' || (100 + i)
FROM generate_series(1, 30) i;
INSERT INTO logins (who, at, source) SELECT email, now(), '10.99.88.' || id FROM customers;
ANALYZE;
"""
# What no output may have of these rows.
ORIGINALS = (
    *("orig", "Orig", "ORIG", "+4917012345", "+49 170 98765", "10.20.30.", "10.99.88."),
    *("3704 0044", *(f"OR{100 + number}" for number in range(1, 31))),
    *(str(date(1900, 1, 1) + timedelta(days=100 * number)) for number in range(1, 31)),
)
SCHEMA = BOOKSHOP.read_text() + MORE


def mask_plan(
    source: str, *arguments: str, key: str = "", columns: int = 140
) -> "subprocess.CompletedProcess[str]":
    """Run the subcommand as a process of its own."""
    return subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-m", "db_sync", "mask-plan", "--source", source, *arguments],
        env={**os.environ, "MASK_KEY": key, "COLUMNS": str(columns)},
        capture_output=True,
        text=True,
        check=False,
    )


def planned(
    source: Database, rules: Rules | None = None, address: DatabaseAddress | None = None
) -> MaskPlan:
    """Return the plan that the subcommand would print."""
    raw = rules or {}
    with (
        connect(address or source.address, "source", execution="test", read_only=True) as session,
        session.transaction(),
    ):
        return plan_source(session, raw, SyncRules.parse(json.dumps(raw)), MaskKey(KEY))


def proposed(source: Database, rules: Rules | None = None) -> Rules:
    """Return the masks that are proposed."""
    masks: Rules = planned(source, rules).rules["mask"]
    return masks


def synced(pair: Pair, rules: Rules) -> SyncResult:
    """Sync with rules, by the tests' key."""
    options = SyncOptions("test", SyncRules.parse(json.dumps(rules)))
    return sync_database(
        pair.source.address, pair.target.address, replace(options, mask_key=MaskKey(KEY))
    )
