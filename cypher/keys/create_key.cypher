// Purpose: Keep a new key; a commit whose outcome was lost is made good by doing it again.
// Parameters: $key, its properties; nothing in them opens it.
// Columns: none.

MERGE (key:AccessKey {id: $key.id})
  ON CREATE SET key = $key
