"""How identifies, logouts and contact upserts are broken."""

from __future__ import annotations

from tests.mutation.edits import Mutation

ORDER = (
    Mutation("values", 'LOGOUT = "1"', 'LOGOUT = "4"', "at one time, a logout comes first"),
    Mutation("values", "0 if withdraws else 1", "1 if withdraws else 0", "withdrawals come first"),
    Mutation("values", 'return f"!{', 'return f"~{', "judgements come before everything"),
    Mutation(
        "fold",
        "first.setdefault(piece.id, piece)",
        "first[piece.id] = piece",
        "of a message sent twice, the first",
    ),
    Mutation(
        "logout", "just_after(evidence.place)", "evidence.place", "a logout is still the visitor's"
    ),
)

IDENTIFY = (
    Mutation("admission", "and type in unique_types", "and False", "1: one value of a unique type"),
    Mutation(
        "admission",
        "sorted(admitted, key=policy.priority)",
        "list(admitted)",
        "2: in policy priority",
    ),
    Mutation(
        "resolution", "and not self.contradicts(someone, own_record)", "", "2: no contradiction"
    ),
    Mutation(
        "resolution",
        "and not (own_record and self.separations.from_contact(someone, own_record))",
        "",
        "2: no NOT_SAME_AS",
    ),
    Mutation(
        "resolution",
        "if someone.assurance_of(identifier) != Assurance.CLAIMED:\n            return True",
        "return True",
        "3: nobody follows what was only claimed",
    ),
    Mutation(
        "resolution",
        "if not someone.rests_on_claims_alone:",
        "if False:",
        "3: but of one who rests on claims alone",
    ),
    Mutation(
        "resolution",
        "return not self.has_authority or someone.was_claimed_with(self.identifiers)",
        "return True",
        "3: whose visitors claimed what is vouched for",
    ),
    Mutation(
        "people",
        "        return all(\n            not claims",
        "        return any(\n            not claims",
        "3: each of them",
    ),
    Mutation(
        "resolution",
        "        self.ask_about(taken, target)\n        self.take_over(taken)",
        "        self.take_over(taken)\n        self.ask_about(taken, target)",
        "3: of each pair one review, for whomever they are named",
    ),
    Mutation(
        "identify",
        "        self.ask_about(taken, made)\n",
        "",
        "3: also where there is no target yet",
    ),
    Mutation(
        "resolution",
        "            and self.outranks(identifier, someone, target)",
        "            and False",
        "3: authority outranks claims",
    ),
    Mutation(
        "resolution",
        "fits=not self.contradicts(other, distinguish=distinguishes(self.policy))",
        "fits=True",
        "5: nobody is joined whom the evidence contradicts",
    ),
    Mutation(
        "resolution",
        "fits=not self.contradicts(other, distinguish=distinguishes(self.policy))",
        "fits=not self.contradicts(other)",
        "5: by two e-mails only where the policy does not say MERGE",
    ),
    Mutation(
        "resolution",
        "return target is None or not self.separations",
        "return True or not self.separations",
        "3: but not against a judgement",
    ),
    Mutation(
        "identify",
        "            self._claim_nevertheless()",
        "            pass",
        "3: claims that attach nobody are claims",
    ),
    Mutation(
        "identify",
        "return former.claims if counted else None",
        "return None",
        "3: each visitor's claims are counted once",
    ),
    Mutation(
        "identify",
        "if any(self.contradicts(someone) for someone in self.holders()):",
        "if False:",
        "4: nothing is contradicted",
    ),
    Mutation(
        "identify",
        "if any(self.separations.from_identifier(own, i) for i in self.identifiers):",
        "if False:",
        "4: nor judged",
    ),
    Mutation(
        "identify",
        "if not common and self._has_unique(held) and",
        "if False and",
        "4: another unique one, nothing in common",
    ),
    Mutation(
        "identify",
        "            not self.has_authority\n            or (self",
        "            True\n            or (self",
        "4: authority extends what authority made",
    ),
    Mutation(
        "identify",
        "or own.is_only_claim_of(self._claiming_as)",
        "or True",
        "4: or what only this visitor claimed",
    ),
    Mutation(
        "resolution",
        "id = judged_as = self.ids.contact(named_for, self.evidence.id)",
        "pass",
        "4: a contact that lost its name stays itself",
    ),
    Mutation(
        "people", "and contact.claimant == visitor", "", "5: that only this visitor ever claimed"
    ),
    Mutation(
        "obstacles",
        "if someone.is_curated and other.is_curated:",
        "if False:",
        "5: not both curated",
    ),
    Mutation(
        "obstacles",
        "if not naming.may_join:",
        "if False:",
        "5: the policy's assurance",
    ),
    Mutation(
        "obstacles",
        "if len(someone.contacts) + len(other.contacts) > caps.max_contacts:",
        "if False:",
        "5: caps of contacts",
    ),
    Mutation(
        "obstacles",
        "if len(someone.identifiers) + len(other.identifiers) > caps.max_identifiers:",
        "if False:",
        "5: caps of identifiers",
    ),
    Mutation(
        "identify",
        "if not visitor.is_taken or (link is not None and self._moves_whole()):",
        "if False:",
        "6: a visitor that is nobody's is attached",
    ),
    Mutation(
        "identify",
        "            and not self.visitor.claims.isdisjoint(self.identifiers)",
        "",
        "6: moves whole only if it claimed what is vouched for",
    ),
    Mutation("resolution", "elif self._moves():", "elif False:", "7: MOVE"),
    Mutation(
        "resolution",
        "            and self.evidence.assurance >= self.policy.merge_assurance",
        "",
        "7: MOVE needs the assurance",
    ),
    Mutation(
        "resolution",
        "sum(type_of(i) == type for i in held) >= limit",
        "False",
        "7: limits of a type",
    ),
    Mutation(
        "acts", "if hold.assurance <= hold.link.assurance:", "if True:", "7: assurance is raised"
    ),
    Mutation(
        "obstacles",
        'return policy.taken_identifier != "MERGE"',
        "return True",
        "7: with MERGE, two e-mails do not hinder",
    ),
)

