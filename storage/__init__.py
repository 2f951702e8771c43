"""Durable state: content-addressed bytes (`blobs`), rows (`metadata`) and the oracle over both (`check`).

Knows no HTTP, no tokens and no configuration. Vocabulary shared by every layer lives here too:
`digest`, `names`, `errors`, `clock`.
"""
