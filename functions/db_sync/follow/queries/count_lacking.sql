-- How many people have a sub in production, and none in staging.
SELECT count(*) FROM {persons} s JOIN {users} t ON {same_key} WHERE {lacks_sub}
