"""The one exception a user of the ledger meets: a sentence that says what is wrong and what to do."""


class LedgerError(ValueError):
    """A ledger, key file or genesis that cannot be used; `str(error)` is one sentence for the user."""
