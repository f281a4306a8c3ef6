"""The neighbourhood of a person, a device or what joins them, as fraud and operations teams see it.

records    nodes, what joins them, and what comes of it
reading    what is around nodes, read in bulk
walking    which nodes are taken, fairly, and what is left out
drawing    edges: what joins two nodes, all together
signals    what is worth a human's look, each a function of what was read
clusters   the use case
"""
