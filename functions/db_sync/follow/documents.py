"""The paths to subs in the documents of a jsonb column, as the rule "follow" names them."""

from psycopg2 import sql

from common.errors import OutOfTime
from common.follow.substitution import UUID_FORM
from common.json_paths import leads_to, parse_path
from common.postgres.database import Session
from db_sync.compare.ranges import estimate_rows
from db_sync.follow.candidates import Candidate
from db_sync.follow.counting import Counting
from db_sync.mask_plan.json_columns import JsonPath, matching_paths
from db_sync.mask_plan.sample import FIELD_NAME, MANY_DIGITS, MOST_STEPS
from db_sync.sampling import limited, sampled_rows
from db_sync.statements import statement

DOCUMENTS, MOST_BYTES = 100, 65_536


def sub_paths(source: Session, counting: Counting, candidate: Candidate) -> tuple[str, ...]:
    """Return the paths to the subs in a sample of the documents.

    A key that may be data, and not a field's name, is shown as `.*`. Where a path leads to another
    one, only one of them is returned.
    """
    table = candidate.table
    try:
        with limited(source):
            rows = estimate_rows(source, [table])[table.source.oid]
            found = source.records(_query(counting, candidate, rows), None, JsonPath)
    except OutOfTime:
        return ()
    paths: list[str] = []
    for path in matching_paths(found) if found else []:
        steps = parse_path(path)
        others = [parse_path(each) for each in paths]
        if not any(leads_to(steps, each) or leads_to(each, steps) for each in others):
            paths.append(path)
    return tuple(paths)


def _query(counting: Counting, candidate: Candidate, rows: int) -> sql.Composable:
    value = sql.SQL("texts.value")
    return statement(
        "mask_plan/list_json_paths",
        {
            "value": sql.Identifier("t", candidate.column.name),
            "rows": sql.SQL("{} t").format(sampled_rows(candidate.table.source, rows, DOCUMENTS)),
            "most": sql.Literal(DOCUMENTS),
            "most_bytes": sql.Literal(MOST_BYTES),
            "most_steps": sql.Literal(MOST_STEPS),
            "field_name": sql.Literal(FIELD_NAME),
            "many_digits": sql.Literal(MANY_DIGITS),
            "matches": _are_subs(counting, value),
            "is_personal": sql.SQL("false"),
        },
    )


def _are_subs(counting: Counting, value: sql.Composable) -> sql.Composable:
    """Return the SQL for how many values of a group are subs."""
    like_sub = sql.SQL("CASE WHEN {value} ~ {form} THEN {value} END").format(
        value=value, form=sql.Literal(UUID_FORM)
    )
    return sql.SQL("pg_catalog.count(*) FILTER (WHERE EXISTS (SELECT FROM {} t WHERE {}))").format(
        counting.users, counting.is_sub(like_sub)
    )
