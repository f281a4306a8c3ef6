// Purpose: Whether anything waits for its number.
// Parameters: none.
// Columns: waiting.

RETURN EXISTS {
  MATCH (change:Change)
    USING INDEX change:Change(waiting)
  WHERE change.waiting > 0
} OR EXISTS {
  MATCH (event:Event)
    USING INDEX event:Event(waiting)
  WHERE event.waiting > 0
} AS waiting
