#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "json.h"
#include "user.h"

#define INPUT_MAX (1024 * 1024)
#define INPUT_DEPTH 32

/* A token as such, or the body of a login that holds one. */
static bool read_token(struct command_context *context, struct text *out)
{
	const struct config *config = context->app->config;
	char *data = arena_alloc(context->arena, INPUT_MAX);
	struct text input = { data, 0 };
	const struct json *body, *value;
	const char *why;
	ssize_t got;

	while (input.len < INPUT_MAX &&
	       (got = read(STDIN_FILENO, data + input.len, INPUT_MAX - input.len)) > 0)
		input.len += (size_t)got;
	while (input.len && (unsigned char)input.data[input.len - 1] <= ' ')
		input.len--;
	body = input.len && input.data[0] == '{'
		       ? json_parse(context->arena, input, INPUT_DEPTH, &why)
		       : NULL;
	*out = input;
	for (size_t i = 0; body && i < config->token_places.count; i++)
		if (json_find(body, config->token_places.items[i], &value))
			return json_string(value, out);
	return input.len != 0;
}

static void print_check(void *context, const char *name, bool passed, struct text saw)
{
	const struct command_context *c = context;
	struct buffer b = buffer_new(c->arena, 256);

	/* What stands in a token came from outside: printed so that no terminal minds it. */
	json_begin(&b, NULL, '{');
	json_add_string(&b, "check", text_of(name));
	json_add_boolean(&b, "passed", passed);
	json_add_string(&b, "saw", saw);
	json_end(&b, '}');
	if (c->json) {
		printf("%.*s\n", TEXT_ARG(buffer_text(&b)));
		return;
	}
	b.len = 0;
	json_add_string(&b, NULL, saw);
	printf("  %-10s %-7s %.*s\n", name, passed ? "passed" : "FAILED",
	       TEXT_ARG(buffer_text(&b)));
}

struct trial {
	struct command_context *context;
	const struct identity *identity;
	struct store_user user;
	bool created, decided;
	struct problem why;
};

/* The login up to its last step, which is to take everything back. */
static bool try_login(struct store_tx *tx, void *context, struct problem *p)
{
	struct trial *t = context;

	t->decided = user_find_or_create(tx, &t->context->app->config->accounts, t->identity,
					 t->context->now, &t->user, &t->created, p);
	t->why = *p;
	return t->decided ? problem(p, INTERNAL, "a trial is never committed") : false;
}

static int say_result(const struct trial *t)
{
	const struct problem_row *row = problem_row(t->why.kind);
	const bool json = t->context->json;

	if (t->decided) {
		if (json)
			printf("{\"login\":\"%s\",\"user\":\"%s\"}\n",
			       t->created ? "create" : "continue", t->created ? "" : t->user.id);
		else if (t->created)
			puts("a login with it would create a new user");
		else
			printf("a login with it would be that of user %s\n", t->user.id);
		return STATUS_DONE;
	}
	if (json)
		printf("{\"login\":\"refuse\",\"error\":\"%s\",\"reason\":\"%s\"}\n", row->error,
		       row->cause);
	else
		printf("a login with it would be refused: %s (%s)\n", row->error, row->cause);
	return row->status == 503 ? STATUS_TRY_AGAIN : STATUS_NO;
}

int cmd_explain(struct command_context *context, int argc, char **argv)
{
	const struct token_trace trace = { print_check, context };
	struct trial trial = { .context = context };
	struct problem p = { 0 };
	struct identity identity;
	struct text token;

	(void)argc, (void)argv;
	if (!read_token(context, &token)) {
		fputs("pintlectl: no token on stdin\n", stderr);
		return STATUS_USAGE;
	}
	if (!token_verify(&context->app->rules, token, context->now, context->arena, &trace,
			  &identity, &p)) {
		trial.why = p;
		return say_result(&trial);
	}
	trial.identity = &identity;
	if (!store_transact(context->app->store, try_login, &trial, &p) && !trial.decided &&
	    trial.why.kind == PROBLEM_NONE)
		trial.why = p;
	return say_result(&trial);
}
