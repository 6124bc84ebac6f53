"""Every request to an address that a user chose: media to fetch, webhooks to deliver.

The rule that all modules here serve: a name is resolved once per attempt, every address of the
answer is judged, and the connection is made to one of the judged addresses and to no other. TLS
and the Host header still go by the name. Nothing else of ours opens a connection to such an
address.
"""