CONTRADICTION = (
    Mutation("people", "or held != values[type]", "or False", "unique types"),
    Mutation("people", "(distinguish and rule.distinguishing)", "False", "e-mail"),
    Mutation(
        "people",
        "return rule.unique or rule.distinguishing",
        "return True",
        "a shared phone is not in common",
    ),
    Mutation(
        "resolution",
        "        if not self.has_authority:\n            return False\n        return all(",
        "        return all(",
        "one claim is not in common",
    ),
)

CONTACT = (
    Mutation(
        "upsert",
        "if hold.record is None or identifier in self.identifiers:",
        "if True:",
        "a source is right about its own record",
    ),
    Mutation(
        "upsert",
        "curated=record.curated or self.evidence.curated",
        "curated=self.evidence.curated",
        "curated never goes back",
    ),
    Mutation(
        "upsert",
        "if hold.others is None or not self.evidence.deleted:",
        "if True:",
        "of a deleted record what others say stays",
    ),
    Mutation(
        "upsert",
        "if hold.others is None or not self.evidence.deleted:",
        "if hold.others is None:",
        "what a record no longer lists is ended, whoever claimed it",
    ),
    Mutation(
        "upsert",
        "        if self.evidence.deleted:\n            self.identifiers = ()",
        "        if False:\n            self.identifiers = ()",
        "a deleted record names nobody",
    ),
    Mutation(
        "state",
        "(self.source is not None and not self.deleted)",
        "self.source is not None",
        "a deleted record comes from no source",
    ),
    Mutation(
        "people",
        "return (not contact.is_known, contact.made, contact.id)",
        "return (False, contact.made, contact.id)",
        "known before anonymous",
    ),
    Mutation(
        "people",
        "return (not contact.is_known, contact.made, contact.id)",
        "return (not contact.is_known, contact.id, contact.id)",
        "then the older",
    ),
)

CLAIMING_BACK = (
    Mutation(
        "identify",
        "self.policy.on_shared_device if self.device_is_shared else",
        "self.policy.max_age if self.device_is_shared else",
        "less far on a shared device",
    ),
    Mutation("identify", "first - age)", "0)", "no further than max_age"),
    Mutation(
        "identify",
        "device = Device(shared=True)",
        "device = Device(contact=contact)",
        "once shared, for good",
    ),
    Mutation(
        "attribution",
        "if link.reach is not None and at < link.reach:",
        "if False:",
        "before reach, nobody's",
    ),
    Mutation(
        "attribution",
        "if link is None or link.state is LinkState.SEVERED:",
        "if link is None:",
        "where it is severed, nobody's",
    ),
    Mutation("attribution", "place >= visitor.verified", "False", "AUTHENTICATED"),
    Mutation("attribution", "place >= visitor.identified", "True", "RETROACTIVE"),
    Mutation("attribution", "run >= 0 and at >", "False and at >", "UNATTENDED"),
)

TRAITS = (
    Mutation(
        "traits",
        "curated = contact.curated and trait.assurance > Assurance.CLAIMED",
        "curated = False",
        "curated contacts first",
    ),
    Mutation(
        "traits",
        "return (trait.assurance, trait.at, trait.evidence)",
        "return (trait.at, trait.assurance, trait.evidence)",
        "then assurance, then time",
    ),
)

REPETITION = tuple(
    Mutation("repetition", condition, changed, f"said again: {rule}")
    for condition, changed, rule in (
        ("visitor.opening is Opening.SWITCH", "False", "not after a switch"),
        ("visitor.claims.issuperset(said.identifiers)", "True", "the visitor claimed it"),
        ("(visitor.assurance or 0) >= said.assurance", "True", "the visitor is theirs as surely"),
        ("device.contact not in (None, contact.id)", "False", "the device remembers them"),
        ("hold.others < assurance", "False", "the contact holds it as surely"),
        ("is_barred(view, identifier, said.recorded_at, ids)", "False", "nobody barred it"),
    )
)

MUTATIONS = (
    *ORDER,
    *IDENTIFY,
    *CONTRADICTION,
    *CONTACT,
    *CLAIMING_BACK,
    *TRAITS,
    *REPETITION,
)
