#include "person.h"

#include <stdio.h>

#include "email.h"

static bool is_foreign_id(const char *written)
{
	const size_t len = strlen(written);

	if (!len || len >= STORE_ID_SIZE || strchr(written, '@') || written[0] == '+')
		return false;
	for (const char *c = written; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return true;
}

bool person_parse(struct command_context *context, const char *written,
		  struct store_admin_name *out)
{
	struct problem ignored = { 0 };
	struct arena *a = context->arena;
	struct text email;

	if (store_admin_is_foreign(context->app->store) ? is_foreign_id(written)
							: arguments_is_id(written)) {
		*out = (struct store_admin_name){ STORE_ADMIN_ID, written };
		return true;
	}
	if (phone_is_valid(text_of(written))) {
		*out = (struct store_admin_name){ STORE_ADMIN_PHONE, written };
		return true;
	}
	if (!email_normalise(a, text_of(written), &email, &ignored))
		return false;
	*out = (struct store_admin_name){ STORE_ADMIN_EMAIL, arena_copy(a, email).data };
	return true;
}

int person_table_is_ours(const struct command_context *context, const char *what)
{
	if (!store_admin_is_foreign(context->app->store))
		return STATUS_DONE;
	fprintf(stderr,
		"pintlectl: the users table is your own (accounts.query_lookup): %s\n",
		what);
	return STATUS_NO;
}

int person_find(struct command_context *context, const char *written,
		struct store_admin_user *out)
{
	const struct store_admin_live live = person_live(context);
	struct problem p = { 0 };
	struct store_admin_name name;

	if (!person_parse(context, written, &name))
		return command_usage(context, "a user is named by id, email or +phone");
	switch (store_admin_user(context->app->store, &name, &live, out, &p)) {
	case STORE_OK:
		return STATUS_DONE;
	case STORE_NOT_FOUND:
		fputs("pintlectl: no such user\n", stderr);
		return STATUS_NO;
	default:
		return command_problem(&p);
	}
}

bool person_email(struct command_context *context, const char *written, struct text *out)
{
	struct problem p = { 0 };

	if (email_normalise(context->arena, text_of(written), out, &p))
		return true;
	command_usage(
		context,
		arena_printf(context->arena, "no email address: %s", p.detail).data);
	return false;
}

struct store_admin_live person_live(const struct command_context *context)
{
	const int64_t idle_s = context->app->config->session.idle_s;

	return (struct store_admin_live){
		.expires_after = context->now,
		.seen_after = idle_s ? context->now - idle_s : 0,
	};
}

void person_add(struct rows *rows, const struct store_admin_user *user)
{
	rows_text(rows, "id", user->user.id);
	rows_text_or_null(rows, "email", user->user.email);
	rows_text_or_null(rows, "phone", user->user.phone);
	rows_text(rows, "status",
		  user->is_missing    ? "missing"
		  : user->user.active ? "active"
				      : "disabled");
	rows_time(rows, "created_at", user->created_at);
	rows_time(rows, "last_login_at", user->last_login_at);
}

void person_add_session(struct rows *rows, const struct store_session *session)
{
	rows_text(rows, "provider", session->provider);
	rows_time(rows, "created_at", session->created_at);
	rows_time(rows, "last_seen_at", session->last_seen_at);
	rows_time(rows, "expires_at", session->expires_at);
	rows_text(rows, "address", session->address);
	rows_text(rows, "user_agent", session->user_agent);
}
