// Purpose: Named touches of the fold's keys.
// Parameters: $asked, maps of key and place.
// Columns: rows.
// Plan: offline

UNWIND $asked AS row
MATCH (touch:Touch)
  USING INDEX touch:Touch(key, wrote, place)
WHERE touch.key = row.key AND touch.wrote IN [true, false] AND touch.place = row.place
RETURN collect([touch.key, touch.wrote, touch.place, touch.value]) AS rows
