// Purpose: People who are somebody now, each with their contacts, and what they used, the latest uses.
// Parameters: $named, a map: ids, of people; most, how many contacts and uses of each are looked at; few, how many devices of a cookie.
// Columns: people.

UNWIND $named.ids AS id
MATCH (person:Person {id: id})
  // Include: parts/person_around
