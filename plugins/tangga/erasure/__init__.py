"""A person's right to be forgotten, everywhere: docs/erasure.md.

asked (`requests`) -> found (`person`) -> approved -> kept out from now on (`tombstones`) -> removed from every place
(`removal`), and from the tools (`tools`) -> certified (`certificate`)
"""
