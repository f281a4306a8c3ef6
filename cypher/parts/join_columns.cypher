// Purpose: A link that is a join or a split, with whose its ends are now.
// Columns: row.

{link: link {.*}, kind: type(link), from: source.id, to: target.id, type: target.type, value: target.value,
  cookie: source.cookie, made: made, undone: undone, undoneAs: undoneAs, at: at,
  fromPerson: coalesce(
    head([(source)-[:BELONGS_TO]->(person:Person) | person.id]),
    head([(source)-[standing:IDENTIFIED_AS]->(:Contact)-[:BELONGS_TO]->(person:Person) WHERE standing.state <> 'SEVERED' | person.id])),
  toPerson: head([(target)-[:BELONGS_TO]->(person:Person) | person.id])} AS row
