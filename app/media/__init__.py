"""Images, recordings and videos made into arrays, by processes that may crash.

    judge ─► decoder ─► process ══ socket ══► child ─► pictures | sound | footage

What decodes is C code fed with strangers' bytes. It runs in children with limits on memory, time
and files; the file to read is handed to them open. A child that crashes, hangs or takes too much
costs its file an `UnreadableMedia`, and is replaced.
"""
