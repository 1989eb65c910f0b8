"""`python -m sandbox.demo`: staging's users cannot log in, the workflow runs, and they can.

Every fact is checked before it is printed; the exit code is 0 only if all of them hold.
"""

import csv
import gzip
import io
import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.account import StagingAccount, staging_account
from sandbox.bookshop.comparison import contents
from sandbox.bookshop.logins import Found, Login, find_wishlists, log_in_everybody
from sandbox.bookshop.masks import MASKED, SYNC_RULES, is_masked, signs_of_originals
from sandbox.bookshop.people import CUSTOMER, CUSTOMERS_EMAIL, Outcome
from sandbox.pages import wait_for_page
from sandbox.processes import SandboxError
from sandbox.signals import ending_in_order
from statemachine import execution
from statemachine.board import follow, table
from statemachine.execution import Execution
from statemachine.page import save_page

INPUT = {"sync_cognito": True}
SHOWN = ("Ada", "Bruno", "Dmitri", CUSTOMER, "Liam", "Jonas")  # one or two of each kind
# A status in the remap's report, and what it means.
STATUSES = {
    "updated": "linked to their account in staging's pool",
    "unchanged": "linked already",
    "no_cognito_user": "skipped: no account with that email in staging's pool",
    "no_db_user": "skipped: an account, but no row with that email",
    "ambiguous": "skipped: two rows or two equally good accounts with that email",
    "unlinked": "lost a sub that belongs to another row",
    "mismatched": "lost a sub that the pool has for another email",
}
STYLES = {Found.OWN_ROW: "green", Found.NO_ROW: "red", Found.ANOTHERS_ROW: "bold red"}


@dataclass(frozen=True, slots=True)
class Story:
    """Prints chapters and facts, and records which facts held."""

    console: Console
    facts: list[bool] = field(default_factory=list)

    def chapter(self, title: str, text: str) -> None:
        """Print the heading of a chapter and its introduction."""
        self.console.print(f"\n[bold]{title}[/bold]\n{text}")

    def fact(self, text: str, *, holds: bool) -> None:
        """Print a fact that was checked."""
        self.facts.append(holds)
        mark = "[green]✔[/green]" if holds else "[bold red]✘ NOT TRUE:[/bold red]"
        self.console.print(f"{mark} {text}")


def main() -> int:
    """Run the demo.

    Returns:
        0 when every fact held, 1 when one did not or the sandbox could not be started, 130
        when it was interrupted.
    """
    console = Console(highlight=False)
    story = Story(console)
    try:
        with ending_in_order(), console.status("") as status:
            console.print("A staging account on this machine; nothing else is touched.")

            def announce(text: str) -> None:
                status.update(text)
                if not console.is_terminal:
                    console.print(f"{text} …")

            with staging_account(sync_rules=SYNC_RULES, announce=announce) as account:
                status.stop()
                tell(story, account)
    except KeyboardInterrupt:
        console.print("Interrupted; nothing is left behind.")
        return 130
    except SandboxError as error:
        Console(stderr=True, markup=False).print(error)
        return 1
    return 0 if all(story.facts) else 1


def tell(story: Story, account: StagingAccount) -> None:
    """Run the workflow, and show what it changes."""
    _show_before(story, account, log_in_everybody(account))
    story.chapter(
        "2. The workflow runs",
        f"aws stepfunctions start-execution --input '{json.dumps(INPUT)}'",
    )
    result = follow(story.console, account, execution.start(account, INPUT))
    story.fact(
        f"the execution {result.status} after {result.seconds:.1f} s",
        holds=result.status == "SUCCEEDED",
    )
    if result.status != "SUCCEEDED":
        story.console.print(result.cause, markup=False)
        return
    _show_changes(story, account, result)
    _show_masks(story, account)
    _show_after(story, account, log_in_everybody(account))
    _show_next(story, _save_page(story, account, result))


def _show_before(story: Story, account: StagingAccount, logins: list[Login]) -> None:
    story.chapter(
        "1. Staging before",
        "Staging's database was copied from production some time ago. Each row of users\n"
        "has the sub that production's user pool gave that person. Staging has its own\n"
        "pool, which gave the same people other subs, so their logins find no row, and\n"
        "not their wishlist either, which has the sub of its owner.",
    )
    story.console.print(_login_table(_shown(logins)))
    expected = _expected(logins)
    story.fact(
        f"all {len(expected)} people whose row comes from production can log in to staging's pool",
        holds=all(login.logged_in for login in expected),
    )
    owners, finders = find_wishlists(account, expected)
    story.fact(
        f"none of them finds that row, and none of the {len(owners)} with a wishlist finds it",
        holds=bool(owners)
        and not finders
        and not any(login.found is Found.OWN_ROW for login in expected),
    )


def _show_changes(story: Story, account: StagingAccount, result: Execution) -> None:
    story.chapter(
        "3. What changed",
        "Only rows that differed were written, in one transaction; a table without a key\n"
        "is replaced.",
    )
    _show_tables(story, account, result.output["db_sync"])
    mapping = result.output["cognito_mapping"]
    people = _people_by_status(account, mapping)
    story.console.print(
        table(
            ("people ", "what happened to them"),
            ((f"{people[status]:,}", text) for status, text in STATUSES.items() if people[status]),
        )
    )
    story.fact(
        "the execution's output has the same counts, and its history names nobody",
        holds=people == _counted(mapping) and _names_nobody(account, result),
    )
    warnings, followers = len(mapping["warnings"]), mapping["followers"]
    story.console.print(
        f"  {followers['public.wishlists.owner_sub']} wishlists and"
        f" {followers['public.cards.holder_sub']} cards followed their people to another sub.\n"
        f"  The output has {warnings} warnings; the report in S3 has a line for each person."
    )


