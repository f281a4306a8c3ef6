// Purpose: Append events to their cookies, in the order given, each into the session that it continues or begins; an event whose message id is known changes nothing and is answered as it was stored.
// Parameters: $batch, a map: events, as service.recording makes them; timeout, the session timeout in microseconds.
// Columns: known.

UNWIND $batch.events AS row
CALL (row) {
  MERGE (cookie:Cookie {id: row.cookie})
    ON CREATE SET cookie.firstSeenAt = row.at
  SET cookie.lastSeenAt = CASE WHEN cookie.lastSeenAt > row.at THEN cookie.lastSeenAt ELSE row.at END
  WITH row, cookie
  OPTIONAL MATCH (stored:Event {messageId: row.messageId})
  RETURN cookie, stored
}
CALL (row, cookie, stored) {
  WITH row, cookie, stored
  WHERE stored IS NULL
  CALL (row) {
    OPTIONAL MATCH (session:Session)
      USING INDEX session:Session(cookie, startedAt)
    WHERE session.cookie = row.cookie AND session.startedAt <= row.at + $batch.timeout
    WITH session ORDER BY session.cookie DESC, session.startedAt DESC LIMIT 1
    RETURN CASE WHEN session.lastActivityAt >= row.at - $batch.timeout THEN session.id END AS continued
  }
  MERGE (session:Session {id: coalesce(continued, row.newSession)})
    ON CREATE SET session.cookie = row.cookie, session.startedAt = row.at, session.lastActivityAt = row.at
    ON MATCH SET session.startedAt = CASE WHEN session.startedAt > row.at THEN row.at ELSE session.startedAt END,
                 session.lastActivityAt = CASE WHEN session.lastActivityAt < row.at THEN row.at ELSE session.lastActivityAt END
  CREATE (event:Event)-[:IN_SESSION]->(session)
  SET event = row.event, event.session = session.id
  // Somebody watches the cookie: its lines get numbers, and are told of (docs/graph.md).
  FOREACH (now IN CASE WHEN cookie.watchedUntil IS NULL THEN [] ELSE [datetime.realtime()] END |
    SET event.waiting = CASE WHEN cookie.watchedUntil > now.epochMillis THEN now.epochSeconds * 1000000 + now.microsecond END
  )
  SET cookie.firstSeenAt = CASE WHEN cookie.firstSeenAt < row.at THEN cookie.firstSeenAt ELSE row.at END
  FOREACH (_ IN CASE WHEN continued IS NULL THEN [1] ELSE [] END |
    MERGE (session)-[:ON_COOKIE]->(cookie)
    MERGE (visitor:Visitor {id: row.birth})
      ON CREATE SET visitor.cookie = row.cookie, visitor.opening = 'birth', visitor.start = ''
    MERGE (visitor)-[:OF_COOKIE]->(cookie)
  )
  FOREACH (id IN row.devices |
    MERGE (device:Device {id: id})
      ON CREATE SET device.firstSeenAt = row.at, device.lastSeenAt = row.at
      ON MATCH SET device.firstSeenAt = CASE WHEN device.firstSeenAt > row.at THEN row.at ELSE device.firstSeenAt END,
                   device.lastSeenAt = CASE WHEN device.lastSeenAt < row.at THEN row.at ELSE device.lastSeenAt END
    MERGE (cookie)-[on:ON_DEVICE]->(device)
      ON CREATE SET on.device = id, on.known = coalesce(cookie.known, false), on.usedAt = row.at
    // It sorts the cookies of a device, so it need not be exact: an event is not to move it each time.
    FOREACH (_ IN CASE WHEN row.at > on.usedAt + $batch.timeout THEN [1] ELSE [] END | SET on.usedAt = row.at)
  )
  FOREACH (started IN row.chatStarts |
    MERGE (chat:Chat {id: started.id})
      ON CREATE SET chat = started, chat.session = session.id
    MERGE (chat)-[:IN_SESSION]->(session)
    SET cookie.lastChatAt = CASE WHEN cookie.lastChatAt > row.at THEN cookie.lastChatAt ELSE row.at END
  )
  WITH row
  CALL (row) {
    UNWIND row.chatChanges AS change
    MATCH (chat:Chat {id: change.id})
    SET chat.endedAt = CASE WHEN chat.endedAt < coalesce(change.endedAt, chat.endedAt) THEN chat.endedAt ELSE coalesce(change.endedAt, chat.endedAt) END
    FOREACH (badge IN change.badges | SET chat += badge)
  }
}
WITH stored
WHERE stored IS NOT NULL
RETURN collect(stored {.messageId, .cookie, .position, .occurredAt, .receivedAt, .digest, .chat, .type}) AS known
