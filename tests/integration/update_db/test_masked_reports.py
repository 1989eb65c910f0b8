"""UpdateDb: where the sync masks addresses, nothing that a remap says has an original."""

import io
import json

import pytest

from common.errors import VerificationFailed
from tests.integration.update_db.conftest import MakeStaging, UseMask
from tests.integration.update_db.masked_staging import TEAM, staging_of
from tests.integration.update_db.remapping import PoolUser
from tests.support.masked_emails import masked


def test_no_original_is_in_the_report_the_output_the_log_or_an_error(
    make_staging: MakeStaging, use_mask: UseMask, logged: io.StringIO
) -> None:
    use_mask(TEAM)
    originals = [
        "Updated@x.org",
        "unchanged@x.org",
        "twin@x.org",
        "lonely@x.org",
        "holder@x.org",
        "mismatched@x.org",
        "nowhere@x.org",
        "tester@y.org",
        "jürgen@x.org",
    ]
    staging = staging_of(
        make_staging,
        (masked("Updated@x.org"), "p-1"),
        (masked("unchanged@x.org"), "s-2"),
        (masked("twin@x.org"), "p-3"),
        (masked("Twin@x.org"), "p-4"),
        (masked("lonely@x.org"), "p-5"),
        (masked("holder@x.org"), "s-1"),
        (masked("mismatched@x.org"), "s-7"),
        ("tester@y.org", "p-8"),
        (masked("jürgen@x.org"), "p-9"),
    )
    pool = [
        PoolUser("updated@x.org", "s-1"),
        PoolUser("Unchanged@x.org", "s-2"),
        PoolUser("TWIN@x.org", "s-3"),
        PoolUser("nowhere@x.org", "s-7"),
        PoolUser("Tester@y.org", "s-8"),
        PoolUser("JÜRGEN@x.org", "s-9"),
        PoolUser("j\u00fcrgen\u200b@x.org", "s-10"),
    ]

    dry = staging.remap(*pool, dry_run=True)
    result = staging.remap(*pool)
    staging.database.execute(
        "UPDATE users SET cognito_sub = 'p-' || id;"
        "CREATE FUNCTION ignore() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION ignore()"
    )
    with pytest.raises(VerificationFailed) as caught:
        staging.remap(*pool)

    assert result.output["updated"] == 3
    assert {line.status for line in result.lines} >= {"mismatched", "ambiguous", "no_db_user"}
    said = [
        json.dumps([dry.lines, result.lines], ensure_ascii=False),
        json.dumps([dry.output, result.output]),
        logged.getvalue(),
        f"{caught.value!r} {caught.value.__cause__!r}",
    ]
    for original in originals:
        local_part, domain = original.lower().split("@")
        for text in map(str.lower, said):
            assert f"{local_part}@" not in text
            assert domain not in text
