// Purpose: When parts of visitors were really in use: first and last event, and how many sessions.
// Parameters: $slices, each with index, cookie, low and high (places), highAt (time), received (by when, or null).
// Columns: slice, firstAt, lastAt, lastPosition, sessions.

UNWIND $slices AS slice
CALL (slice) {
  // Include: parts/slice_use
  RETURN firstAt, lastAt, lastPosition, begun + 1 - withFirst AS sessions
}
RETURN slice.index AS slice, firstAt, lastAt, lastPosition, sessions
