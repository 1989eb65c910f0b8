"""A staging whose emails are masked, as the tests of masked addresses make it."""

from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import Staging

TEAM = {"with": "email", "keep_domains": ["team.example"]}
ANA, BO = "ana@x.org", "bo@x.org"


def staging_of(make_staging: MakeStaging, *rows: tuple[str | None, str | None]) -> Staging:
    """Return staging with these emails and subs; their ids are 1, 2, …"""
    staging = make_staging()
    with staging.database.connect() as connection, connection.cursor() as cursor:
        for number, row in enumerate(rows, 1):
            cursor.execute("INSERT INTO users VALUES (%s, %s, %s)", [number, *row])
    connection.close()
    return staging


def subs_of(staging: Staging) -> list[str | None]:
    return list(staging.subs().values())
