// Purpose: The oldest lines of people's journeys: events of the visitors that may hold them, joins and splits. Of many visitors those are looked at whose first event can lie earliest; what one of the rest may hold is no earlier than rest.
// Parameters: $pages, each with key, person (an id, or null), visitor (of an anonymous person, or null), low and high (places), sinceAt and untilAt (times of the same), types (to keep only these; empty: all), kinds (null, or the same types, where all of them are kinds), joins (which types of joins and splits), newest (false) and session (null); $visitors, how many of each person's, of which $first at first; $limit, how many lines of each; $operation, what the id of an operation ends with.
// Columns: key, stands, events, visitors, joins, rest.

UNWIND $pages AS page
CALL (page) {
  CALL (page) {
    MATCH (:Person {id: page.person})<-[:BELONGS_TO]-(:Contact)<-[standing:IDENTIFIED_AS]-(visitor)
    WHERE standing.state <> 'SEVERED'
    RETURN visitor, standing
    UNION ALL
    MATCH (visitor:Visitor {id: page.visitor})
    WHERE visitor.start IS NOT NULL
    RETURN visitor, NULL AS standing
  }
  MATCH (visitor)-[:OF_COOKIE]->(cookie)
  WITH page, visitor, standing, cookie,
    CASE WHEN visitor.startedAt > cookie.firstSeenAt THEN visitor.startedAt ELSE cookie.firstSeenAt END AS began
  WHERE began <= page.untilAt
    AND (page.low = '' OR (cookie.lastSeenAt >= page.sinceAt AND coalesce(visitor.endedAt, page.sinceAt) >= page.sinceAt))
    AND
    // Include: parts/has_kinds
  WITH page, visitor, standing, CASE WHEN began < page.sinceAt THEN page.sinceAt ELSE began END AS bound
  ORDER BY bound ASC LIMIT $visitors + 1
  WITH bound, page, visitor, right('000000000000000' + toString(standing.reach), 16) AS reached
  WITH bound, page, visitor, CASE WHEN visitor.start < reached THEN reached ELSE visitor.start END AS start
  ORDER BY bound ASC
  RETURN collect({
    bound: bound, index: visitor.id, cookie: visitor.cookie,
    low: CASE WHEN start < page.low THEN page.low ELSE start END,
    high: CASE WHEN visitor.end < page.high THEN visitor.end ELSE page.high END
  }) AS nearest
}
// Of many visitors a few mostly hold the page: of the rest only what comes before its end is read.
CALL (page, nearest) {
  UNWIND nearest[..$first] AS part
  CALL (page, part) {
    // Include: parts/oldest_events
  }
  WITH part, event ORDER BY event.position ASC LIMIT $limit
  RETURN
  // Include: parts/event_columns
}
WITH page, nearest, events AS near, CASE WHEN size(events) = $limit THEN events[-1][3] ELSE ':' END AS edge
CALL (page, nearest, edge) {
  UNWIND [one IN nearest[$first..$visitors] WHERE one.low < edge] AS one
  WITH page, {index: one.index, cookie: one.cookie, low: one.low, high: CASE WHEN one.high > edge THEN edge ELSE one.high END} AS part
  CALL (page, part) {
    // Include: parts/oldest_events
  }
  WITH part, event ORDER BY event.position ASC LIMIT $limit
  RETURN
  // Include: parts/event_columns
}
CALL (near, events) {
  UNWIND near + events AS event
  WITH event ORDER BY event[3] ASC LIMIT $limit
  RETURN collect(event) AS both
}
WITH page, nearest, both AS events
CALL (events) {
  UNWIND events AS event
  WITH DISTINCT event[0] AS id
  MATCH (visitor:Visitor {id: id})
  WHERE visitor.start IS NOT NULL
  WITH id,
  // Include: parts/visitor_columns
  RETURN collect({visitor: visitor, owners: owners, seenFrom: seenFrom, seenTo: seenTo, device: device}) AS visitors
}
WITH page, nearest, events, visitors, page.sinceAt AS least, CASE WHEN size(events) = $limit THEN events[-1][5] ELSE page.untilAt END AS most
CALL (page, least, most) {
  // Include: parts/join_lines
}
RETURN page.key AS key,
  EXISTS { (:Person {id: page.person})<-[:BELONGS_TO]-(:Contact) } OR EXISTS { (:Visitor {id: page.visitor}) } AS stands,
  events, visitors, joins, nearest[$visitors].bound AS rest
