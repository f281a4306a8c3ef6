"""Two days of a customer, played against the running service by clients that we did not write.

story       what happens, as a script
stage       who acts in it: browsers (Segment's SDK, GraphQL), the CRM, the agent
reading     the one GraphQL query that the story is read back with
telling     journeys as an agent would read them, for a terminal
play        the whole of it, in a process that serves meanwhile
"""
