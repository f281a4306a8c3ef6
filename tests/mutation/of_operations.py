"""How operations, and the books that the fold keeps, are broken."""

from __future__ import annotations

from tests.mutation.edits import Mutation

OPERATIONS = (
    Mutation(
        "operations",
        'if view.find("withdrawn", operation.id) is not None:',
        "if False:",
        "what was taken back does nothing",
    ),
    Mutation(
        "operations",
        "cleared=(*contact.cleared, *both_ways)",
        "cleared=contact.cleared",
        "merge clears what was judged before",
    ),
    Mutation(
        "operations",
        "(*overruled, *self.separations.between(other, someone))",
        "overruled",
        "merge clears it both ways",
    ),
    Mutation(
        "operations",
        "            if apart.recorded_at >= self.evidence.recorded_at",
        "            if False",
        "merge is bound by what was judged after",
    ),
    Mutation(
        "operations",
        "in_common=True,  # the operator says so",
        "in_common=False,",
        "merge is bound by unique types only",
    ),
    Mutation(
        "operations", "        if joined or visitors:\n", "        if False:\n", "merge vouches"
    ),
    Mutation(
        "operations",
        "if hold.link.recorded_at <= self.evidence.recorded_at",
        "if True",
        "an operator vouches for what was known",
    ),
    Mutation(
        "operations",
        "visitor = _on_its_own(visitor)",
        "pass",
        "merge gives a part that was severed away on its own",
    ),
    Mutation(
        "operations",
        "reach=visitor.started_at or 0",
        "reach=self.evidence.at",
        "merge gives all that the visitor did",
    ),
    Mutation(
        "operations",
        "if visitor.owner is not None or (visitor.link is None and begins_before_reach(visitor)):",
        "if False:",
        "the unclaimed part becomes a visitor of its own",
    ),
    Mutation(
        "operations",
        "            elif visitor is None:\n                self.void",
        "            elif False:\n                self.void",
        "merge of who is no more is void",
    ),
    Mutation("operations", "and not self.void:", "and True:", "a void merge decides no review"),
    Mutation(
        "operations",
        "or self.people.of(visitor.owner) not in self.taken_from:",
        "or False:",
        "sever takes from that person only",
    ),
    Mutation(
        "operations", "max(seen, start_of(since))", "max(seen, visitor.start)", "sever from then on"
    ),
    Mutation(
        "operations",
        "return max(seen, visitor.start)",
        "return visitor.start",
        "sever begins with what was seen",
    ),
    Mutation(
        "operations",
        "if end is not None and (visitor.end is None or end < visitor.end):",
        "if False:",
        "sever ends with what was seen",
    ),
    Mutation(
        "operations",
        "self._close(masked) if masked.end is None else",
        "masked if masked.end is None else",
        "sever ends the open visitor",
    ),
    Mutation(
        "operations",
        "            visitor = following\n",
        "            break\n",
        "sever masks what late evidence parted",
    ),
    Mutation("operations", "max(moment, link.reach or 0)", "moment", "a cut claims nothing back"),
    Mutation("operations", "curated=True", "curated=False", "promote"),
    Mutation(
        "anchors",
        "holder = None if anchor.named_for is None else self._people.holding(anchor.named_for)",
        "holder = None",
        "an anchor means the holder of its name",
    ),
    Mutation(
        "anchors",
        "            return visitor.owner, None\n        # Whose",
        "            return None, None\n        # Whose",
        "then where its evidence ended up",
    ),
    Mutation(
        "anchors",
        "return None, None if visitor.is_forgotten else visitor",
        "return None, visitor",
        "whose evidence is erased is nobody",
    ),
    Mutation(
        "erasure",
        "    given = erased.given(merge)\n",
        "    given = ()\n",
        "whom a merge gave a visitor leaves a vacancy",
    ),
    Mutation(
        "vacancy",
        "since = max(visitor.started_at or 0, reach)",
        "since = visitor.started_at or 0",
        "what was before the reach was not theirs",
    ),
)

JUDGEMENTS = (
    Mutation(
        "judgements",
        'elif view.find("withdrawn", judgement.id) is not None:',
        "elif False:",
        "restore takes back judgements",
    ),
    Mutation(
        "judgements",
        "        _withdraw(view, judgement)\n        _keep_apart",
        "        _keep_apart",
        "unmerge takes the merge back",
    ),
    Mutation(
        "judgements",
        "undoes=bool(judgement.withdraws)",
        "undoes=False",
        "a merge and its unmerge leave what was",
    ),
    Mutation(
        "judgements",
        "if judgement.review is not None:",
        "if False:",
        "a rejected review stays rejected",
    ),
    Mutation("admission", "judged is not None and judged.blocked_by", "False", "block"),
    Mutation(
        "admission", "recorded_at <= bar.until", "False", "erase bars what was recorded before"
    ),
    Mutation("fold", "if id not in erased", "if True", "erase withdraws evidence"),
    Mutation(
        "resolution",
        "if by_rule is None and not apart:",
        "if by_rule is None:",
        "who was judged apart is not joined",
    ),
    Mutation(
        "resolution",
        "        if apart:\n            self.review(",
        "        if False:\n            self.review(",
        "an identifier that was severed is not held again",
    ),
    Mutation(
        "apart",
        "return someone is None or party.identifier in someone.contacts[party.contact].holds",
        "return someone is not None",
        "an identifier stands for its contact",
    ),
    Mutation(
        "apart",
        "return someone is None or party.identifier in someone.contacts[party.contact].holds",
        "return True",
        "unless that exists without it",
    ),
    Mutation(
        "apart",
        "apart in contact.cleared",
        "apart.by in {other.by for other in contact.cleared}",
        "merge clears this pair only",
    ),
)

BOOKKEEPING = (
    Mutation(
        "people",
        "met_as = [name for name, met in self._met.items() if met is other]",
        "met_as = other.names",
        "whoever was met by any contact is joined",
    ),
    Mutation("people", "if alias != name:", "if False:", "every id ever given out resolves"),
)

MUTATIONS = (
    *OPERATIONS,
    *JUDGEMENTS,
    *BOOKKEEPING,
)
