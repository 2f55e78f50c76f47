"""The `rmq` command: one file a noun, `app` puts them together.

Rules: nothing here is imported by the library; each command imports what it runs inside its body, so that
`rmq up` pays for no more than it uses; results go to standard output, everything else to standard error.
"""
