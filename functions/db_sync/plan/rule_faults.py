"""Rules about what does not exist: a misspelt one would be void without a word."""

from collections.abc import Iterator

from common.postgres.names import Name
from db_sync.plan.catalog import Catalog
from db_sync.rules import KeptColumns, SyncRules


def void_rules(source: Catalog, target: Catalog, rules: SyncRules) -> list[str]:
    """Return one fault that names every rule that cannot be followed, or none."""
    known = source.tables.keys() | target.tables.keys()
    known |= {each.name for catalog in (source, target) for each in catalog.facts.extension_tables}
    faults = [
        f'table {name} of the "{rule}" rule exists on neither side'
        for rule, names in (("exclude", rules.exclude), ("include", rules.include))
        for name in sorted(names)
        if name not in known
    ]
    for name, columns in sorted(rules.keep.items()):
        faults += _faults_of_kept(source, target, name, columns)
    if not faults:
        return []
    return [
        f"The sync rules do not fit: {'; '.join(faults)}. Correct the rules (or USERS_TABLE,"
        " SUB_COLUMN and EMAIL_COLUMN, from which one is made)."
    ]


def _faults_of_kept(
    source: Catalog, target: Catalog, name: Name, columns: KeptColumns
) -> Iterator[str]:
    """Name what is wrong with one table's kept columns."""
    table = target.tables.get(name)
    if table is None:
        yield f'table {name} of the "keep" rule does not exist on the target'
        return
    for column in sorted(columns.keys() - table.columns.keys()):
        yield f'column {name}.{column} of the "keep" rule does not exist on the target'
    for column in sorted({column for same in columns.values() for column in same}):
        where = f'column {name}.{column} of "while_same" in the "keep" rule'
        if column in columns:
            yield f"{where} is a kept column itself"
        elif column not in table.columns:
            yield f"{where} does not exist on the target"
        elif table.columns[column].is_generated:
            yield f"{where} is generated: name the columns that it is made of"
        elif name in source.tables and column not in source.tables[name].columns:
            yield f"{where} does not exist in the source"
