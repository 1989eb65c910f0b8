-- Production's users: what tells each of them, and the sub.
CREATE TEMPORARY TABLE {persons} ON COMMIT DROP AS SELECT {columns} FROM {users} WITH NO DATA
