/* A user as named on the command line and as shown to whoever asked. */
#ifndef PINTLE_PERSON_H
#define PINTLE_PERSON_H

#include "rows.h"

/*
 * "42", "alice@example.com" or "+12025550123"; with a users table that is not ours an id is
 * whatever is neither of the others. False when it is none of these.
 */
bool person_parse(struct command_context *context, const char *written,
		  struct store_admin_name *out) __attribute__((warn_unused_result));

/*
 * With a users table that is not ours: says on stderr what of WHAT cannot be done here, and
 * gives STATUS_NO. STATUS_DONE where it is ours.
 */
int person_table_is_ours(const struct command_context *context, const char *what);

/*
 * The user of that name. STATUS_DONE; else the person has been told why not, and this is
 * the exit status.
 */
int person_find(struct command_context *context, const char *written,
		struct store_admin_user *out);

/* An email in canonical form; else the person has been told, and it is STATUS_USAGE. */
bool person_email(struct command_context *context, const char *written, struct text *out)
	__attribute__((warn_unused_result));

/* Which sessions are still good. */
struct store_admin_live person_live(const struct command_context *context);

/* The columns of a user, and of a session by itself. */
void person_add(struct rows *rows, const struct store_admin_user *user);
void person_add_session(struct rows *rows, const struct store_session *session);

#endif