def _show_tables(story: Story, account: StagingAccount, sync: dict[str, Any]) -> None:
    numbers = ("rows", "rows_inserted", "rows_updated", "rows_deleted")
    lines = json.loads(_read(account, sync["report"]))["tables"]
    story.console.print(
        table(
            ("table", "rows ", "inserted ", "updated ", "deleted "),
            (
                [line["table"].removeprefix("public."), *(f"{line[key]:,}" for key in numbers)]
                for line in lines
            ),
        )
    )
    production, staging = (
        contents(database, without=MASKED) for database in (account.production, account.staging)
    )
    total = sum(map(len, production.values()))
    story.fact(
        f"all {total:,} rows of staging equal production's, except for the subs and the masks",
        holds=production == staging,
    )


def _show_masks(story: Story, account: StagingAccount) -> None:
    story.chapter(
        "4. What staging does not know",
        "Names, phone numbers, reviews and addresses are masked by the query that reads\n"
        "production's rows; the team's own addresses stay.",
    )
    wanted = "SELECT email, name FROM users WHERE id = %s"
    ((key,),) = account.production.rows("SELECT id FROM users WHERE email = %s", [CUSTOMERS_EMAIL])
    (original,), (masked,) = (
        database.rows(wanted, [key]) for database in (account.production, account.staging)
    )
    story.console.print(
        table(("", "email", "name"), (("production", *original), ("staging", *masked)))
    )
    found = set(signs_of_originals(account.staging.contents()))
    story.fact(
        "no address, name, phone number or review of a customer is in staging",
        holds=is_masked(masked[0]) and not found,
    )


def _show_after(story: Story, account: StagingAccount, logins: list[Login]) -> None:
    story.chapter("5. Staging after", "The same people log in again.")
    story.console.print(_login_table(_shown(logins)))
    expected = _expected(logins)
    found = [login for login in expected if login.found is Found.OWN_ROW]
    story.fact(f"{len(found)} of {len(expected)} find their row", holds=found == expected)
    owners, finders = find_wishlists(account, expected)
    story.fact(
        f"{len(finders)} of the {len(owners)} with a wishlist find their own",
        holds=bool(owners) and finders == owners,
    )
    story.fact(
        f"{CUSTOMER}, whose address is masked, is one of them",
        holds=any(login.person.name == CUSTOMER for login in found),
    )
    story.fact(
        "nobody finds somebody else's row",
        holds=not any(login.found is Found.ANOTHERS_ROW for login in logins),
    )
    story.fact(
        "Jonas, with two equally good accounts, is left for a person to decide",
        holds=all(login.found is Found.NO_ROW for login in logins if login.person.name == "Jonas"),
    )


def _save_page(story: Story, account: StagingAccount, result: Execution) -> Path:
    """Save the run's page and return its path; check what it says, and whom it names."""
    page = wait_for_page(account, result.name)
    known = {
        text
        for database in (account.production, account.staging)
        for row in database.rows("SELECT email, cognito_sub FROM users")
        for text in row
        if text
    }
    story.fact(
        "the run's page says that staging equals production, and names nobody",
        holds="equals production" in page and not any(text in page for text in known),
    )
    return save_page(page, "demo")


def _show_next(story: Story, page: Path) -> None:
    held = sum(story.facts)
    story.chapter(
        f"{held} of {len(story.facts)} facts held.",
        f"The run's page, to open in a browser: {page}\n\n"
        "Next: `make up` starts this account, prints commands to paste and keeps running.\n"
        'Run the workflow twice, or with {"dry_run": true}, or change some rows.\n'
        "README.md says how to deploy it on AWS.",
    )


def _shown(logins: list[Login]) -> list[Login]:
    return [login for login in logins if login.person.name in SHOWN]


def _expected(logins: list[Login]) -> list[Login]:
    """Return the logins of those who must find their row after a run."""
    return [login for login in logins if login.person.outcome is Outcome.LINKED]


def _people_by_status(account: StagingAccount, mapping: dict[str, Any]) -> Counter[str]:
    """Count the lines of the remap's report that are about a person, by what happened."""
    text = gzip.decompress(_read(account, mapping["report"])).decode()
    found = Counter(line["status"] for line in csv.DictReader(io.StringIO(text)))
    del found["follower"]  # one for each column that follows
    return found


def _counted(mapping: dict[str, Any]) -> Counter[str]:
    """Return the same counts from the execution's output."""
    keys = {status: f"skipped_{status}" for status in STATUSES if f"skipped_{status}" in mapping}
    counts = {status: mapping[keys.get(status, status)] for status in STATUSES}
    return Counter({status: count for status, count in counts.items() if count})


def _names_nobody(account: StagingAccount, result: Execution) -> bool:
    """Return whether an execution's history has neither an email nor a sub."""
    kept = json.dumps(execution.history(account, result.arn), default=str)
    subs = (sub for (sub,) in account.staging.rows("SELECT cognito_sub FROM users") if sub)
    return "@" not in kept and not any(sub in kept for sub in subs)


def _read(account: StagingAccount, uri: str) -> bytes:
    """Return the content of an s3:// URI."""
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return account.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def _login_table(logins: Iterable[Login]) -> Table:
    """Return who logs in as what, and what they find."""
    return table(
        ("who", "logs in as", "and", "orders "),
        (
            (
                login.person.name,
                login.account.username,
                Text(login.found.value, style=STYLES[login.found]),
                str(login.orders) if login.found is Found.OWN_ROW else "",
            )
            for login in logins
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
