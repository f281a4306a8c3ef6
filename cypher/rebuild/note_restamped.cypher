// Purpose: Note that evidence was restamped, for whoever compares the graph with its evidence meanwhile.
// Parameters: none.
// Columns: none.
// Plan: offline

MATCH (installation:Installation {name: 'graphid'})
SET installation.restamped = coalesce(installation.restamped, 0) + 1
FINISH
