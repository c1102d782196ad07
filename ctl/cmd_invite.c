#include <stdio.h>

#include "person.h"

static void add_invite(void *context, const struct store_admin_invite *invite)
{
	struct rows *rows = context;

	rows_begin(rows);
	rows_text(rows, "email", invite->email);
	rows_time(rows, "created_at", invite->created_at);
	rows_time(rows, "used_at", invite->used_at);
	rows_end(rows, invite->email);
}

static enum store_outcome
read_invites(struct rows *rows, const struct store_admin_page *page, struct problem *p)
{
	return store_admin_invites(rows->context->app->store, page, add_invite, rows, p);
}

int cmd_invite_list(struct command_context *context, int argc, char **argv)
{
	static const struct arguments_shape shape = { ARGUMENTS_PAGE, 0, 0 };
	struct arguments arguments;

	if (!arguments_parse(context, argc, argv, &shape, &arguments))
		return STATUS_USAGE;
	return rows_list(rows_new(context, ROWS_TABLE), &arguments, read_invites, NULL);
}

/* All the emails, before anything is done for the first: wrong use changes nothing. */
static struct text *parse_emails(struct command_context *context, int argc, char **argv,
				 int *count)
{
	static const struct arguments_shape shape = { 0, 1, INT32_MAX };
	struct arguments arguments;
	struct text *emails;

	if (!arguments_parse(context, argc, argv, &shape, &arguments))
		return NULL;
	*count = arguments.count;
	emails = arena_alloc(context->arena, (size_t)arguments.count * sizeof(*emails));
	for (int i = 0; i < arguments.count; i++)
		if (!person_email(context, arguments.operands[i], &emails[i]))
			return NULL;
	return emails;
}

/* An invitation that changes nothing is legal, and most likely a mistake. */
static void warn_unless_invited(const struct command_context *context)
{
	switch (context->app->config->accounts.signup) {
	case CONFIG_SIGNUP_OPEN:
		fputs("pintlectl: note: accounts.signup is \"open\": nobody needs one\n",
		      stderr);
		break;
	case CONFIG_SIGNUP_CLOSED:
		fputs("pintlectl: note: accounts.signup is \"closed\": it lets nobody "
		      "in\n",
		      stderr);
		break;
	case CONFIG_SIGNUP_INVITED:
		break;
	}
}

static void say(struct rows *rows, struct text email, const char *what)
{
	rows_begin(rows);
	rows_text(rows, "email", arena_copy(rows->context->arena, email).data);
	rows_text(rows, "invitation", what);
	rows_end(rows, NULL);
}

int cmd_invite_add(struct command_context *context, int argc, char **argv)
{
	int count, status = STATUS_DONE;
	const struct text *emails = parse_emails(context, argc, argv, &count);
	struct rows *rows;

	if (!emails)
		return STATUS_USAGE;
	warn_unless_invited(context);
	rows = rows_new(context, ROWS_TABLE);
	for (int i = 0; i < count && status == STATUS_DONE; i++) {
		struct problem p = { 0 };
		bool renewed;

		if (store_admin_invite_add(context->app->store, emails[i], context->now,
					   &renewed, &p) == STORE_OK)
			say(rows, emails[i], renewed ? "renewed" : "added");
		else
			status = command_problem(&p);
	}
	rows_free(rows);
	return status;
}

int cmd_invite_remove(struct command_context *context, int argc, char **argv)
{
	int count, status = STATUS_DONE;
	const struct text *emails = parse_emails(context, argc, argv, &count);
	struct rows *rows;

	if (!emails)
		return STATUS_USAGE;
	rows = rows_new(context, ROWS_TABLE);
	for (int i = 0; i < count && status != STATUS_TRY_AGAIN; i++) {
		struct problem p = { 0 };

		switch (store_admin_invite_remove(context->app->store, emails[i], &p)) {
		case STORE_OK:
			say(rows, emails[i], "removed");
			break;
		case STORE_NOT_FOUND:
			fprintf(stderr, "pintlectl: no invitation for %.*s\n",
				TEXT_ARG(emails[i]));
			status = STATUS_NO;
			break;
		default:
			status = command_problem(&p);
		}
	}
	rows_free(rows);
	return status;
}
