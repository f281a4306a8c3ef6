// Purpose: A page of all touches, by key, readers before writers, place.
// Parameters: $named, a map: key, wrote, place, of the touch that the page follows; size, of the page.
// Columns: rows.
// Plan: offline

CALL () {
  MATCH (touch:Touch)
    USING INDEX touch:Touch(key, wrote, place)
  WHERE touch.key = $named.key AND touch.wrote = $named.wrote AND touch.place > $named.place
  RETURN touch ORDER BY touch.key, touch.wrote, touch.place LIMIT $named.size
  UNION ALL
  MATCH (touch:Touch)
    USING INDEX touch:Touch(key, wrote, place)
  WHERE touch.key = $named.key AND touch.wrote = ($named.wrote = false) AND touch.place > '' AND $named.wrote = false
  RETURN touch ORDER BY touch.key, touch.wrote, touch.place LIMIT $named.size
  UNION ALL
  MATCH (touch:Touch)
    USING INDEX touch:Touch(key, wrote, place)
  WHERE touch.key > $named.key AND touch.wrote IS NOT NULL AND touch.place IS NOT NULL
  RETURN touch ORDER BY touch.key, touch.wrote, touch.place LIMIT $named.size
}
WITH touch ORDER BY touch.key, touch.wrote, touch.place LIMIT $named.size
RETURN collect([touch.key, touch.wrote, touch.place, touch.value]) AS rows
