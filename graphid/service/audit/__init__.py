"""Who did what to whose data, when, and from where: kept in the graph, apart from the logs.

It holds ids and never a value of anybody's, so there is nothing in it to erase.
"""
