#include <stdio.h>
#include <unistd.h>

#include "email.h"
#include "json.h"
#include "person.h"
#include "progress.h"

#define EXPORT_PAGE 500

/* What a command that works on one user begins with. */
static int find_one(struct command_context *context, int argc, char **argv,
		    struct store_admin_user *out)
{
	static const struct arguments_shape shape = { .least = 1, .most = 1 };
	struct arguments arguments;

	if (!arguments_parse(context, argc, argv, &shape, &arguments))
		return STATUS_USAGE;
	return person_find(context, arguments.operands[0], out);
}

/* Between the look and the leap somebody else erased the user. */
static int say_outcome(enum store_outcome outcome, const struct problem *p)
{
	if (outcome == STORE_OK)
		return STATUS_DONE;
	if (outcome == STORE_FAILED)
		return command_problem(p);
	fputs("pintlectl: no such user\n", stderr);
	return STATUS_NO;
}

/* ---- list and show */

static void add_user(void *context, const struct store_admin_user *user)
{
	struct rows *rows = context;
	const bool by_email = rows->filter != NULL;

	rows_begin(rows);
	person_add(rows, user);
	rows_end(rows, by_email ? user->user.email : user->user.id);
}

static enum store_outcome
read_users(struct rows *rows, const struct store_admin_page *page, struct problem *p)
{
	return store_admin_users(rows->context->app->store, rows->filter, page, add_user,
				 rows, p);
}

/* Of "ali*" what stands before the star, lower-cased as addresses are. NULL without a star. */
static const char *prefix_of(struct arena *a, const char *pattern)
{
	const size_t len = strlen(pattern);
	char *prefix;

	if (!len || pattern[len - 1] != '*')
		return NULL;
	prefix = arena_alloc(a, len);
	for (size_t i = 0; i < len - 1; i++)
		prefix[i] = pattern[i] >= 'A' && pattern[i] <= 'Z'
				    ? (char)(pattern[i] - 'A' + 'a')
				    : pattern[i];
	return prefix;
}

static int list_one(struct command_context *context, const char *written)
{
	struct store_admin_user user;
	const int status = person_find(context, written, &user);
	struct rows *rows;

	if (status != STATUS_DONE)
		return status;
	rows = rows_new(context, ROWS_TABLE);
	add_user(rows, &user);
	rows_free(rows);
	return STATUS_DONE;
}

int cmd_user_list(struct command_context *context, int argc, char **argv)
{
	static const struct arguments_shape shape = { ARGUMENTS_PAGE, 0, 1 };
	struct arguments arguments;
	const char *prefix = NULL;

	if (!arguments_parse(context, argc, argv, &shape, &arguments))
		return STATUS_USAGE;
	if (arguments.count) {
		prefix = prefix_of(context->arena, arguments.operands[0]);
		if (!prefix)
			return list_one(context, arguments.operands[0]);
	}
	if (person_table_is_ours(context,
				 "list them there; one is found by email, phone or id"))
		return STATUS_NO;
	if (!prefix && arguments.after[0] && !arguments_is_id(arguments.after))
		return command_usage(context, "--after is the id of a user");
	return rows_list(rows_new(context, ROWS_TABLE), &arguments, read_users, prefix);
}

int cmd_user_show(struct command_context *context, int argc, char **argv)
{
	struct store_admin_user user;
	const int status = find_one(context, argc, argv, &user);
	struct rows *rows;

	if (status != STATUS_DONE)
		return status;
	rows = rows_new(context, ROWS_RECORD);
	rows_begin(rows);
	person_add(rows, &user);
	rows_number(rows, "identities", user.identities);
	rows_number(rows, "sessions", user.sessions);
	rows_end(rows, NULL);
	rows_free(rows);
	return STATUS_DONE;
}

/* ---- create, disable, enable */

