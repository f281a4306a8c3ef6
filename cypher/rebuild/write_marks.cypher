// Purpose: Mark events anew, or no more where they are evidence now; a repetition of which no mark is left goes.
// Parameters: $marks, each with id (of the message), repetition and said, or null; $former, ids of the repetitions that they were of.
// Columns: none.
// Plan: offline

CALL () {
  UNWIND $marks AS row
  MATCH (event:Event {messageId: row.id})
  SET event.repetition = row.repetition, event.said = row.said
}
CALL () {
  UNWIND $former AS id
  MATCH (repetition:Repetition {id: id})
  WHERE NOT EXISTS {
    MATCH (event:Event)
    WHERE event.cookie = repetition.cookie AND event.position > '' AND event.repetition = id
  }
  DELETE repetition
}
FINISH
