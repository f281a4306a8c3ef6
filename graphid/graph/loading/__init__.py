"""The first load: a whole history is written as files, which become a store at once.

tables   the files, a kind of node or relationship each, as ``neo4j-admin`` reads them
folding  evidence, folded in memory: who is who, and the fold's memory, as rows
store    the new store of a local engine, which takes the place of the old one at the end
"""
