"""The PostgreSQL and Valkey that `bin/*` start when no address is given, and how they are run.

Starts processes and knows addresses; knows nothing of schools. No module here needs Django to be imported.
"""
