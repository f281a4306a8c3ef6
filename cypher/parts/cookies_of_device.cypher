// Purpose: The cookies of a device up to a moment, those used last first.

UNWIND [true, false] AS known
CALL (place, until, known) {
  MATCH (used:Cookie)-[on:ON_DEVICE]->()
    USING INDEX on:ON_DEVICE(device, known, usedAt)
  WHERE on.device = place.id AND on.known = known AND on.usedAt >= 0 AND on.usedAt <= until
  RETURN used, on.usedAt AS usedAt ORDER BY on.device DESC, on.known DESC, on.usedAt DESC LIMIT $named.most
}
WITH used, usedAt ORDER BY usedAt DESC LIMIT $named.most
