#include <stdio.h>

#include "arguments.h"

static const char *keys_dir(const struct command_context *context)
{
	const char *dir = context->app->config->session.keys_dir;

	if (!dir)
		fputs("pintlectl: session.keys_dir is not set (session mode jwt)\n",
		      stderr);
	return dir;
}

int cmd_keys_rotate(struct command_context *context, int argc, char **argv)
{
	const char *dir = keys_dir(context);
	struct problem p = { 0 };
	char kid[64];

	if (!arguments_none(context, argc, argv))
		return STATUS_USAGE;
	if (!dir)
		return STATUS_CONFIG;
	if (!mint_rotate(dir, context->now, kid, &p))
		return command_problem(&p);
	printf(context->json ? "{\"kid\":\"%s\",\"signs\":true}\n"
			     : "%s signs from now on\n",
	       kid);
	return STATUS_DONE;
}

static void print_key(void *context, const char *kid, int64_t created_at, bool signs)
{
	const struct command_context *c = context;
	char when[TEXT_TIME_SIZE];

	text_print_time(created_at, ' ', when);
	if (c->json)
		printf("{\"kid\":\"%s\",\"created_at\":%lld,\"signs\":%s}\n", kid,
		       (long long)created_at, signs ? "true" : "false");
	else
		printf("%-32s %s  %s\n", kid, when, signs ? "signs" : "still honoured");
}

int cmd_keys_list(struct command_context *context, int argc, char **argv)
{
	const char *dir = keys_dir(context);
	struct problem p = { 0 };

	if (!arguments_none(context, argc, argv))
		return STATUS_USAGE;
	if (!dir)
		return STATUS_CONFIG;
	return mint_each_key(dir, print_key, context, &p) ? STATUS_DONE
							  : command_problem(&p);
}
