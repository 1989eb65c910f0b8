"""UpdateDb: people are found by addresses that the sync has masked."""

import io
import json
from collections.abc import Callable

import pytest

from common.errors import ConfigurationError, VerificationFailed
from tests.integration.update_db.conftest import MakeStaging, UseMask
from tests.integration.update_db.remapping import PoolUser, Staging
from tests.support.masked_emails import OTHER_KEY, as_compared, masked

TEAM = {"with": "email", "keep_domains": ["team.example"]}
ANA, BO = "ana@x.org", "bo@x.org"
# As production and the pool have them.
SAME = [
    ("Jane@Example.com", "jane@example.com"),
    ("joe@example.com", "JOE@EXAMPLE.COM"),
    ("  kim@example.com ", "kim@example.com"),
    ("lee@example.com", "\tLee@example.com\n"),
    ("max@example.com\u00a0", "\u00a0max@example.com\r\n"),
    ("ÉLODIE@example.com", "élodie@example.com"),
    ("jürgen@example.com", "JÜRGEN@example.com"),
    ("żółć@example.com", "ŻÓŁĆ@example.com"),
    ("иван@example.com", "ИВАН@example.com"),
    ('"neill, j"@example.com', '"Neill, J"@example.com'),
    ("\u0130van@example.com", "\u0130VAN@example.com"),
    ("PAVEL@boo\u212ashop.example", "pavel@boo\u212ashop.example"),
]


def staging_of(
    make_staging: MakeStaging, *rows: tuple[str | None, str | None], schema: str | None = None
) -> Staging:
    """Return staging with these emails and subs; their ids are 1, 2, …"""
    staging = make_staging(schema=schema) if schema else make_staging()
    with staging.database.connect() as connection, connection.cursor() as cursor:
        for number, row in enumerate(rows, 1):
            cursor.execute("INSERT INTO users VALUES (%s, %s, %s)", [number, *row])
    connection.close()
    return staging


def subs_of(staging: Staging) -> list[str | None]:
    return list(staging.subs().values())


@pytest.mark.parametrize("dry_run", [False, True])
def test_masked_people_are_found_whatever_the_case_and_blanks_on_both_sides(
    make_staging: MakeStaging, use_mask: UseMask, *, dry_run: bool
) -> None:
    use_mask("email")
    staging = staging_of(
        make_staging, *((masked(there), f"p-{number}") for number, (there, _) in enumerate(SAME))
    )
    before = staging.row_versions()
    pool = [PoolUser(here, f"s-{number}") for number, (_, here) in enumerate(SAME)]

    result = staging.remap(*pool, dry_run=dry_run)

    assert result.counts == {"updated": len(SAME)}
    assert {line.email for line in result.lines} == {as_compared(here) for _, here in SAME}
    if dry_run:
        assert staging.row_versions() == before
        return
    assert subs_of(staging) == [f"s-{number}" for number in range(len(SAME))]
    written = staging.row_versions()
    assert staging.remap(*pool).counts == {"unchanged": len(SAME)}
    assert staging.row_versions() == written
    emails = staging.database.rows("SELECT email FROM users ORDER BY id")
    assert emails == [(masked(there),) for there, _ in SAME], "they are left as they are"


@pytest.mark.parametrize(
    ("there", "here"),
    [
        (ANA, BO),
        ("pavel@bookshop.example", "pavel@boo\u212ashop.example"),
        ("ivan@x.org", "\u0130van@x.org"),
        ("\u00a0", "\u00a0"),
        ("\u00a0", " "),
        ("", ""),
    ],
)
def test_other_addresses_and_blank_ones_find_nobody(
    make_staging: MakeStaging, use_mask: UseMask, there: str, here: str
) -> None:
    use_mask("email")
    row = masked(there) if there else there
    staging = staging_of(make_staging, (row, "p-1"), (masked("vera@x.org"), "s-vera"))

    result = staging.remap(PoolUser(here, "s-1"), PoolUser("vera@x.org", "s-vera"))

    assert subs_of(staging) == ["p-1", "s-vera"]
    assert result.counts == {"unchanged": 1, "skipped_no_cognito_user": 1, "skipped_no_db_user": 1}
    assert "near misses" not in result.warnings


