"""Foreign keys that lead to the sub column: rows that refer to a sub must keep their person.

With ON UPDATE CASCADE the referring rows get the new sub. Any other action, of a key to the sub or
at the end of a chain of cascading keys, would set them to NULL or a default, leave them with a sub
that becomes somebody else's, or refuse the update. If a sub becomes NULL, cascading sets them to
NULL too.
"""

from collections.abc import Iterator

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.foreign_keys import ACTIONS, CASCADE, ForeignKey, read_foreign_keys
from common.postgres.names import Name
from common.postgres.queries import load_query
from update_db.users_table import UsersTable

type Chain = tuple[ForeignKey, ...]  # the child of each key is the parent of the next


def read_chains(target: Session, users: UsersTable) -> list[Chain]:
    """Return the chains of keys that start at the sub column; all keys but the last one cascade."""
    (root,) = target.row(
        "SELECT coalesce(pg_partition_root(oid)::oid, oid) FROM pg_class WHERE oid = %s::regclass",
        [target.quoted(users.name.identifier)],
    )
    keys = [key for key in read_foreign_keys(target) if key.is_enforced]
    return list(_chains(keys, root, {users.sub_column}, ()))


def tables_on_the_way(chains: list[Chain]) -> set[Name]:
    """Return the tables in the middle of chains, which are locked so that nobody refers to them."""
    return {key.child for chain in chains for key in chain[:-1]}


def find_losses(target: Session, chains: list[Chain], unlinked: sql.Composable) -> list[str]:
    """Return a phrase for each key by which rows would lose their person.

    Args:
        target: the session in which the changes were decided.
        chains: see `read_chains`.
        unlinked: the SQL value that replaces a sub that is taken away.
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
        f" {'; '.join(losses)}. Give the key ON UPDATE CASCADE, so that they get the new sub. If it"
        " has that, they refer to users whose sub belongs to another row, and who would have none:"
        f" {report} names the users (status unlinked or mismatched); give them a user of the pool,"
        " make the sub column NOT NULL, or delete those rows. Nothing was written."
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

    They join by tableoid and ctid: a key's parent may be a partition of the child of the key before
    it, or the other way round.
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
