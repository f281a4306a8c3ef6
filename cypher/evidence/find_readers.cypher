// Purpose: Who touched a key after a place, up to and including the next that wrote it.
// Parameters: $named, a map: changed, maps of key and place.
// Columns: places.

UNWIND $named.changed AS row
CALL (row) {
  OPTIONAL MATCH (writer:Touch)
    USING INDEX writer:Touch(key, wrote, place)
  WHERE writer.key = row.key AND writer.wrote = true AND writer.place > row.place
  RETURN writer.place AS until ORDER BY writer.key, writer.wrote, writer.place LIMIT 1
}
CALL (row, until) {
  OPTIONAL MATCH (reader:Touch)
    USING INDEX reader:Touch(key, wrote, place)
  WHERE reader.key = row.key AND reader.wrote = false AND reader.place > row.place
    AND reader.place < coalesce(until, ':')
  RETURN collect(reader.place) AS readers
}
UNWIND CASE WHEN until IS NULL THEN readers ELSE readers + until END AS place
RETURN collect(DISTINCT place) AS places
