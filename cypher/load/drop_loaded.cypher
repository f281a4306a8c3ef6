// Purpose: Forget that a graph was made of files, once it holds all that it is to hold.
// Parameters: none.
// Columns: none.
// Plan: offline

MATCH (loaded:Loaded)
DELETE loaded
