// Purpose: All links that are stored, to tell which ones a re-fold changes.
// Parameters: none.
// Columns: links.
// Plan: offline

MATCH ()-[link:IDENTIFIED_AS|HAS_IDENTIFIER|SAME_AS]->()
RETURN collect(properties(link)) AS links
