"""Rules that name what does not exist: a misspelt rule must not be ignored silently."""

from collections.abc import Iterator

from common.postgres.names import Name, TableColumn
from db_sync.plan.catalog import Catalogs
from db_sync.rules import KeptColumns, SyncRules


def find_rule_errors(catalogs: Catalogs, rules: SyncRules) -> list[str]:
    """Return a sentence that names all rules that cannot be followed, or an empty list."""
    known: set[Name] = set()
    for catalog in catalogs:
        known.update(catalog.tables, (each.name for each in catalog.facts.extension_tables))
    errors = [
        f'table {name} of the "{rule}" rule exists on neither side'
        for rule, names in (("exclude", rules.exclude), ("include", rules.include))
        for name in sorted(names)
        if name not in known
    ]
    for name, columns in sorted(rules.keep.items()):
        errors += _errors_of_kept(catalogs, name, columns)
    errors += rules.follow.unmatched(
        TableColumn(table.name, column)
        for catalog in catalogs
        for table in catalog.tables.values()
        for column in table.columns
    )
    if not errors:
        return []
    return [
        f"The sync rules cannot be followed: {'; '.join(errors)}. Correct the rules (or"
        " USERS_TABLE, SUB_COLUMN and EMAIL_COLUMN, from which one is made)."
    ]


def _errors_of_kept(catalogs: Catalogs, name: Name, columns: KeptColumns) -> Iterator[str]:
    """Yield what is wrong with one table's kept columns."""
    table = catalogs.target.tables.get(name)
    if table is None:
        yield f'table {name} of the "keep" rule does not exist on the target'
        return
    source = catalogs.source.tables.get(name)
    for column in sorted(columns.keys() - table.columns.keys()):
        yield f'column {name}.{column} of the "keep" rule does not exist on the target'
    for column in sorted({column for same in columns.values() for column in same}):
        where = f'column {name}.{column} of "while_same" in the "keep" rule'
        if column in columns:
            yield f"{where} is a kept column itself"
        elif column not in table.columns:
            yield f"{where} does not exist on the target"
        elif table.columns[column].is_generated:
            yield f"{where} is generated: name the columns that it is computed from"
        elif source and column not in source.columns:
            yield f"{where} does not exist in the source"