def test_two_rows_whose_addresses_differ_in_case_only_are_ambiguous(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask("email")
    staging = staging_of(make_staging, (masked("Ana@x.org"), "p-1"), (masked(ANA), "p-2"))

    result = staging.remap(PoolUser("ANA@x.org", "s-1"))

    assert subs_of(staging) == ["p-1", "p-2"]
    assert result.counts == {"skipped_ambiguous": 2}
    assert {line.email for line in result.lines} == {as_compared(ANA)}


def test_of_several_users_with_one_address_the_best_gets_the_row(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask("email")
    staging = staging_of(make_staging, (masked(ANA), None))

    staging.remap(PoolUser("Ana@x.org", "s-old", enabled="false"), PoolUser(ANA, "s-ana"))

    assert subs_of(staging) == ["s-ana"]


def test_addresses_of_kept_domains_are_compared_and_reported_as_they_are(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask(TEAM)
    staging = staging_of(
        make_staging, ("Dev@Team.example", "p-1"), (masked(ANA), "p-2"), ("old@team.example", "p-3")
    )

    result = staging.remap(
        PoolUser(" dev@TEAM.example", "s-dev"),
        PoolUser(ANA, "s-ana"),
        PoolUser("new@team.example", "s-new"),
        PoolUser("x@sub.team.example", "s-x"),
    )

    assert subs_of(staging) == ["s-dev", "s-ana", "p-3"]
    assert {(line.email, line.status) for line in result.lines} == {
        ("dev@team.example", "updated"),
        (as_compared(ANA), "updated"),
        ("old@team.example", "no_cognito_user"),
        ("new@team.example", "no_db_user"),
        (as_compared("x@sub.team.example"), "no_db_user"),
    }


def test_a_near_miss_is_told_among_addresses_of_kept_domains_only(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask(TEAM)
    staging = staging_of(
        make_staging, ("dev\u200b@team.example", "p-1"), (masked("ana\u200b@x.org"), "p-2")
    )

    result = staging.remap(PoolUser("dev@team.example", "s-dev"), PoolUser(ANA, "s-ana"))

    assert subs_of(staging) == ["p-1", "p-2"]
    assert "1 near misses" in result.warnings


def test_rows_that_testers_made_with_a_plain_address_are_found_too(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask("email")
    staging = staging_of(make_staging, (" Tester@x.org", "p-1"), (masked(ANA), "p-2"))

    result = staging.remap(PoolUser("tester@x.org", "s-tester"), PoolUser(ANA, "s-ana"))

    assert subs_of(staging) == ["s-tester", "s-ana"]
    assert result.counts == {"updated": 2}
    assert "tester@x.org" not in str(result.lines)


def test_a_plain_row_and_a_masked_one_of_the_same_address_are_ambiguous(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask("email")
    staging = staging_of(make_staging, (ANA, "p-1"), (masked("Ana@x.org"), "p-2"))

    assert staging.remap(PoolUser(ANA, "s-1")).counts == {"skipped_ambiguous": 2}


@pytest.mark.parametrize("dress", [str, str.upper, " {} ".format])
@pytest.mark.parametrize(
    "in_staging",
    [
        pytest.param(masked(ANA), id="masked"),
        pytest.param(masked("Ana@x.org"), id="with a suffix"),
        pytest.param(masked(ANA, OTHER_KEY), id="by an older key"),
        pytest.param(masked(ANA, digits=20), id="for a shorter column"),
    ],
)
def test_who_takes_a_masked_address_for_their_own_gets_nothing(
    make_staging: MakeStaging, use_mask: UseMask, in_staging: str, dress: Callable[[str], str]
) -> None:
    use_mask("email")
    staging = staging_of(make_staging, (in_staging, "p-1"), (masked(BO), "s-bo"))
    thief = PoolUser(dress(in_staging), "s-thief")

    result = staging.remap(thief, PoolUser(BO, "s-bo"))

    assert subs_of(staging) == ["p-1", "s-bo"]
    assert result.counts["skipped_no_db_user"] == 1


def test_the_masked_address_of_a_masked_address_is_another_persons(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask("email")
    staging = staging_of(make_staging, (masked(ANA), "p-1"), (masked(masked(ANA)), "p-2"))

    staging.remap(PoolUser(ANA, "s-ana"), PoolUser(masked(ANA), "s-odd"))

    assert subs_of(staging) == ["s-ana", "s-odd"], "production may hold addresses of any form"


def test_a_row_with_a_sub_that_the_pool_knows_under_another_address_loses_it(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask(TEAM)
    staging = staging_of(
        make_staging, (masked(ANA), "s-ana"), (masked("new@x.org"), "s-bo"), (None, "s-dev")
    )

    result = staging.remap(
        PoolUser(ANA, "s-ana"), PoolUser(BO, "s-bo"), PoolUser("dev@team.example", "s-dev")
    )

    assert subs_of(staging) == ["s-ana", None, None]
    assert result.counts == {"unchanged": 1, "mismatched": 2, "skipped_no_db_user": 2}


def test_a_sub_of_a_worse_account_with_the_rows_own_address_is_no_mismatch(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask("email")
    staging = staging_of(
        make_staging, (masked(ANA), "s-a1"), (masked("Ana@x.org"), "s-a2"), (masked(BO), "s-bo")
    )

    result = staging.remap(
        PoolUser("ANA@x.org", "s-a1"), PoolUser(ANA, "s-a2"), PoolUser(BO, "s-bo")
    )

    assert subs_of(staging) == ["s-a1", "s-a2", "s-bo"]
    assert result.counts == {"unchanged": 1, "skipped_ambiguous": 2}


def test_people_who_hold_each_others_sub_get_their_own(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask(TEAM)
    staging = staging_of(
        make_staging,
        (masked("Ana@x.org"), "s-bo"),
        (masked(BO), "s-dev"),
        ("Dev@team.example", "s-tester"),
        ("tester@x.org", "s-ana"),
    )
    pool = [
        PoolUser(ANA, "s-ana"),
        PoolUser(BO, "s-bo"),
        PoolUser("dev@team.example", "s-dev"),
        PoolUser("Tester@x.org", "s-tester"),
    ]

    assert staging.remap(*pool).counts == {"updated": 4}

    assert subs_of(staging) == ["s-ana", "s-bo", "s-dev", "s-tester"]
    assert staging.remap(*pool).counts == {"unchanged": 4}


def test_a_row_that_is_no_person_loses_a_persons_sub_and_is_reported_masked(
    make_staging: MakeStaging, use_mask: UseMask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_mask("email")
    monkeypatch.setenv("USERS_WHERE", "id < 2")
    staging = staging_of(make_staging, (masked(ANA), "p-1"), ("robot@x.org", "s-ana"))

    result = staging.remap(PoolUser(ANA, "s-ana"))

    assert subs_of(staging) == ["s-ana", None]
    assert result.line_of(as_compared("robot@x.org")).status == "unlinked"


def test_too_few_matches_are_counted_by_masked_addresses(
    make_staging: MakeStaging, use_mask: UseMask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_mask(TEAM)
    monkeypatch.setenv("MIN_MATCHED_PERCENT", "67")
    staging = staging_of(make_staging, (masked(ANA), "p-1"), ("dev@team.example", "p-2"))
    pool = [PoolUser("Ana@x.org", "s-1"), PoolUser("dev@team.example", "s-2"), PoolUser(BO, "s-3")]

    with pytest.raises(ConfigurationError, match="2 of 3 users"):
        staging.remap(*pool)

    assert staging.remap(*pool[:2]).counts == {"updated": 2}


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


class TestKeys:
    """What a remap says if the rows are masked by another key, or by a rule that it has not."""

    def test_rows_of_another_key_find_nobody_and_the_remap_says_so(
        self, make_staging: MakeStaging, use_mask: UseMask
    ) -> None:
        use_mask("email")
        staging = staging_of(make_staging, (masked(ANA, OTHER_KEY), "s-1"), (None, "s-2"))

        result = staging.remap(PoolUser(ANA, "s-ana"), PoolUser(BO, "s-1"))

        assert subs_of(staging) == ["s-1", "s-2"]
        assert "Nobody was matched" in result.warnings
        assert "1 rows have an address that was masked by another key" in result.warnings
        assert 'Run a sync with {"sync_cognito": true}' in result.warnings

    @pytest.mark.parametrize("rule", [TEAM, None])
    def test_they_keep_their_sub_though_others_match(
        self, make_staging: MakeStaging, use_mask: UseMask, rule: object
    ) -> None:
        if rule:
            use_mask(rule)
        staging = staging_of(
            make_staging,
            ("dev@team.example", "p-1"),
            (masked("Ana@x.org", OTHER_KEY), "s-ana"),
            (masked(BO, OTHER_KEY, digits=12), "s-bo"),
        )

        result = staging.remap(
            PoolUser("dev@team.example", "s-dev"), PoolUser(ANA, "s-ana"), PoolUser(BO, "s-bo")
        )

        assert subs_of(staging) == ["s-dev", "s-ana", "s-bo"]
        assert "mismatched" not in result.counts
        told = "masked by another key" if rule else "the remap has no rule (EMAIL_MASK)"
        assert f"2 rows have a{'n address that was' if rule else ''}" in result.warnings
        assert told in result.warnings

    def test_a_remap_without_a_rule_says_what_is_missing(self, make_staging: MakeStaging) -> None:
        staging = staging_of(make_staging, (masked(ANA), "p-1"), (masked(BO), "p-2"))

        result = staging.remap(PoolUser(ANA, "s-ana"))

        assert subs_of(staging) == ["p-1", "p-2"]
        assert "Nobody was matched" in result.warnings
        assert "2 rows have a masked address, but the remap has no rule" in result.warnings

    def test_rows_that_are_masked_as_they_should_be_need_no_word(
        self, make_staging: MakeStaging, use_mask: UseMask
    ) -> None:
        use_mask(TEAM)
        staging = staging_of(
            make_staging, (masked("Ana@x.org"), "p-1"), (masked(BO), "p-2"), ("x@y.org", "p-3")
        )

        result = staging.remap(PoolUser(ANA, "s-ana"))

        assert result.counts == {"updated": 1, "skipped_no_cognito_user": 2}
        assert result.warnings == ""


class TestSettings:
    """What UpdateDb refuses."""

    def test_a_rule_without_a_key_is_refused(
        self, make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EMAIL_MASK", '"email"')

        with pytest.raises(ConfigurationError, match="mask_key_secret_arn"):
            make_staging().remap(PoolUser(ANA, "s-ana"))

    @pytest.mark.parametrize(
        ("rule", "why"),
        [
            ("hash", "of the kind"),
            ({"with": "hash"}, "of the kind"),
            (["email"], "of the kind"),
            ({"with": "email", "keep_domains": "team.example"}, "keep_domains"),
            ({"with": "email", "keep": []}, "keep_domains"),
        ],
    )
    def test_another_rule_is_refused(
        self, make_staging: MakeStaging, use_mask: UseMask, rule: object, why: str
    ) -> None:
        use_mask(rule)

        with pytest.raises(ConfigurationError, match=why):
            make_staging().remap(PoolUser(ANA, "s-ana"))

    @pytest.mark.parametrize("text", ["email", "{"])
    def test_a_rule_that_is_no_json_is_refused(
        self,
        make_staging: MakeStaging,
        use_mask: UseMask,
        monkeypatch: pytest.MonkeyPatch,
        text: str,
    ) -> None:
        use_mask("email")
        monkeypatch.setenv("EMAIL_MASK", text)

        with pytest.raises(ConfigurationError, match="EMAIL_MASK"):
            make_staging().remap(PoolUser(ANA, "s-ana"))
