// Purpose: A chat as it was by then: whether it had begun, the first end, as the present keeps it, and the last badge that had come.
// Columns: chat, endedAt, badge.

MATCH (begun:Event)
WHERE begun.chat = chat.id AND begun.position = chat.position AND begun.position < $horizon.place
  AND ($horizon.received IS NULL OR begun.receivedAt <= $horizon.received)
WITH chat LIMIT 1
RETURN head(COLLECT {
    MATCH (event:Event)
    WHERE chat.endedAt IS NOT NULL AND event.chat = chat.id AND event.position < $horizon.place
      AND event.type = 'CHAT_END'
      AND ($horizon.received IS NULL OR event.receivedAt <= $horizon.received)
    RETURN event.occurredAt ORDER BY event.occurredAt LIMIT 1
  }) AS endedAt,
  head(COLLECT {
    MATCH (event:Event)
    WHERE chat.vouchedFor IS NOT NULL AND event.chat = chat.id AND event.position < $horizon.place
      AND event.type = 'CHAT_AUTHENTICATED'
      AND ($horizon.received IS NULL OR event.receivedAt <= $horizon.received)
    RETURN [event.position, event.occurredAt, event.detail]
    ORDER BY event.receivedAt DESC, event.position DESC LIMIT 1
  }) AS badge
