// Purpose: Whether a visitor did anything of the kinds that a page wants; a page of no kinds in particular wants all.
// Columns: none.

(page.kinds IS NULL OR EXISTS {
  MATCH (event:Event)
    USING INDEX SEEK event:Event(cookie, kind, position)
  WHERE event.cookie = visitor.cookie AND event.kind IN page.kinds
    AND event.position >= visitor.start AND event.position < coalesce(visitor.end, ':')
})
