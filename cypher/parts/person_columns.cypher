// Purpose: A person, with their contacts and the ids that were merged into theirs.

person {
  .id,
  contacts: [(person)<-[:BELONGS_TO]-(contact:Contact) |
    // Include: parts/contact_columns
  ],
  merged: [(person)<-[:MERGED_INTO*1..100]-(former:Person) | former.id]
} AS person
