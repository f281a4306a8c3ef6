// Purpose: Visitors of people, those first that something can have happened of last: an event, or the beginning of a chat. What can have happened of the rest is no later than rest.
// Parameters: $people, each with key, person (an id, or null), visitor (of an anonymous person, or null), untilAt (a time) and chats (whether it is chats that matter); $visitors, how many of each.
// Columns: key, rest, visitor, owners, seenFrom, seenTo, device.

UNWIND $people AS wanted
CALL (wanted) {
  CALL (wanted) {
    MATCH (:Person {id: wanted.person})<-[:BELONGS_TO]-(:Contact)<-[standing:IDENTIFIED_AS]-(visitor:Visitor)
    WHERE standing.state <> 'SEVERED'
    RETURN visitor
    UNION ALL
    MATCH (visitor:Visitor {id: wanted.visitor})
    WHERE visitor.start IS NOT NULL
    RETURN visitor
  }
  MATCH (visitor)-[:OF_COOKIE]->(used:Cookie)
  WITH wanted, visitor, used, CASE WHEN wanted.chats THEN used.lastChatAt ELSE used.lastSeenAt END AS last
  WITH wanted, visitor, CASE WHEN visitor.endedAt < last THEN visitor.endedAt ELSE last END AS over,
    CASE WHEN visitor.startedAt > used.firstSeenAt THEN visitor.startedAt ELSE used.firstSeenAt END AS began
  WHERE over >= 0 AND (wanted.chats OR began <= wanted.untilAt)
  WITH visitor, CASE WHEN over > wanted.untilAt THEN wanted.untilAt ELSE over END AS bound
  ORDER BY bound DESC LIMIT $visitors + 1
  RETURN collect([visitor, bound]) AS nearest
}
UNWIND nearest[..$visitors] AS one
WITH wanted.key AS key, nearest[$visitors][1] AS rest, one[0] AS visitor
RETURN key, rest,
  // Include: parts/visitor_columns
