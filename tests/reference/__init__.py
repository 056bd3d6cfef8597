"""Tangga's numbers, computed a second time and another way.

Plain Python and pandas, row by row, from the definitions in the design and from the raw files: nothing here looks at
how Tangga does it, so that an error is not made twice.
"""
