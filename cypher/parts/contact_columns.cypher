// Purpose: A contact, with what it holds.

contact {
  .id, .source, .sourceId, .isRecord, .state, .made, .madeAt, .traits,
  identifiers: [(contact)-[hold:HAS_IDENTIFIER]->(identifier:Identifier) WHERE hold.state = 'ACTIVE' |
    identifier {.id, .type, .value, assurance: hold.assurance, at: hold.at}]
}
