"""Syncs with mask rules, and what they refuse."""

import json
from typing import Any

import pytest

from common.errors import SchemaMismatch
from common.masking.keys import MaskKey
from common.postgres.connection.address import DatabaseAddress
from common.reports.sync import SyncResult
from db_sync.rules import SyncRules
from db_sync.tuning import Tuning
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Pair

KEY = MaskKey("a key that is for tests and for nothing else")
OTHER_KEY = MaskKey("another key that is for tests and for nothing else")

type Masks = dict[str, Any]


def mask_rules(masks: Masks, **others: Any) -> SyncRules:
    """Return sync rules that mask columns; `others` are the other rules."""
    return SyncRules.parse(json.dumps({"mask": masks, **others}))


def sync_masked(
    pair: Pair,
    masks: Masks,
    *,
    key: MaskKey | None = KEY,
    dry_run: bool = False,
    is_remapped: bool = False,
    source: DatabaseAddress | None = None,
    target: DatabaseAddress | None = None,
    tuning: Tuning | None = None,
    **others: Any,
) -> SyncResult:
    """Sync with masks; `others` are the other rules."""
    return sync(
        pair,
        rules=mask_rules(masks, **others),
        dry_run=dry_run,
        source=source,
        target=target,
        tuning=tuning,
        mask_key=key,
        is_remapped=is_remapped,
    )


def refusal(pair: Pair, masks: Masks, **others: Any) -> tuple[str, ...]:
    """Return the reasons for which a sync is refused; nothing was written."""
    before = pair.target.contents()
    with pytest.raises(SchemaMismatch) as refused:
        sync_masked(pair, masks, **others)
    assert "Nothing was written." in refused.value.message
    assert pair.target.contents() == before
    return refused.value.reasons
