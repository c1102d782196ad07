#include "asking.h"
#include "buffer.h"
#include "fixture.h"
#include "fuzz.h"
#include "fakes/fake_store.h"

#define VARIABLES_MAX 24

/* A session's cookie value, of a login through the front door. */
static struct text sign_in(struct arena *a)
{
	char *const variables[] = { (char[]){ "REQUEST_METHOD=POST" },
				    (char[]){ "PATH_INFO=/login" },
				    (char[]){ "CONTENT_TYPE=application/json" }, NULL };
	const struct reply r = asking(
		fixture_app(), a, FIXTURE_NOW, ROLE_RESPONDER, variables,
		arena_printf(a, "{\"token\":\"%.*s\"}", TEXT_ARG(fixture_token(a))));
	struct text value, rest;
	unsigned count;

	REQUIRE(r.status == 200);
	text_before(asking_header(&r, "Set-Cookie", &count), '=', &value);
	REQUIRE(count == 1 && value.len);
	return arena_copy(a, text_before(value, ';', &rest));
}

/* %T: a good token; %S: a good session. */
static struct text fill_in(struct arena *a, struct text in, struct text session)
{
	struct buffer b = buffer_new(a, in.len + 64);

	for (size_t i = 0; i < in.len; i++) {
		const char next =
			i + 1 < in.len && in.data[i] == '%' ? in.data[i + 1] : '\0';

		if (next == 'T')
			buffer_add(&b, fixture_token(a));
		else if (next == 'S')
			buffer_add(&b, session);
		else
			buffer_add_char(&b, in.data[i]);
		i += next == 'T' || next == 'S';
	}
	return arena_copy(a, buffer_text(&b));
}

/*
 * A line of letters: a authorizer, d the database is away. Then lines "NAME=value", an empty
 * one, and the body.
 */
void fuzz_whole(struct arena *a, struct text input)
{
	struct app *app = fixture_app();
	char *variables[VARIABLES_MAX + 1] = { 0 };
	struct text how = text_before(input, '\n', &input), session, line;
	const enum role role =
		memchr(how.data, 'a', how.len) ? ROLE_AUTHORIZER : ROLE_RESPONDER;
	const bool away = memchr(how.data, 'd', how.len);
	struct reply r;

	/* Each input finds the same: one user, one session. */
	store_free(app->store);
	app->store = store_new(app->config);
	session = sign_in(a);
	for (size_t i = 0; i < VARIABLES_MAX && input.len; i++) {
		line = text_before(input, '\n', &input);
		if (!line.len)
			break;
		variables[i] = (char *)(uintptr_t)fill_in(a, line, session).data;
	}
	fake_store_count_anew(app->store);
	fake_store_away(app->store, away);
	r = asking(app, a, FIXTURE_NOW, role, variables, fill_in(a, input, session));
	fuzz_through += r.status < 400;
	asking_check(&r, role, r.res.without_body);
	/* Nothing a client sends is our fault; and a database that is away is no "no". */
	REQUIRE(r.status != 500);
	if (!away)
		REQUIRE(r.status != 503);
	else if (fake_store_counts(app->store).operations)
		REQUIRE(r.status == 503);
	answer_after(app, &r.res, FIXTURE_NOW);
	fake_store_away(app->store, false);
}
