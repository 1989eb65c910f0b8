"""People: which sub each user has in production, and in staging when the sync is done.

They are found before anything is compared, from production's users and staging's, as these will be
written: a row that stays keeps its sub, unless it is another person's by now, or another row brings
that sub. So both the comparison and the writing of columns that follow have one and the same map,
and a second sync finds nothing to do. Whoever is not in it has the same sub on both sides.

A value that is nobody's sub in production stays as it is, unless it is a person's in staging, who
would be given rows of somebody else: such a value is replaced by one that is nobody's there either.
So each value has one counterpart on the other side and only one, and two rows have equal values if
and only if the target's is the counterpart of the source's.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from psycopg2 import sql

from common.emails import BYTEWISE, normalized
from common.errors import SchemaMismatch, VerificationFailed
from common.postgres.settings.replication_role import define
from common.postgres.unlink import unlinked_for
from db_sync.compare.outcomes import Compared, Merge, Outcome, Replace, Same
from db_sync.compare.row_counts import which_have_rows
from db_sync.follow.persons import columns_of, copy_persons
from db_sync.plan.followers import people_table
from db_sync.plan.rows import whole_table
from db_sync.plan.tables import People, Plan, TablePlan, WhileSame
from db_sync.planner import tables_themselves
from db_sync.run import LoadedPeople, Run
from db_sync.statements import Parts, names, same_key, statement
from db_sync.write import kept


def load_people(run: Run, people: Sequence[People], tables: Sequence[TablePlan]) -> None:
    """Create and fill the temporary tables that the following columns of some tables need.

    Args:
        run: in transactions of both sides, in which users can be read; it learns what was found.
        people: of all sub columns of the plan.
        tables: those that will be compared.

    Raises:
        SchemaMismatch: two rows share a sub, so that it is unknown whose a follower's row is.
    """
    needed = {each.people for table in tables for each in table.target.following}
    for number, each in enumerate(people):
        if people_table(number) in needed - run.people.keys():
            run.limit(f"the people of {each.users.name} were found on both sides")
            with run.timed("compare", each.users):
                run.people[people_table(number)] = _load(run, each, number)


def look_for_lacking(run: Run, people: Sequence[People], compared: Compared) -> Compared:
    """Return what was found of all tables, with all users to be searched where some lack a sub.

    A sub belongs to staging, and is not compared. But who had none in either database, and has one
    in production by now, could not be referred to.
    """
    tables = {
        each.users.target.oid
        for number, each in enumerate(people)
        if people_table(number) in run.people and run.people[people_table(number)].lacking
    }
    return Compared.of(
        _searched(each) if each.plan.target.oid in tables else each for each in compared.outcomes
    )


def _searched(found: Outcome) -> Outcome:
    match found:
        case Same():
            return Merge(found.ranges, "rows lack a sub", found.comparison, numbers=None)
        case Merge():
            return replace(found, numbers=None)
        case Replace():
            return found


def require_foreseen(run: Run, plan: Plan, written: Collection[int]) -> None:
    """Check that users have the subs which the columns that follow them were written with.

    Args:
        run: the run, with the people loaded.
        plan: of the sync.
        written: the oids of the target's tables that were written.

    Raises:
        VerificationFailed: some have another one.
    """
    for number, people in enumerate(plan.people):
        is_loaded = people_table(number) in run.people
        if not is_loaded or people.found_by or people.users.target.oid not in written:
            continue
        with tables_themselves(run.target):
            (wrong,) = run.target.row(
                statement("follow/count_wrong_people", _parts(people, number))
            )
        if wrong:
            raise VerificationFailed(
                f"After the copy, {wrong} rows of {people.users.name} have another"
                f" {people.sub.name} than the columns that follow it. Everything was rolled back."
                " Look for a trigger that changes it."
            )


def _load(run: Run, people: People, number: int) -> LoadedPeople:
    target, parts = run.target, _parts(people, number)
    for table in ("persons", "people"):
        define(target, statement(f"follow/create_{table}", parts))
    if which_have_rows(target, [people.users.target]):
        copy_persons(run, people, parts["persons"], may_be_some=_must_be_distinct(people))
        with tables_themselves(target):
            _fill(run, people, parts)
    # The planner leaves out joins with it where nothing is read from it.
    define(target, sql.SQL("CREATE UNIQUE INDEX ON {people} (target_sub)").format(**parts))
    target.execute(sql.SQL("ANALYZE {people}").format(**parts))
    lacking = 0  # a sub that is the key is never NULL
    if not people.found_by:
        (lacking,) = target.row(statement("follow/count_lacking", parts))
    number_of_people, digest = target.row(statement("follow/read_digest", parts))
    return LoadedPeople(number_of_people, digest, lacking)


def _fill(run: Run, people: People, parts: Parts) -> None:
    """Find the people, and let every value have one counterpart on the other side."""
    target = run.target
    if people.found_by:
        target.execute(statement("follow/find_people_by", parts))
    else:
        target.execute(statement("follow/find_people", parts))
        if target.row(statement("follow/is_taken", parts))[0]:
            target.execute(statement("follow/take_away", parts))
    _require_distinct(run, people, parts)
    target.execute(statement("follow/replace_missing", parts))
    (count,) = target.row(sql.SQL("SELECT count(*) FROM {people}").format(**parts))
    if target.execute(statement("follow/close_pairs", parts)) != count:
        target.execute(statement("follow/close_chains", parts))


def _require_distinct(run: Run, people: People, parts: Parts) -> None:
    are_unique = _must_be_distinct(people)
    query = "are_people_mixed_up" if are_unique else "are_subs_shared"
    (are_shared,) = run.target.row(statement(f"follow/{query}", parts))
    if are_shared:
        raise SchemaMismatch(
            f"Two rows have the same {people.column}, in production or in staging, so that it is"
            " unknown whose the rows are that have it in columns that follow. Find them on both"
            " sides, with GROUP BY and HAVING count(*) > 1, and correct them. Nothing was written."
        )


def _must_be_distinct(people: People) -> bool:
    """Return whether unique indexes of both sides say that no two people share a sub.

    Those may be partial, as where a row that is marked as deleted has a sub of another one.
    """
    name = people.sub.name
    in_source = people.users.source.columns[name].unique_keys
    return not people.found_by and [name] in in_source and [name] in people.sub.unique_keys


def _parts(people: People, number: int) -> Parts:
    """Return what the statements are made of; `t` is staging's users, `s` production's."""
    users, name = people.users, people.sub.name
    parts = {
        "people": sql.Identifier("pg_temp", people_table(number)),
        "persons": sql.Identifier("pg_temp", f"staging_sync_persons_{number}"),
        "users": whole_table(users.target),
        "columns": names(column.name for column in columns_of(people)),
        "source_sub": _sub(sql.Identifier("s", name)),
        "target_sub": _sub(sql.Identifier("t", name)),
        "nobodys": unlinked_for(
            sql.SQL("(p.target_sub || '/nobody')"), as_uuid=people.sub.followed_as == "uuid"
        ),
    }
    if people.found_by:
        return parts | {
            f"{side}_person": _person(users, alias, people.found_by)
            for side, alias in (("source", "s"), ("target", "t"))
        }
    return parts | {
        "same_key": same_key(users, "s", "t"),
        "lacks_sub": kept.lacks_sub([people.sub]),
        "takes": kept.takes(users, name),
        "brings": kept.brings(users, name),
        "unlinked": kept.unlinked_sub(users, people.sub, "holder"),
        "holder_sub": _sub(sql.Identifier("holder", name)),
    }


def _person(users: TablePlan, alias: str, found_by: WhileSame) -> sql.Composable:
    """Return what tells a person, an array of texts; blank ones tell nobody."""
    emails = [
        sql.SQL("coalesce({}, '')").format(
            normalized(
                kept.compared(users, sql.Identifier(alias, column), column), found_by.collation
            )
        )
        for column in found_by.columns
    ]
    return sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(emails))


def _sub(value: sql.Composable) -> sql.Composable:
    """Return a row's sub as a text; a blank one is none, and many may have it."""
    return sql.SQL("nullif(CAST({} AS text) {}, '')").format(value, BYTEWISE)
