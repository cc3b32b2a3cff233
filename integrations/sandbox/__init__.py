"""The pretended vendors: DrChrono, Klara and the Surescripts network, each an HTTP service of its own.

It validates what it is sent as the vendor would, keeps a journal as the oracle of tests, and misbehaves on command.
It imports only itself and the standard library, and nothing of ours may import it.
"""
