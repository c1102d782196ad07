#include <stdio.h>

#include "person.h"
#include "progress.h"

#define PURGE_BATCH 1000 /* rows that one transaction holds */

static void add_session(void *context, const struct store_admin_session *s)
{
	struct rows *rows = context;

	rows_begin(rows);
	rows_text(rows, "id", s->session.id);
	rows_text(rows, "user_id", s->user.id);
	rows_text_or_null(rows, "email", s->user.email);
	rows_text_or_null(rows, "phone", s->user.phone);
	person_add_session(rows, &s->session);
	rows_end(rows, s->session.id);
}

static enum store_outcome
read_sessions(struct rows *rows, const struct store_admin_page *page, struct problem *p)
{
	return store_admin_sessions(rows->context->app->store, rows->filter, page,
				    add_session, rows, p);
}

int cmd_session_list(struct command_context *context, int argc, char **argv)
{
	static const struct arguments_shape shape = { ARGUMENTS_PAGE | ARGUMENTS_USER, 0,
						      0 };
	struct store_admin_session_filter filter = { .live = person_live(context) };
	struct store_admin_user user;
	struct arguments arguments;

	if (!arguments_parse(context, argc, argv, &shape, &arguments))
		return STATUS_USAGE;
	if (arguments.after[0] && !arguments_is_id(arguments.after))
		return command_usage(context, "--after is the id of a session");
	if (arguments.user) {
		const int status = person_find(context, arguments.user, &user);

		if (status != STATUS_DONE)
			return status;
		filter.user_id = user.user.id;
	}
	return rows_list(rows_new(context, ROWS_TABLE), &arguments, read_sessions,
			 &filter);
}

static int revoke_one(struct command_context *context, const char *id, uint64_t *ended)
{
	struct problem p = { 0 };

	if (!arguments_is_id(id))
		return command_usage(context, "a session is named by its id");
	switch (store_admin_session_end(context->app->store, id, &p)) {
	case STORE_OK:
		*ended = 1;
		return STATUS_DONE;
	case STORE_NOT_FOUND:
		fputs("pintlectl: no such session\n", stderr);
		return STATUS_NO;
	default:
		return command_problem(&p);
	}
}

static int revoke_all(struct command_context *context, const char *written,
		      uint64_t *ended)
{
	struct store_admin_user user;
	struct problem p = { 0 };
	const int status = person_find(context, written, &user);

	if (status != STATUS_DONE)
		return status;
	return store_session_end(context->app->store, user.user.id, NULL, false, ended,
				 &p) == STORE_OK
		       ? STATUS_DONE
		       : command_problem(&p);
}

int cmd_session_revoke(struct command_context *context, int argc, char **argv)
{
	static const struct arguments_shape shape = { ARGUMENTS_USER, 0, 1 };
	struct arguments arguments;
	uint64_t ended = 0;
	struct rows *rows;
	int status;

	if (!arguments_parse(context, argc, argv, &shape, &arguments))
		return STATUS_USAGE;
	if ((arguments.count == 1) == (arguments.user != NULL))
		return command_usage(context, "either the id of a session or --user");
	status = arguments.user ? revoke_all(context, arguments.user, &ended)
				: revoke_one(context, arguments.operands[0], &ended);
	if (status != STATUS_DONE)
		return status;
	rows = rows_new(context, ROWS_RECORD);
	rows_begin(rows);
	rows_number(rows, "sessions_ended", ended);
	rows_end(rows, NULL);
	rows_free(rows);
	return STATUS_DONE;
}

int cmd_session_purge(struct command_context *context, int argc, char **argv)
{
	static const struct arguments_shape shape = { 0 };
	struct store_admin_purged purged = { 0 };
	struct arguments arguments;
	struct problem p = { 0 };
	enum store_outcome outcome;
	struct progress *progress;
	struct rows *rows;
	bool more;

	if (!arguments_parse(context, argc, argv, &shape, &arguments))
		return STATUS_USAGE;
	progress = progress_new("removing what has expired");
	do {
		outcome = store_admin_purge(context->app->store, context->now,
					    PURGE_BATCH, &purged, &more, &p);
		progress_set(progress, purged.sessions + purged.tokens);
	} while (outcome == STORE_OK && more);
	progress_free(progress);
	if (outcome != STORE_OK)
		return command_problem(&p);
	rows = rows_new(context, ROWS_RECORD);
	rows_begin(rows);
	rows_number(rows, "sessions_removed", purged.sessions);
	rows_number(rows, "tokens_removed", purged.tokens);
	rows_end(rows, NULL);
	rows_free(rows);
	return STATUS_DONE;
}