/* An email, a phone number, or one of each. */
static bool parse_new(struct command_context *context, const struct arguments *arguments,
		      struct text *email, struct text *phone)
{
	*email = *phone = AS_TEXT("");
	for (int i = 0; i < arguments->count; i++) {
		const char *written = arguments->operands[i];
		const bool is_phone = phone_is_valid(text_of(written));

		if (is_phone ? phone->len : email->len) {
			command_usage(context, "one email and one phone number at most");
			return false;
		}
		if (is_phone)
			*phone = text_of(written);
		else if (written[0] == '+' && !strchr(written, '@')) {
			command_usage(context, "no phone number: + and 7 to 15 digits");
			return false;
		} else if (!person_email(context, written, email))
			return false;
	}
	return true;
}

int cmd_user_create(struct command_context *context, int argc, char **argv)
{
	static const struct arguments_shape shape = { .least = 1, .most = 2 };
	struct store_admin_user user;
	struct problem p = { 0 };
	struct arguments arguments;
	struct text email, phone;
	struct rows *rows;

	if (!arguments_parse(context, argc, argv, &shape, &arguments) ||
	    !parse_new(context, &arguments, &email, &phone))
		return STATUS_USAGE;
	switch (store_admin_create(context->app->store, email, phone, context->now, &user,
				   &p)) {
	case STORE_OK:
		break;
	case STORE_ALREADY_THERE:
		fputs("pintlectl: there is a user of that email or phone number "
		      "already\n",
		      stderr);
		return STATUS_NO;
	default:
		return command_problem(&p);
	}
	rows = rows_new(context, ROWS_RECORD);
	rows_begin(rows);
	person_add(rows, &user);
	rows_end(rows, NULL);
	rows_free(rows);
	return STATUS_DONE;
}

static int set_active(struct command_context *context, int argc, char **argv, bool active)
{
	struct store_admin_user user;
	struct problem p = { 0 };
	uint64_t ended = 0;
	struct rows *rows;
	int status = find_one(context, argc, argv, &user);

	if (status == STATUS_DONE)
		status = person_table_is_ours(
			context,
			"what query_lookup gives as status is yours to change; it counts "
			"at once. pintlectl session revoke --user ends sessions");
	if (status == STATUS_DONE)
		status = say_outcome(store_admin_set_active(context->app->store,
							    user.user.id, active, &ended,
							    &p),
				     &p);
	if (status != STATUS_DONE)
		return status;
	rows = rows_new(context, ROWS_RECORD);
	rows_begin(rows);
	rows_text(rows, "id", user.user.id);
	rows_text(rows, "status", active ? "active" : "disabled");
	rows_number(rows, "sessions_ended", ended);
	rows_end(rows, NULL);
	rows_free(rows);
	return STATUS_DONE;
}

int cmd_user_disable(struct command_context *context, int argc, char **argv)
{
	return set_active(context, argc, argv, false);
}

int cmd_user_enable(struct command_context *context, int argc, char **argv)
{
	return set_active(context, argc, argv, true);
}

/* ---- export: one JSON object, for people too: it is what somebody is sent who asks for
 * it */

static void export_identity(void *context, const struct store_admin_identity *i)
{
	struct rows *rows = context;

	json_begin(&rows->json, NULL, '{');
	rows_text(rows, "provider", i->provider);
	rows_text(rows, "subject", i->subject);
	rows_text_or_null(rows, "email_at_link", i->email_at_link);
	rows_time(rows, "created_at", i->created_at);
	json_end(&rows->json, '}');
}

static void export_session(void *context, const struct store_admin_session *s)
{
	struct rows *rows = context;

	json_begin(&rows->json, NULL, '{');
	rows_text(rows, "id", s->session.id);
	person_add_session(rows, &s->session);
	rows_number(rows, "generation", s->session.generation);
	rows_time(rows, "rotated_at", s->session.rotated_at);
	json_end(&rows->json, '}');
	snprintf(rows->last, sizeof(rows->last), "%s", s->session.id);
	rows->ended++;
}

/* All of them, also those that have expired and still stand there. */
static bool export_sessions(struct rows *rows, const char *user_id, struct problem *p)
{
	const struct store_admin_session_filter filter = { .user_id = user_id };
	struct store_admin_page page = { .limit = EXPORT_PAGE };

	do {
		page.after = arena_copy(rows->context->arena, text_of(rows->last)).data;
		rows->ended = 0;
		if (store_admin_sessions(rows->context->app->store, &filter, &page,
					 export_session, rows, p) != STORE_OK)
			return false;
	} while (rows->ended == page.limit);
	return true;
}

