// Purpose: An event, as a list behind what it was found by.
// Columns: events.

collect([part.index, event.messageId, event.cookie, event.position, event.type, event.occurredAt, event.receivedAt, event.device, event.session, event.chat, event.detail]) AS events
