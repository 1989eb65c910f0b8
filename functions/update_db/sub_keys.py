"""Foreign keys that lead to the sub column: what refers to a sub must not lose its person.

A key that says ON UPDATE CASCADE makes its rows follow. Every other one, at the sub or at the end
of a chain of those that cascade, would empty them, leave them with a sub that is somebody else's,
or refuse the update. And where a sub becomes NULL, cascading empties them too.
"""

from collections.abc import Iterator

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.foreign_keys import ACTIONS, CASCADE, ForeignKey, read_foreign_keys
from common.postgres.names import Name
from common.postgres.queries import load_query
from update_db.users_table import UsersTable

type Chain = tuple[ForeignKey, ...]  # each key's parent is the child of the one before it


def read_chains(target: Session, users: UsersTable) -> list[Chain]:
    """Return the chains of keys that begin at the sub column; all but the last one cascade."""
    (root,) = target.row(
        "SELECT coalesce(pg_partition_root(oid)::oid, oid) FROM pg_class WHERE oid = %s::regclass",
        [target.quoted(users.name.identifier)],
    )
    keys = [key for key in read_foreign_keys(target) if key.is_enforced]
    return list(_chains(keys, root, {users.sub_column}, ()))


def tables_on_the_way(chains: list[Chain]) -> set[Name]:
    """Return the tables whose rows others refer to: nobody may begin to meanwhile."""
    return {key.child for chain in chains for key in chain[:-1]}


def find_losses(target: Session, chains: list[Chain], unlinked: sql.Composable) -> list[str]:
    """Return what the changes that are decided would lose: a phrase for each key.

    Args:
        target: the session that decided.
        chains: see `read_chains`.
        unlinked: what a sub becomes that is taken away.
    """
    losses: list[str] = []
    query = sql.SQL(load_query("update_db", "count_referring"))
    for chain in chains:
        key = chain[-1]
        changed, taken = target.row(query.format(chain=_joined(chain), unlinked=unlinked))
        if lost := taken if key.on_update == CASCADE else changed:
            losses.append(
                f"{lost} rows of {key.child}, by the foreign key {key.name}"
                f" (ON UPDATE {ACTIONS[key.on_update]})"
            )
    return losses


def explained(losses: list[str], report: str) -> str:
    """Return the error's message."""
    return (
        "Rows that refer to a sub would lose the person that they belong to:"
        f" {'; '.join(losses)}. Let the key say ON UPDATE CASCADE, so that they follow. Where it"
        " does, they refer to users whose sub belongs to another row and who would be left without"
        f" one: {report} names the users (status unlinked or mismatched); give them a user of the"
        " pool, make the sub column NOT NULL, or delete those rows. Nothing was written."
    )


def _chains(
    keys: list[ForeignKey], parent_root: int, columns: set[str], before: Chain
) -> Iterator[Chain]:
    for key in keys:
        following = {pair.child for pair in key.pairs if pair.parent in columns}
        if key.parent_root == parent_root and following and key not in before:
            chain = (*before, key)
            yield chain
            if key.on_update == CASCADE:
                yield from _chains(keys, key.child_root, following, chain)


def _joined(chain: Chain) -> sql.Composable:
    """Return the joins from a decision (`d`) to the rows at the end of a chain.

    A key's parent may be a partition of the table that the key before it has for a child, or the
    other way round: the row is the same one.
    """
    joins: list[sql.Composable] = []
    table, row = sql.SQL("d.row_table"), sql.SQL("d.row_place")
    for number, key in enumerate(chain):
        parent, child = f"p{number}", f"c{number}"
        joins.append(
            sql.SQL("JOIN {} {} ON {}.tableoid = {} AND {}.ctid = {} JOIN {} {} ON {}").format(
                key.parent_rows,
                sql.Identifier(parent),
                sql.Identifier(parent),
                table,
                sql.Identifier(parent),
                row,
                key.child_rows,
                sql.Identifier(child),
                key.refers(child, parent),
            )
        )
        table, row = sql.SQL(f"{child}.tableoid"), sql.SQL(f"{child}.ctid")
    return sql.SQL(" ").join(joins)
