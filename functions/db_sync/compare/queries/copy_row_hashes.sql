-- The hashes of rows, a line each.
COPY ({hashes}) TO STDOUT
