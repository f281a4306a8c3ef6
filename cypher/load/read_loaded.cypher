// Purpose: What a graph that was made of files holds for whoever starts on it first: how many migrations of the schema its nodes are made by, and what else it is to hold.
// Parameters: none.
// Columns: migrations, settings.
// Plan: offline

MATCH (loaded:Loaded)
RETURN loaded.migrations AS migrations, loaded.settings AS settings
ORDER BY loaded.number
