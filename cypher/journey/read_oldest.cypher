// Purpose: The oldest events of parts of visitors, for each one list over all its parts. Each part is one range of an index, read no further than the page.
// Parameters: $pages, each with key, slices (index, cookie, low and high: places, received: by when, or null), types (to keep only these; empty: all), kinds (null, or the same types, where all of them are kinds) and session (to keep only this one's, or null); $limit, how many of each.
// Columns: key, events.

UNWIND $pages AS page
CALL (page) {
  UNWIND page.slices AS part
  CALL (page, part) {
    // Include: parts/oldest_events
  }
  WITH part, event ORDER BY event.position ASC LIMIT $limit
  RETURN
  // Include: parts/event_columns
}
RETURN page.key AS key, events
