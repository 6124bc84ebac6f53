"""What storage may fail with."""


class DatabaseError(Exception):
    """The database can't be opened. The message is for whoever operates the server."""
