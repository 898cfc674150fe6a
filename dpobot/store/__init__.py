"""The database: tables, transactions, one module for each family of tables. The only room with SQL in it."""
