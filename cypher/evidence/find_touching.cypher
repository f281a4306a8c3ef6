// Purpose: Whoever touched one of these keys, ever.
// Parameters: $named, a map: keys, what was touched.
// Columns: places.

UNWIND $named.keys AS key
MATCH (touch:Touch)
  USING INDEX touch:Touch(key, wrote, place)
WHERE touch.key = key AND touch.wrote IN [true, false] AND touch.place > ''
RETURN collect(DISTINCT touch.place) AS places
