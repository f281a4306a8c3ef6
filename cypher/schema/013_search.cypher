// Purpose: Find people by the words of their names and identifiers, and by an identifier of any type. The words are indexed a moment after they are written, so that no identify waits for that; what is there already gets its words by graphid verify --repair.
// Parameters: none.
// Columns: none.

CREATE INDEX identifier_value IF NOT EXISTS FOR (n:Identifier) ON (n.value);
CREATE FULLTEXT INDEX people_words IF NOT EXISTS FOR (n:Contact|Identifier) ON EACH [n.names, n.words]
OPTIONS {indexConfig: {`fulltext.analyzer`: 'whitespace', `fulltext.eventually_consistent`: true}};
