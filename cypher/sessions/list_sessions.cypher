// Purpose: The newest sessions of what people own, each cut to its visitor; a session belongs to whom its last event there belongs to.
// Parameters: $pages, each with key, slices, beforeAt and beforeId (the session that the page follows); a slice has index, cookie, low and high (places owned), from and to (places of the visitor), lowAt and highAt (times), received (by when, or null); $limit, how many of each.
// Columns: key, sessions.

UNWIND $pages AS page
CALL (page) {
  UNWIND page.slices AS part
  CALL (page, part) {
    CALL (page, part) {
      MATCH (session:Session)
      WHERE session.cookie = part.cookie
        AND session.startedAt >= part.lowAt AND session.startedAt < part.highAt
        AND session.startedAt <= page.beforeAt
        AND (part.received IS NULL OR EXISTS {
          MATCH (event:Event)
          WHERE event.cookie = part.cookie AND event.position >= part.from AND event.position < part.to
            AND event.position >= right('000000000000000' + toString(session.startedAt), 16)
            AND event.position < right('000000000000000' + toString(session.lastActivityAt + 1), 16)
            AND event.session = session.id AND event.receivedAt <= part.received
        })
      RETURN session ORDER BY session.cookie DESC, session.startedAt DESC LIMIT $limit + 2
      UNION
      MATCH (session:Session)
      WHERE session.cookie = part.cookie AND session.startedAt < part.lowAt
        AND (part.received IS NULL OR EXISTS {
          MATCH (event:Event)
          WHERE event.cookie = part.cookie AND event.position >= part.from AND event.position < part.to
            AND event.position >= right('000000000000000' + toString(session.startedAt), 16)
            AND event.position < right('000000000000000' + toString(session.lastActivityAt + 1), 16)
            AND event.session = session.id AND event.receivedAt <= part.received
        })
      WITH part, session ORDER BY session.cookie DESC, session.startedAt DESC LIMIT 2
      WITH part, session WHERE session.lastActivityAt >= part.lowAt
      RETURN session
    }
    CALL (part, session) {
      MATCH (event:Event)
      WHERE event.cookie = part.cookie AND event.position >= part.from AND event.position < part.to
        AND event.position >= right('000000000000000' + toString(session.startedAt), 16)
        AND event.session = session.id
        AND (part.received IS NULL OR event.receivedAt <= part.received)
      RETURN event.occurredAt AS firstAt ORDER BY event.cookie, event.position LIMIT 1
    }
    CALL (part, session) {
      MATCH (event:Event)
      WHERE event.cookie = part.cookie AND event.position >= part.from AND event.position < part.to
        AND event.position < right('000000000000000' + toString(session.lastActivityAt + 1), 16)
        AND event.session = session.id
        AND (part.received IS NULL OR event.receivedAt <= part.received)
      RETURN event.occurredAt AS lastAt, event.position AS lastPosition
      ORDER BY event.cookie DESC, event.position DESC LIMIT 1
    }
    WITH part, session, firstAt, lastAt, lastPosition
    WHERE lastPosition >= part.low AND lastPosition < part.high
    RETURN session.id AS id, firstAt, lastAt, lastPosition
  }
  WITH page, part, id, firstAt, lastAt, lastPosition
  WHERE firstAt < page.beforeAt OR (firstAt = page.beforeAt AND id < page.beforeId)
  WITH part, id, firstAt, lastAt, lastPosition
  ORDER BY firstAt DESC, id DESC LIMIT $limit
  RETURN collect([part.index, id, firstAt, lastAt, lastPosition]) AS sessions
}
RETURN page.key AS key, sessions
