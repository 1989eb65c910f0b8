"""UpdateDb: the triggers of columns that follow fire, and can neither lose nor fake a sub."""

import pytest

from common.errors import VerificationFailed
from tests.integration.update_db.conftest import MakeStaging, UseFollow
from tests.integration.update_db.remapping import USERS, PoolUser

FIRST = PoolUser("u1@example.com", "s-1")
BOTH = (PoolUser("u1@example.com", "p-2"), PoolUser("u2@example.com", "p-1"))
ROWS = """
INSERT INTO users (id, email, cognito_sub)
VALUES (1, 'u1@example.com', 'p-1'), (2, 'u2@example.com', 'p-2');
INSERT INTO orders VALUES (1, 'p-1'), (2, 'p-2');
"""
ORDERS = f"{USERS}; CREATE TABLE orders (buyer int, sub text); CREATE TABLE audit (sub text);"
KEYED = f"{ORDERS} ALTER TABLE orders ADD FOREIGN KEY (sub) REFERENCES users (cognito_sub);"
IN_ORDER = "SELECT * FROM orders ORDER BY buyer, sub"


def trigger(timing: str, body: str, returned: str = "NULL", when: str = "true") -> str:
    """Return the statements that make a trigger for each row."""
    return f"""
    CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql
        AS $$BEGIN {body}; RETURN {returned}; END$$;
    CREATE {timing} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION act();
    """


@pytest.fixture(autouse=True)
def _orders_follow(use_follow: UseFollow) -> None:
    use_follow({"public.orders.sub": "public.users.cognito_sub"})


@pytest.mark.parametrize("schema", [ORDERS, KEYED])
def test_the_applications_triggers_fire_once_a_row_and_twice_where_a_sub_goes_on(
    make_staging: MakeStaging, schema: str
) -> None:
    note = trigger("TRIGGER t AFTER UPDATE ON orders", "INSERT INTO audit VALUES (NEW.sub)")
    staging = make_staging(ROWS, schema + note)

    staging.remap(FIRST)
    once = staging.database.rows("SELECT * FROM audit")
    staging.remap(PoolUser("u1@example.com", "p-2"), PoolUser("u2@example.com", "s-2"))

    assert once == [("s-1",)]
    noted = [sub for (sub,) in staging.database.rows("SELECT * FROM audit OFFSET 1")]
    assert len(noted) == 3
    assert {"p-2", "s-2"} < set(noted)


LOSSES = {
    "is suppressed": trigger("TRIGGER t BEFORE UPDATE ON orders", "NULL"),
    "is changed": trigger(
        "TRIGGER t BEFORE UPDATE ON orders", "NEW.sub := 's-2'", "NEW", "NEW.sub = 's-1'"
    ),
    "is put back": trigger(
        "CONSTRAINT TRIGGER t AFTER UPDATE ON orders DEFERRABLE INITIALLY DEFERRED",
        "UPDATE orders SET sub = OLD.sub WHERE buyer = 1",
        when="NEW.sub = 's-1'",
    ),
    "is deleted": trigger("TRIGGER t AFTER UPDATE ON users", "DELETE FROM orders WHERE buyer = 1"),
    "never happens": "CREATE RULE never AS ON UPDATE TO orders DO INSTEAD NOTHING",
}


@pytest.mark.parametrize("loss", LOSSES)
def test_an_update_that_does_not_do_what_it_should_is_noticed_and_all_is_rolled_back(
    make_staging: MakeStaging, loss: str
) -> None:
    staging = make_staging(ROWS, ORDERS + LOSSES[loss])
    before = staging.database.contents()

    with pytest.raises(VerificationFailed, match=r"subs in public\.orders\.sub\. Everything was"):
        staging.remap(FIRST)

    assert staging.database.contents() == before


def test_a_trigger_that_gives_an_old_sub_to_a_row_that_had_none_is_noticed(
    make_staging: MakeStaging,
) -> None:
    late = trigger(
        "TRIGGER t AFTER UPDATE ON users", "INSERT INTO orders VALUES (1, OLD.cognito_sub)"
    )
    staging = make_staging(ROWS + "TRUNCATE orders", ORDERS + late)

    with pytest.raises(VerificationFailed, match=r"1 subs in public\.orders\.sub"):
        staging.remap(FIRST)

    assert staging.database.rows("SELECT * FROM orders") == []


def test_a_trigger_may_add_rows_with_the_sub_that_somebody_has_now(
    make_staging: MakeStaging,
) -> None:
    body = "INSERT INTO orders VALUES (3, NEW.cognito_sub)"
    staging = make_staging(ROWS, ORDERS + trigger("TRIGGER t AFTER UPDATE ON users", body))

    staging.remap(FIRST)

    assert staging.database.rows(IN_ORDER) == [(1, "s-1"), (2, "p-2"), (3, "s-1")]


def test_what_an_applications_own_trigger_moves_already_is_right_too(
    make_staging: MakeStaging,
) -> None:
    body = "UPDATE orders SET sub = NEW.cognito_sub WHERE sub = OLD.cognito_sub"
    staging = make_staging(ROWS, ORDERS + trigger("TRIGGER t AFTER UPDATE ON users", body))

    staging.remap(FIRST)

    assert staging.database.rows(IN_ORDER) == [(1, "s-1"), (2, "p-2")]


def test_a_trigger_that_moves_rows_once_more_is_noticed(make_staging: MakeStaging) -> None:
    body = "UPDATE orders SET sub = NEW.cognito_sub WHERE sub = OLD.cognito_sub"
    staging = make_staging(
        ROWS + "INSERT INTO orders VALUES (2, 'p-2')",
        ORDERS + trigger("TRIGGER t AFTER UPDATE ON users", body),
    )

    with pytest.raises(VerificationFailed, match=r"2 subs in public\.orders\.sub"):
        staging.remap(*BOTH)
