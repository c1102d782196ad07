#include <fcntl.h>
#include <sys/stat.h>

#include "asking.h"
#include "buffer.h"
#include "fixture.h"
#include "fuzz.h"
#include "pass.h"
#include "scratch.h"
#include "fakes/fake_store.h"

#define VARIABLES_MAX 24

/* What a login through the front door gives. */
struct given {
	char pass[SECRET_TEXT_LEN + 1];
	bool shown; /* or a token like it, in the request */
	struct text token, refresh;
};

static struct text cut(struct arena *a, const struct reply *r, const char *before,
		       char end)
{
	const char *at = memmem(r->head.data, r->head.len + 2 + r->body.len, before,
				strlen(before));
	struct text rest;

	if (!at)
		return AS_TEXT("");
	at += strlen(before);
	return arena_copy(a, text_before((struct text){ at, (size_t)(r->body.data +
								     r->body.len - at) },
					 end, &rest));
}

/* As doctor makes it, at the time of the requests. */
static void make_pass(const struct app *app, struct arena *a, struct given *given)
{
	static const struct timespec now[2] = { { .tv_sec = FIXTURE_NOW },
						{ .tv_sec = FIXTURE_NOW } };
	struct problem p = { 0 };

	REQUIRE(pass_open(app->config->state_dir, given->pass, &p));
	REQUIRE(utimensat(AT_FDCWD, scratch_path(a, "doctor"), now, 0) == 0);
}

static struct given sign_in(struct app *app, struct arena *a)
{
	char *const variables[] = { (char[]){ "REQUEST_METHOD=POST" },
				    (char[]){ "PATH_INFO=/login" },
				    (char[]){ "CONTENT_TYPE=application/json" }, NULL };
	const struct reply r = asking(
		app, a, FIXTURE_NOW, ROLE_RESPONDER, variables,
		arena_printf(a, "{\"token\":\"%.*s\"}", TEXT_ARG(fixture_token(a))));
	struct given given = { .token = cut(a, &r, "__Host-session=", ';'),
			       .refresh = cut(a, &r, "\"refresh_token\":\"", '"') };

	REQUIRE(r.status == 200);
	if (!given.token.len)
		given.token = cut(a, &r, "\"token\":\"", '"');
	return given;
}

/* Of another provider, by the letter: google, or once with its single use. */
static struct text token_of(struct arena *a, bool google)
{
	return fixture_sign(
		a, AS_TEXT(FIXTURE_HEADER),
		arena_printf(a,
			     "{\"iss\":\"%s\",\"aud\":\"us\",\"iat\":%d,\"exp\":%d,"
			     "\"sub\":\"s\",\"email\":\"g@example.com\","
			     "\"email_verified\":true}",
			     google ? "https://accounts.google.com"
				    : "https://once.example",
			     FIXTURE_NOW, FIXTURE_NOW + 60));
}

/*
 * %T: a good token; %G, %O: Google's, and one that is good once; %S: what stands for a good
 * session; %R: its refresh token; %P: doctor's pass.
 */
static bool expand(struct arena *a, char letter, const struct given *given,
		   struct text *out)
{
	switch (letter) {
	case 'T':
		*out = fixture_token(a);
		return true;
	case 'G':
	case 'O':
		*out = token_of(a, letter == 'G');
		return true;
	case 'S':
		*out = given->token;
		return true;
	case 'R':
		*out = given->refresh;
		return true;
	case 'P':
		*out = text_of(given->pass);
		return true;
	}
	return false;
}

static struct text fill_in(struct arena *a, struct text in, struct given *given)
{
	struct buffer b = buffer_new(a, in.len + 64);
	struct text expanded;

	for (size_t i = 0; i < in.len; i++) {
		const char next =
			i + 1 < in.len && in.data[i] == '%' ? in.data[i + 1] : '\0';

		if (expand(a, next, given, &expanded)) {
			buffer_add(&b, expanded);
			given->shown = given->shown || next != 'P';
			i++;
		} else {
			buffer_add_char(&b, in.data[i]);
		}
	}
	return arena_copy(a, buffer_text(&b));
}

/* A digit is the session mode, as fixture_app_in_mode has them. */
static struct app *choose_app(struct text how)
{
	for (size_t i = 0; i < how.len; i++)
		if (how.data[i] >= '0' && how.data[i] < '0' + FIXTURE_MODES)
			return fixture_app_in_mode((unsigned)(how.data[i] - '0'));
	return fixture_app();
}

/* HEAD is answered as GET is, less the body. */
static void check_head(const struct app *app, struct arena *a, char **variables,
		       const struct reply *get)
{
	static char as_head[] = "REQUEST_METHOD=HEAD";
	char *others[VARIABLES_MAX + 1] = { 0 };
	struct reply head;
	size_t methods = 0;

	for (size_t i = 0; variables[i]; i++) {
		const bool is_method = strncmp(variables[i], "REQUEST_METHOD=", 15) == 0;

		others[i] = is_method ? as_head : variables[i];
		methods += is_method;
		if (is_method && strcmp(variables[i], "REQUEST_METHOD=GET") != 0)
			return;
	}
	if (!methods || text_starts(get->body, "# HELP"))
		return; /* metrics count this one */
	head = asking(app, a, FIXTURE_NOW, ROLE_RESPONDER, others, AS_TEXT(""));
	REQUIRE(head.status == get->status && text_equal(head.head, get->head));
	REQUIRE(!head.body.len);
}

/*
 * A line of letters: a authorizer, d the database is away; 1 and so on, the session mode. Then lines "NAME=value", an empty
 * one, and the body.
 */
void fuzz_whole(struct arena *a, struct text input)
{
	char *variables[VARIABLES_MAX + 1] = { 0 };
	struct text how = text_before(input, '\n', &input), line;
	struct app *app = choose_app(how);
	const enum role role =
		memchr(how.data, 'a', how.len) ? ROLE_AUTHORIZER : ROLE_RESPONDER;
	const bool away = memchr(how.data, 'd', how.len);
	struct given given;
	struct reply r;

	/* Each input finds the same: one user, one session. */
	store_free(app->store);
	app->store = store_new(app->config);
	given = sign_in(app, a);
	if (memmem(input.data, input.len, "%P", 2))
		make_pass(app, a, &given);
	for (size_t i = 0; i < VARIABLES_MAX && input.len; i++) {
		line = text_before(input, '\n', &input);
		if (!line.len)
			break;
		variables[i] = (char *)(uintptr_t)fill_in(a, line, &given).data;
	}
	fake_store_count_anew(app->store);
	fake_store_away(app->store, away);
	r = asking(app, a, FIXTURE_NOW, role, variables, fill_in(a, input, &given));
	fuzz_through += r.status < 400;
	/* Nobody is anybody who shows nothing that we or a provider made. */
	REQUIRE(given.shown || !r.res.user_id);
	asking_check(&r, role, r.res.without_body);
	/* Nothing a client sends is our fault; and a database that is away is no "no". */
	REQUIRE(r.status != 500);
	if (!away)
		REQUIRE(r.status != 503);
	else if (fake_store_counts(app->store).operations)
		REQUIRE(r.status == 503);
	if (role == ROLE_RESPONDER)
		check_head(app, a, variables, &r);
	answer_after(app, &r.res, FIXTURE_NOW);
	fake_store_away(app->store, false);
}