static bool export_invite(struct rows *rows, const char *email, struct problem *p)
{
	struct store_admin_invite invite;

	switch (store_admin_invite_find(rows->context->app->store, text_of(email),
					&invite, p)) {
	case STORE_OK:
		break;
	case STORE_NOT_FOUND:
		json_add_null(&rows->json, "invite");
		return true;
	default:
		return false;
	}
	json_begin(&rows->json, "invite", '{');
	rows_text(rows, "email", invite.email);
	rows_time(rows, "created_at", invite.created_at);
	rows_time(rows, "used_at", invite.used_at);
	json_end(&rows->json, '}');
	return true;
}

static bool export_all(struct rows *rows, const struct store_admin_user *user,
		       struct problem *p)
{
	struct buffer *b = &rows->json;

	json_begin(b, "user", '{');
	person_add(rows, user);
	json_end(b, '}');
	json_begin(b, "identities", '[');
	if (store_admin_identities(rows->context->app->store, user->user.id,
				   export_identity, rows, p) != STORE_OK)
		return false;
	json_end(b, ']');
	json_begin(b, "sessions", '[');
	if (!export_sessions(rows, user->user.id, p))
		return false;
	json_end(b, ']');
	return export_invite(rows, user->user.email, p);
}

int cmd_user_export(struct command_context *context, int argc, char **argv)
{
	struct store_admin_user user;
	struct problem p = { 0 };
	struct rows *rows;
	int status = find_one(context, argc, argv, &user);

	if (status != STATUS_DONE)
		return status;
	/* On stderr: the answer is not all that is known. */
	person_table_is_ours(context,
			     "what stands there is not in this, but what query_lookup "
			     "gives");
	rows = rows_new(context, ROWS_JSON);
	rows_begin(rows);
	if (export_all(rows, &user, &p))
		rows_end(rows, NULL);
	else
		status = command_problem(&p);
	rows_free(rows);
	return status;
}

/* ---- erase */

/* A person at a terminal has said yes. */
static int confirm(struct command_context *context, const struct store_admin_user *user)
{
	const char *name = user->user.email[0] ? user->user.email : user->user.phone;
	char answer[8] = "";

	if (!isatty(STDIN_FILENO))
		return command_usage(context,
				     "without a terminal to ask at, --yes is needed");
	fprintf(stderr, "Erase user %s, %s, with all that is known of them? Type yes: ",
		user->user.id, rows_printable(context->arena, name));
	if (fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0)
		return STATUS_DONE;
	fputs("pintlectl: nothing was erased\n", stderr);
	return STATUS_NO;
}

int cmd_user_erase(struct command_context *context, int argc, char **argv)
{
	static const struct arguments_shape shape = { ARGUMENTS_YES, 1, 1 };
	struct store_admin_erased erased = { 0 };
	struct store_admin_user user;
	struct problem p = { 0 };
	struct arguments arguments;
	enum store_outcome outcome;
	struct progress *progress;
	struct rows *rows;
	int status;

	if (!arguments_parse(context, argc, argv, &shape, &arguments))
		return STATUS_USAGE;
	status = person_find(context, arguments.operands[0], &user);
	if (status == STATUS_DONE && !arguments.yes)
		status = confirm(context, &user);
	if (status == STATUS_DONE) {
		progress = progress_new("erasing");
		outcome =
			store_admin_erase(context->app->store, user.user.id, &erased, &p);
		progress_free(progress);
		status = say_outcome(outcome, &p);
	}
	if (status != STATUS_DONE)
		return status;
	rows = rows_new(context, ROWS_RECORD);
	rows_begin(rows);
	rows_text(rows, "id", user.user.id);
	rows_number(rows, "identities_erased", erased.identities);
	rows_number(rows, "sessions_erased", erased.sessions);
	rows_number(rows, "invites_erased", erased.invites);
	rows_end(rows, NULL);
	rows_free(rows);
	if (!user.is_missing)
		person_table_is_ours(context, "the row there is yours to delete");
	return STATUS_DONE;
}
