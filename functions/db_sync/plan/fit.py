"""Whether a plan may be carried out; if not, every reason at once."""

from psycopg2 import sql

from common.errors import ConfigurationError, SchemaMismatch
from common.postgres.database import Session
from db_sync.plan.rows import table_rows
from db_sync.plan.tables import MissingLabels, Plan

CORRECT_MASKS = 'Masks do not hold; correct "mask" or "reviewed" in the sync rules.'


def require_fit(source: Session, plan: Plan) -> None:
    """Refuse a plan that cannot be carried out, before anything is written.

    Args:
        source: production, where rows may use labels that the target's enums lack.
        plan: the plan.

    Raises:
        ConfigurationError: rules or rights are wrong; it names the schemas' mismatches too.
        SchemaMismatch: the schemas cannot be reconciled, or do not allow a mask.
    """
    mismatches = plan.schema_mismatches + _used_labels(source, plan.missing_labels)
    what_to_do: list[str] = []
    if plan.configuration_errors:
        what_to_do.append("Rules or rights must be corrected, as described below.")
    if mismatches:
        what_to_do.append(
            "The schemas of source and target do not match: bring both to the same migration, or"
            " exclude the tables."
        )
    if plan.mask_misfits:
        what_to_do.append(CORRECT_MASKS)
    if what_to_do:
        error = ConfigurationError if plan.configuration_errors else SchemaMismatch
        reasons = plan.configuration_errors + mismatches + plan.mask_misfits
        raise error(" ".join(["Nothing was written.", *what_to_do]), reasons)


def _used_labels(source: Session, missing: list[MissingLabels]) -> list[str]:
    """Return a sentence for each column in which rows use labels that the target lacks."""
    readable = [each for each in missing if each.table.rights.may_read_all]
    if not readable:
        return []
    query = sql.SQL(" UNION ALL ").join(
        _labels_in(number, each) for number, each in enumerate(readable)
    )
    used: dict[int, list[str]] = {}
    for number, label in source.rows(sql.SQL("{} ORDER BY 1, 2").format(query)):
        used.setdefault(number, []).append(label)
    return [
        f"column {readable[number].table.name}.{readable[number].column} is"
        f" {readable[number].type} in both, but the target's lacks the labels"
        f" {', '.join(map(repr, labels))}, which rows of the source use"
        for number, labels in used.items()
    ]


def _labels_in(number: int, missing: MissingLabels) -> sql.Composable:
    """Return the query for the missing labels that rows use, each with the column's number."""
    rows = sql.SQL("{} t").format(table_rows(missing.table))
    value = sql.Identifier("t", missing.column)
    if missing.is_array:
        rows = sql.SQL("{} CROSS JOIN LATERAL unnest({}) AS e (label)").format(rows, value)
        value = sql.Identifier("e", "label")
    return sql.SQL(
        "SELECT {number}, used.label FROM (SELECT DISTINCT {value}::text AS label FROM {rows}"
        " WHERE {value}::text = ANY ({labels})) used"
    ).format(
        number=sql.Literal(number), value=value, rows=rows, labels=sql.Literal(list(missing.labels))
    )
