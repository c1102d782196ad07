/*
 * Refresh tokens in doubt: the database was lost before it said whether the token was taken
 * on. Whoever has it comes again with it, perhaps long after, and is no thief.
 *
 * Kept in a file of state_dir that all workers share; the oldest are forgotten first, all at
 * once. Written when the database is lost in the middle of a refresh, read when a spent
 * token comes, and at no other time.
 */
#ifndef PINTLE_IN_DOUBT_H
#define PINTLE_IN_DOUBT_H

#include "text.h"

/* Notes the token of SESSION_ID at GENERATION. Where that cannot be done the log says so. */
void in_doubt_note(const char *state_dir, const char *session_id, uint64_t generation);

/* Was it noted? */
bool in_doubt_find(const char *state_dir, const char *session_id, uint64_t generation)
	__attribute__((warn_unused_result));

#endif
