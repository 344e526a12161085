"""Sizes that no message may pass (law, Messages). They are checked before anything is allocated or parsed."""

FRAME_BYTES = 1 << 20  # one message between two processes, and the transactions of one block
BLOCK_BYTES = 1 << 20
TRANSACTION_BYTES = 72 << 10
PROMPT_BYTES = 16 << 10
ANSWER_BYTES = 64 << 10
CHAIN_ID_BYTES = 64
PENDING_PER_KEY = 64  # transactions of one key that may wait for a block
MEMPOOL_BYTES = 16 << 20
EVIDENCE_IDS = 16  # knowledge-base records that one verdict may name
TRUTHS = 16  # answer texts that a canary's or an audit's truth may list
SEATS = 1024  # of one role in one task; bounds the verdicts of one reveal
INTEGER_MAX = (1 << 62) - 1  # what an int64 array can hold with room to add
