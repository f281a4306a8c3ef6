// Purpose: Of each key, the last version that was written before a place.
// Parameters: $named, a map: asked, maps of key and place.
// Columns: versions.

UNWIND $named.asked AS row
CALL (row) {
  MATCH (touch:Touch)
    USING INDEX touch:Touch(key, wrote, place)
  WHERE touch.key = row.key AND touch.wrote = true AND touch.place < row.place
  RETURN touch ORDER BY touch.key DESC, touch.wrote DESC, touch.place DESC LIMIT 1
}
RETURN collect([row.key, row.place, touch.place, touch.value]) AS versions
