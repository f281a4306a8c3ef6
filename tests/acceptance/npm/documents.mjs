// What the clients ask: text that each of them reads with its own gql.

export const JOURNEY = `
  query Journey($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
    person(id: $id) {
      id
      kind
      journey(first: $first, after: $after, last: $last, before: $before) {
        edges { cursor node { id type attribution { basis } } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }
  }
`;

export const PAGE = `
  mutation Page($input: PageInput!) {
    page(input: $input) {
      __typename
      ... on EventAccepted { duplicate event { id messageId } warnings { code } }
      ... on Problem { code message }
      ... on InvalidInput { path }
    }
  }
`;

export const lines = (journey) => journey.edges.map((edge) => edge.node.id);
