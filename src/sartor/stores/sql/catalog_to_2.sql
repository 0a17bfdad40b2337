-- Version 2: loops have more settings; the tables are the same.

PRAGMA user_version = 2;
