"""Tables: which table, field and row a byte of a dump or an export belongs to.

    layout   a stream of text and the places in it     sniff    which dialect a text is
    sql      dumps: COPY blocks and INSERT statements  census   rows, samples and DDL, in passing

Places are worked out from positions, for what was found only. A dialect is a pure function of
its state and of the bytes that follow: wherever a text is cut, each byte has the same place.
"""
