// Purpose: Append events that are not stored yet to their cookies, each run of them into the session that it continues or begins; then their devices, and what they say of their chats. Locks are taken in one order: cookies, sorted, then devices, sorted; before them, the chats that were there are locked.
// Parameters: $batch, a map, as graphid.service.batches makes it: cookies, each with its runs of events; devices, each with the cookies that used it; chatChanges.
// Columns: none.

CALL () {
  UNWIND $batch.cookies AS row
  MERGE (cookie:Cookie {id: row.id})
    ON CREATE SET cookie.firstSeenAt = row.first, cookie.lastSeenAt = row.last
    ON MATCH SET cookie.firstSeenAt = CASE WHEN cookie.firstSeenAt < row.first THEN cookie.firstSeenAt ELSE row.first END,
                 cookie.lastSeenAt = CASE WHEN cookie.lastSeenAt > row.last THEN cookie.lastSeenAt ELSE row.last END
  WITH row, cookie
  UNWIND row.runs AS run
  CALL (row, run) {
    OPTIONAL MATCH (session:Session)
      USING INDEX session:Session(cookie, startedAt)
    WHERE session.cookie = row.id AND session.startedAt <= run.end + run.timeout
    WITH session ORDER BY session.cookie DESC, session.startedAt DESC LIMIT 1
    RETURN CASE WHEN session.lastActivityAt >= run.start - run.timeout THEN session.id END AS continued
  }
  MERGE (session:Session {id: coalesce(continued, run.newSession)})
    ON CREATE SET session.cookie = row.id, session.startedAt = run.start, session.lastActivityAt = run.end
    ON MATCH SET session.startedAt = CASE WHEN session.startedAt > run.start THEN run.start ELSE session.startedAt END,
                 session.lastActivityAt = CASE WHEN session.lastActivityAt < run.end THEN run.end ELSE session.lastActivityAt END
  FOREACH (_ IN CASE WHEN continued IS NULL THEN [1] ELSE [] END |
    MERGE (session)-[:ON_COOKIE]->(cookie)
    MERGE (visitor:Visitor {id: row.birth})
      ON CREATE SET visitor.cookie = row.id, visitor.opening = 'birth', visitor.start = ''
    MERGE (visitor)-[:OF_COOKIE]->(cookie)
  )
  FOREACH (started IN run.chatStarts |
    // Not merged: whoever comes past the lock of chats/take_chats fails, is run again, and finds it, and whose it is.
    CREATE (chat:Chat)-[:IN_SESSION]->(session)
    SET chat = started, chat.session = session.id
    SET cookie.lastChatAt = CASE WHEN cookie.lastChatAt > started.startedAt THEN cookie.lastChatAt ELSE started.startedAt END
  )
  WITH cookie, session, run
  UNWIND run.events AS properties
  CREATE (event:Event)-[:IN_SESSION]->(session)
  SET event = properties, event.session = session.id
  // Somebody watches the cookie: its lines get numbers, and are told of (docs/graph.md).
  FOREACH (now IN CASE WHEN cookie.watchedUntil IS NULL THEN [] ELSE [datetime.realtime()] END |
    SET event.waiting = CASE WHEN cookie.watchedUntil > now.epochMillis THEN now.epochSeconds * 1000000 + now.microsecond END
  )
}
CALL () {
  UNWIND $batch.devices AS row
  MERGE (device:Device {id: row.id})
    ON CREATE SET device.firstSeenAt = row.first, device.lastSeenAt = row.last
    ON MATCH SET device.firstSeenAt = CASE WHEN device.firstSeenAt > row.first THEN row.first ELSE device.firstSeenAt END,
                 device.lastSeenAt = CASE WHEN device.lastSeenAt < row.last THEN row.last ELSE device.lastSeenAt END
  WITH row, device
  UNWIND row.uses AS use
  MATCH (cookie:Cookie {id: use.cookie})
  MERGE (cookie)-[on:ON_DEVICE]->(device)
    ON CREATE SET on.device = row.id, on.known = coalesce(cookie.known, false), on.usedAt = use.last
  // It sorts the cookies of a device, so it need not be exact: an event is not to move it each time.
  FOREACH (_ IN CASE WHEN use.last > on.usedAt + use.timeout THEN [1] ELSE [] END | SET on.usedAt = use.last)
}
CALL () {
  UNWIND $batch.chatChanges AS change
  MATCH (chat:Chat {id: change.id})
  SET chat.endedAt = CASE WHEN chat.endedAt < coalesce(change.endedAt, chat.endedAt) THEN chat.endedAt ELSE coalesce(change.endedAt, chat.endedAt) END
  FOREACH (badge IN change.badges | SET chat += badge)
}
