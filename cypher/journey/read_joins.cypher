// Purpose: The joins and splits of people, in the order of reading.
// Parameters: $pages, as journey/open_newest has them; $limit, how many of each; $operation, what the id of an operation ends with.
// Columns: key, joins.

UNWIND $pages AS page
WITH page, page.sinceAt AS least, page.untilAt AS most
CALL (page, least, most) {
  // Include: parts/join_lines
}
RETURN page.key AS key, joins
